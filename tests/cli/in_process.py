"""The command in this process, with a terminal that is none, or with one."""

import fcntl
import io
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from typing import NamedTuple

from command import COMMAND, environment

from tasker.cli import root

CTRL_C = b"\x03"


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


class Typist:
    """Types commands for a server, with a configuration folder of its own."""

    def __init__(self, folder, monkeypatch, capsys, url=None):
        self.folder, self._patch, self._capsys = folder, monkeypatch, capsys
        self.variables = {"XDG_CONFIG_HOME": str(folder / "config"), "TZ": "Europe/Berlin"}
        if url:
            self.variables["TASKER_URL"] = url

    def __call__(self, *arguments, stdin=b"", **variables):
        self._patch.setattr(os, "environ", environment({**self.variables, **variables}))
        self._patch.setattr(sys, "argv", ["tasker", *map(str, arguments)])
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._patch.chdir(self.folder)
        self._capsys.readouterr()
        code = 0
        try:
            root.main()
        except SystemExit as end:
            code = end.code or 0
        return Done(code, *self._capsys.readouterr())

    def done(self, *arguments, **more):
        """Type a command that has to work."""
        done = self(*arguments, **more)
        assert done.code == 0, done
        return done

    def refused(self, code, *arguments, **more):
        """Type a command that has to be refused with a line; return the line."""
        done = self(*arguments, **more)
        assert done.code == code, done
        line = done.err.splitlines()[-1]
        assert line.startswith("tasker: "), done
        return line


def on_a_terminal(typist, *arguments, width=80, answers=(), seconds=60, **variables):
    """Run the command on a terminal; *answers*: what is typed, each after a text has appeared.

    Ctrl-C is pressed until it counts, as people do: while a process begins to read, Python only notes it.
    What has not ended after so many seconds is killed.

    Returns:
        The exit status and all that the terminal got.
    """
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(typist.folder)
        os.execvpe(
            COMMAND[0], [*COMMAND, *arguments], environment({"TERM": "xterm-256color", **typist.variables, **variables})
        )
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    got, until, answers = b"", time.monotonic() + seconds, list(answers)
    pressed_at = None
    while time.monotonic() < until:
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                got += os.read(terminal, 65_536)
            except OSError:  # it has ended
                break
        while answers and answers[0][0].encode() in got:
            typed = answers.pop(0)[1].encode()
            os.write(terminal, typed)
            pressed_at = time.monotonic() if typed == CTRL_C else None
        if pressed_at is not None and time.monotonic() - pressed_at > 1:
            os.write(terminal, CTRL_C)
            pressed_at = time.monotonic()
    else:
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    return Done(os.waitstatus_to_exitcode(status), got.decode().replace("\r\n", "\n"), "")
