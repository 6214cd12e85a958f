"""Calls of functions in processes of their own, which can be killed."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tasker.worker import reports
from tasker.worker.context import About, Context
from tasker.worker.functions import Function
from tasker.worker.reports import Report

LONGEST_LINE: Final = 16 * 1024 * 1024
"""Bytes of one message: a call's arguments, or its end."""

_log = logging.getLogger("tasker.worker")


class Call(Struct, frozen=True):
    """What a process is told to do."""

    about: About
    arguments: Raw


class Said(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a process says while it does that: how far it is, or how it has ended."""

    progress: float | None = None
    msg: str | None = None
    end: Report | None = None


encode_call: Final = msgspec.json.Encoder().encode
read_said: Final = msgspec.json.Decoder(Said).decode


class Processes:
    """Processes that have imported an app, each of which makes one call at a time.

    One that is killed, or ends by itself, is replaced when it is needed.
    """

    def __init__(self, place: str, log_options: tuple[str, ...] = ()) -> None:
        """Make it, without a process.

        Args:
            place: where the app is: ``MODULE:NAME``.
            log_options: the level and the format of the log, for the processes.
        """
        self._place = place
        self._log_options = log_options
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()

    async def warm(self, count: int) -> None:
        """Start so many processes, so that no call waits for an import."""
        self._idle += await asyncio.gather(*(self._new() for _ in range(count)))

    def start(self, function: Function[..., Any], arguments: bytes, context: Context) -> "InProcess":
        """Begin a call."""
        return InProcess(self, function, arguments, context)

    async def close(self) -> None:
        """Kill all processes."""
        for process in self._all:
            process.kill()
        await asyncio.gather(*(process.wait() for process in self._all))
        self._all.clear()
        self._idle.clear()

    async def take(self) -> "_Process":
        """Return a process that does nothing."""
        while self._idle:
            process = self._idle.pop()
            if process.is_alive:
                return process
            self.drop(process)
        return await self._new()

    def give_back(self, process: "_Process") -> None:
        """Keep a process for the next call."""
        self._idle.append(process)

    def drop(self, process: "_Process") -> None:
        """Forget a process that has ended."""
        self._all.discard(process)
        process.hang_up()

    async def _new(self) -> "_Process":
        ours, theirs = socket.socketpair()
        with theirs:
            running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tasker.worker.child", str(theirs.fileno()), self._place, *self._log_options),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the worker, which lets calls end
            )
        reader, writer = await asyncio.open_connection(sock=ours, limit=LONGEST_LINE)
        process = _Process(running, reader, writer)
        self._all.add(process)
        return process


class _Process:
    """One process, and the connection to it. It ends when the connection does, however this process ends."""

    def __init__(
        self, running: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._running = running
        self._reader = reader
        self._writer = writer

    @property
    def is_alive(self) -> bool:
        return self._running.returncode is None

    async def call(self, call: Call, context: Context) -> Report:
        """Make a call and return its end.

        Raises:
            EOFError: the process has ended before.
        """
        try:
            self._writer.write(encode_call(call) + b"\n")
            await self._writer.drain()
            while line := await self._reader.readline():
                said = read_said(line)
                if said.end is not None:
                    return said.end
                context.heartbeat(said.progress, said.msg)
        except ConnectionError:
            pass
        raise EOFError

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._running.kill()
        self.hang_up()

    def hang_up(self) -> None:
        self._writer.close()

    async def wait(self) -> int:
        return await self._running.wait()


class InProcess:
    """A call in a process: ``stop`` kills that."""

    can_be_stopped = True

    def __init__(self, processes: Processes, function: Function[..., Any], arguments: bytes, context: Context) -> None:
        """Begin the call."""
        self.ended: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        self._processes = processes
        self._process: _Process | None = None
        self._is_stopped = False
        self._task = asyncio.create_task(self._run(Call(_about(function, context), Raw(arguments)), context))
        self._task.add_done_callback(self._end)

    def stop(self) -> None:
        """Kill the process."""
        self._is_stopped = True
        if self._process is not None:
            self._process.kill()

    async def _run(self, call: Call, context: Context) -> Report:
        self._process = process = await self._processes.take()
        if self._is_stopped:
            self._processes.give_back(process)
            return reports.failed("stopped", "the call was stopped before it began")
        report = None
        with contextlib.suppress(EOFError):
            report = await process.call(call, context)
        if report is None or self._is_stopped:
            code = await process.wait()
            self._processes.drop(process)
            return report or reports.failed(
                "process_ended", f"the process of the function ended before it: {_how(code)}"
            )
        self._process = None  # ``stop`` must not kill it any more: the next call may run there
        self._processes.give_back(process)
        return report

    def _end(self, task: "asyncio.Task[Report]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("a process could not be used", exc_info=error)
            self.ended.set_result(reports.failed("process_failed", f"no process for the function: {error}"))
        else:
            self.ended.set_result(
                reports.failed("stopped", "the call was stopped") if task.cancelled() else task.result()
            )


def _about(function: Function[..., Any], context: Context) -> About:
    return About(
        name=function.name,
        task_id=context.task_id,
        attempt=context.attempt,
        key=context.key,
        execution_time=context.execution_time,
        deadline=context.deadline,
        tags=context.tags,
    )


def _how(code: int) -> str:
    """Return how a process has ended, for people.

    >>> _how(3), _how(-9)
    ('it exited with 3', 'it was ended by SIGKILL')
    """
    if code >= 0:
        return f"it exited with {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"
