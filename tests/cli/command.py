"""The real command in a process of its own, in a folder and an environment that the test decides."""

import contextlib
import http.client
import json
import os
import re
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

COMMAND = [sys.executable, "-m", "tasker"]
OURS = ("DATABASE_URL", "LISTEN_IP", "LISTEN_PORT", "LOG_LEVEL", "RUST_LOG")


def environment(variables=None):
    """Return the environment without settings of tasker, and with *variables*."""
    others = {name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("TASKER_")}
    return {**others, **(variables or {})}


def run(folder, *arguments, variables=None, toml=None, longest_file=None, command=COMMAND):
    """Run the command to its end, which must come soon. *longest_file*: bytes beyond which no file can be written."""
    if toml is not None:
        (folder / "tasker.toml").write_text(toml)

    def limit_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (longest_file, longest_file))

    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=None if longest_file is None else limit_files,
    )


def refusal(done, status):
    """Check that the command refused with *status* and one line, and return the line."""
    assert done.returncode == status, done
    return one_line_of(done.stdout, done.stderr)


def one_line_of(stdout, stderr):
    """Check that all that was printed is one complaint, and return it."""
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert line.startswith("tasker: ")
    return line


class Running:
    """A server that runs. ``first_line`` is what it said on standard output first, ``stderr`` the file of its log."""

    def __init__(self, process, stderr):
        self.process, self.stderr = process, stderr
        self.first_line = process.stdout.readline()
        found = re.search(r"http://(.+):(\d+)", self.first_line)
        assert found, stderr.read_text()
        self.ip, self.port = found[1].strip("[]"), int(found[2])

    def call(self, method, path, body=None, headers=None):
        """Return the status and the bytes of an answer. *body*: bytes as they are, or an object that becomes JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.ip, self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, data, {"content-type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def stop(self, number=signal.SIGTERM):
        """Send it a signal, and return its exit status and the rest of its standard output."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=60)
        return self.process.returncode, rest


@contextlib.contextmanager
def serving(folder, *arguments, variables=None, command=COMMAND, stderr=None):
    """Run a server until the block ends."""
    log = folder / "stderr.txt"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=folder,
            env=environment(variables),
            stdout=subprocess.PIPE,
            stderr=file if stderr is None else stderr,
            text=True,
        )
    try:
        yield Running(process, log)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def soon(seconds=0.3):
    """Return a time that is almost here, as requests write it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
