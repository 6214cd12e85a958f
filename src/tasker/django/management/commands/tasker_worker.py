"""``manage.py tasker_worker``: runs the tasks that this project has given to tasker."""

import asyncio
import os
import signal
import socket
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.tasks import DEFAULT_TASK_BACKEND_ALIAS, task_backends
from django.tasks.exceptions import InvalidTaskBackend

from tasker.client.asynchronous.client import AsyncClient
from tasker.client.errors import ApiError
from tasker.django.backend import TaskerBackend
from tasker.django.clients import client_of
from tasker.django.worker import Worker
from tasker.errors import TaskerError
from tasker.model import lengths, names

_LEFT: Final = 1
"""The exit status of a worker that did not wait for its tasks."""

_SHORTEST_LEASE: Final = timedelta(seconds=3)
_LONGEST_LEASE: Final = timedelta(days=1)


class Command(BaseCommand):
    """Runs tasks until it is told to stop, by SIGTERM or Ctrl-C. See ``docs/django.md``."""

    help = (
        "Runs the tasks that this project has enqueued with tasker, each at its time. "
        "SIGTERM or Ctrl-C: no more tasks begin, and it ends once those that run have ended; a second time: at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--backend",
            default=DEFAULT_TASK_BACKEND_ALIAS,
            metavar="NAME",
            help="whose tasks: a name in TASKS; default: %(default)s",
        )
        parser.add_argument(
            "--queue",
            action="append",
            dest="queues",
            metavar="NAME",
            help="a queue to work on; may be given several times; default: the QUEUES of the backend",
        )
        parser.add_argument(
            "--threads",
            type=_count,
            metavar="N",
            default=4,
            help="how many tasks run at once; default: %(default)s",
        )
        parser.add_argument(
            "--lease",
            type=_lease,
            default=timedelta(minutes=1),
            metavar="LENGTH",
            help="how long after this process has died others are given its tasks, from 3s to 1d; default: 1m",
        )
        parser.add_argument(
            "--name",
            default=f"{socket.gethostname()}-{os.getpid()}",
            metavar="NAME",
            help="what TaskResult.worker_ids calls this worker; default: host and process, here %(default)s",
        )
        parser.add_argument("--batch", action="store_true", help="run what is due now, and end when nothing is left")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - as Django calls it
        """Run until it is over.

        Raises:
            CommandError: the backend or the queues cannot be used, or the server refuses this worker.
        """
        backend = _backend(options["backend"])
        queues = sorted(set(options["queues"] or backend.queues))
        if not queues:
            raise CommandError("expected --queue: QUEUES of the backend is empty, so its tasks may be in any")
        if backend.queues and (others := [name for name in queues if name not in backend.queues]):
            raise CommandError(
                f"--queue: expected one of QUEUES ({', '.join(sorted(backend.queues))}), got: {others[0]}"
            )
        if wrong := [name for name in queues if not names.is_name(name)]:
            raise CommandError(f"--queue: expected {names.EXPECTED}, got: {wrong[0]!r}")
        threads = options["threads"]
        try:
            url = client_of(backend.tasker_options).url
            self.stdout.write(f"Working on {', '.join(queues)} of {url}, {threads} at a time, as {options['name']}")
            self.stdout.flush()
            asyncio.run(self._work(backend, queues, threads, options))
        except ApiError as error:
            raise CommandError(f"the server refuses this worker: {error.message}") from None
        except TaskerError as error:
            raise CommandError(str(error)) from None

    async def _work(
        self, backend: TaskerBackend, queues: Sequence[str], threads: int, options: Mapping[str, Any]
    ) -> None:
        """Run tasks until a signal comes, or for a batch until none is left. At a second signal, end this process."""
        stop = asyncio.Event()

        def signalled() -> None:
            if stop.is_set():
                os._exit(_LEFT)  # threads cannot be stopped otherwise; what they run is run again elsewhere
            stop.set()
            self.stdout.write(
                "Stopping: no more tasks begin, and those that run may end; a second signal ends all at once"
            )
            self.stdout.flush()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, signalled)
        async with AsyncClient(backend.tasker_options.url, backend.tasker_options.key) as client:
            worker = Worker(backend, client, queues, threads=threads, lease=options["lease"], worker_id=options["name"])
            await worker.run(stop, batch=options["batch"])


def _backend(alias: str) -> TaskerBackend:
    try:
        backend = task_backends[alias]
    except InvalidTaskBackend as error:
        raise CommandError(str(error)) from None
    if not isinstance(backend, TaskerBackend):
        raise CommandError(f"--backend: expected one of tasker, got: {alias}, which is {type(backend).__qualname__}")
    return backend


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= 1000:
        raise ArgumentTypeError(f"expected a number from 1 to 1000, got: {text!r}")
    return int(text)


def _lease(text: str) -> timedelta:
    try:
        length = lengths.parse(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    if not _SHORTEST_LEASE <= length <= _LONGEST_LEASE:
        raise ArgumentTypeError(f"expected 3s to 1d, got: {text}")
    return length
