"""Starts ``python -m tasker`` as a fork of a process that has imported it already.

To import what a server needs takes a second of processor time; with that in hand it is there in a
few milliseconds. All else is as ever: each is a process of its own, with its own folder,
environment, streams and limits. A new interpreter is started for whatever looks different to Python itself, and for all
processes of a test with the fixture ``new_interpreters``.
"""

import ctypes
import functools
import gc
import inspect
import json
import os
import resource
import runpy
import socket
import subprocess
import sys
import threading
from pathlib import Path

COMMAND = [sys.executable, "-m", "tasker"]
PR_SET_CHILD_SUBREAPER = 36
"""Source: linux/prctl.h. Orphans of descendants become children of this process."""

LIMITS = sorted(getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_"))

SIGNATURE = inspect.signature(subprocess.Popen._execute_child)
USUAL = {
    "executable": (None, sys.executable),
    "preexec_fn": (None,),
    "pass_fds": ((),),
    "shell": (False,),
    "gid": (None,),
    "gids": (None,),
    "uid": (None,),
    "umask": (-1,),
    "start_new_session": (False,),
    "process_group": (-1, None),
}
"""The arguments of processes that can be forked, as far as they are not the command's own."""


def _of_the_interpreter(environment):
    """The variables that count when an interpreter starts."""
    names = ("PYTHON", "LANG", "LC_", "LD_", "TZ")
    return {name: value for name, value in environment.items() if name.startswith(names)}


IMPORTED_WITH = _of_the_interpreter(os.environ)


class Popen(subprocess.Popen):
    """``subprocess.Popen``, quicker for a plain ``python -m tasker``."""

    is_quick = sys.platform == "linux"

    def _execute_child(self, *arguments):
        asked = SIGNATURE.bind(self, *arguments).arguments
        if not self.is_quick or not _can_be_forked(asked):
            return super()._execute_child(*arguments)
        streams = [asked["p2cread"], asked["c2pwrite"], asked["errwrite"]]
        streams = [place if stream == -1 else stream for place, stream in enumerate(streams)]
        self.pid = _forge().fork(
            [*map(os.fspath, asked["args"][len(COMMAND) :])],
            os.fspath(asked["cwd"] or Path.cwd()),
            dict(os.environ if asked["env"] is None else asked["env"]),
            streams,
        )
        self._child_created = True
        self._close_pipe_fds(
            *(asked[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite"))
        )
        return None


def _can_be_forked(asked):
    args, env, cwd = asked["args"], asked["env"], asked["cwd"]
    return (
        not isinstance(args, str | bytes | os.PathLike)
        and list(args[: len(COMMAND)]) == COMMAND
        and all(asked[name] in usual for name, usual in USUAL.items())
        and _of_the_interpreter(os.environ if env is None else env) == IMPORTED_WITH
        and (cwd is None or Path(cwd).is_dir())
    )


class Forge:
    """The process that forks. It ends with the one that uses it."""

    def __init__(self):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._turn = threading.Lock()
        self._here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(there.fileno())],
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, **IMPORTED_WITH},
            )

    def fork(self, arguments, folder, environment, streams):
        """Return the number of a new process, which is a child of this one."""
        with self._turn:
            request = json.dumps([arguments, folder, environment, [resource.getrlimit(limit) for limit in LIMITS]])
            socket.send_fds(self._here, [request.encode()], streams)
            pid = int(self._here.recv(100))
            self._here.recv(100)  # from now on it is a child of this process
            return pid


@functools.cache
def _forge():
    return Forge()


def _serve(requests):
    """Fork for each request, until nobody can send any more. Returns in the fork alone."""
    while True:
        request, streams, *_ = socket.recv_fds(requests, 1_000_000, 3)
        if not request:
            os._exit(0)
        between = os.fork()
        if between == 0:
            pid = os.fork()
            if pid == 0:
                return json.loads(request), streams
            requests.send(str(pid).encode())
            os._exit(0)
        os.waitpid(between, 0)
        for stream in streams:
            os.close(stream)
        requests.send(b"an orphan")


def _become_tasker(arguments, folder, environment, limits, streams):
    for limit, (soft, hard) in zip(LIMITS, limits, strict=True):
        resource.setrlimit(limit, (soft, hard))
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    sys.path[0] = folder  # as with -m
    runpy.run_module("tasker", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    import asyncpg  # noqa: F401
    import uvicorn.lifespan.off  # noqa: F401

    import tasker.cli.server.alert
    import tasker.cli.server.commands
    import tasker.cli.server.database
    import tasker.cli.server.serve
    import tasker.stores.postgres.store
    import tasker.stores.sqlite.store  # noqa: F401

    gc.freeze()
    request, streams = _serve(socket.socket(fileno=int(sys.argv[1])))
    _become_tasker(*request, streams)
