"""The process that makes calls for a worker with ``--processes``: one at a time, as it is told on a socket."""

import os
import signal
import socket
import sys
import threading
from queue import SimpleQueue
from typing import Final

import msgspec

from tasker.worker import logs
from tasker.worker.context import Context, enter
from tasker.worker.executions import call
from tasker.worker.loading import load_app
from tasker.worker.processes import LONGEST_LINE, Call, Said

_read_call: Final = msgspec.json.Decoder(Call).decode


def main(descriptor: int, place: str, level: str, log_format: str) -> None:
    """Make calls until the worker closes the connection, or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logs.set_up(level, log_format)
    connection = socket.socket(fileno=descriptor)
    connection.set_inheritable(False)
    calls: SimpleQueue[Call] = SimpleQueue()
    threading.Thread(target=_listen, args=(connection, calls), daemon=True).start()
    app = load_app(place)
    writing = threading.Lock()

    def say(said: Said) -> None:
        with writing:
            connection.sendall(msgspec.json.encode(said) + b"\n")

    while True:
        asked = calls.get()
        context = Context(asked.about, beat=lambda progress, msg: say(Said(progress=progress, msg=msg)))
        report = enter(context).run(call, app.functions[asked.about.name], bytes(asked.arguments))
        say(Said(end=report))


def _listen(connection: socket.socket, calls: "SimpleQueue[Call]") -> None:
    """Take down what is to be called. When the worker is gone, so is this process, whatever it does."""
    with connection.makefile("rb") as lines:
        while line := lines.readline(LONGEST_LINE):
            calls.put(_read_call(line))
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
