"""The server tells systemd how it is: when it has started, while it gets on, and when it stops."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from command import COMMAND, environment, run, serving
from structlog.testing import capture_logs

from polling import until
from tasker.cli.server.service_manager import ServiceManager
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

HANGS = """
import asyncio, sys
from tasker.stores.sqlite.store import SqliteStore
claim_due = SqliteStore.claim_due
looks = 0

async def hang(store, free):
    global looks
    looks += 1
    if looks > 3:
        await asyncio.Event().wait()
    return await claim_due(store, free)

SqliteStore.claim_due = hang
from tasker.cli.root import main
sys.argv = ["tasker", "--listen-port", "0"]
main()
"""
"""A server whose delay queue waits for ever in its fourth look."""


class Systemd:
    """The end of the socket at which systemd would listen."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self.socket.settimeout(20)
        self.variables = {"NOTIFY_SOCKET": address}

    def heard(self):
        """Return the next message, as its members; wait for it."""
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def heard_up_to(self, name):
        """Return the messages up to the first one that has a member of this name."""
        messages = [self.heard()]
        while name not in messages[-1]:
            messages.append(self.heard())
        return messages

    def has_more(self):
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            return self.heard()
        return None


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path):
    address = str(tmp_path / "notify") if request.param == "path" else f"@tasker-test-{os.getpid()}-{id(tmp_path)}"
    systemd = Systemd(address)
    with contextlib.closing(systemd.socket):
        yield systemd


@pytest.fixture
def at_a_path(tmp_path):
    systemd = Systemd(str(tmp_path / "notify"))
    with contextlib.closing(systemd.socket):
        yield systemd


def test_systemd_hears_when_the_server_has_started_and_when_it_stops_and_for_how_long(tmp_path, systemd):
    options = ["--listen-port", "0", "--grace-period", "50"]
    with serving(tmp_path, *options, variables=systemd.variables) as server:
        assert systemd.heard() == {"STATUS": "Starting: it waits until it has its database"}
        assert systemd.heard() == {"READY": "1", "STATUS": f"Listening on http://127.0.0.1:{server.port}"}
        assert server.stop() == (0, "")
        stopping = systemd.heard()
    assert stopping == {
        "STOPPING": "1",
        "EXTEND_TIMEOUT_USEC": "65000000",
        "STATUS": "Stopping: running attempts have 50 s",
    }
    assert systemd.has_more() is None


def test_the_watchdog_is_fed_from_the_start_to_the_end(tmp_path, at_a_path):
    variables = {**at_a_path.variables, "WATCHDOG_USEC": "300000"}
    with serving(tmp_path, "--listen-port", "0", variables=variables) as server:
        at_a_path.heard_up_to("READY")
        for _ in range(5):
            assert at_a_path.heard() == {"WATCHDOG": "1"}
        server.process.send_signal(signal.SIGTERM)
        between = at_a_path.heard_up_to("STOPPING")[:-1]
        assert all(message == {"WATCHDOG": "1"} for message in between)
        server.process.wait(20)


def test_a_server_whose_delay_queue_hangs_does_not_feed_the_watchdog_and_says_so(tmp_path, at_a_path):
    log = tmp_path / "stderr.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", HANGS],
            cwd=tmp_path,
            env=environment({**at_a_path.variables, "WATCHDOG_USEC": "600000"}),
            stderr=file,
            stdout=subprocess.DEVNULL,
        )
    try:
        at_a_path.heard_up_to("READY")
        assert at_a_path.heard() == {"WATCHDOG": "1"}
        until(lambda: "hangs" in log.read_text(), "the job that hangs is named", seconds=30)
        (said,) = (line for line in log.read_text().splitlines() if "hangs" in line)
        assert json.loads(said)["job"] == "delay queue"
        while at_a_path.has_more():  # from the time in which it could still have been slow
            pass
        at_a_path.socket.settimeout(1.5)
        with pytest.raises(TimeoutError):
            at_a_path.heard()
        process.send_signal(signal.SIGABRT)  # as systemd does
        assert process.wait(20) == -signal.SIGABRT
        rest = log.read_text()
        assert "Fatal Python error: Aborted" in rest
        assert 'File "' in rest, "where each thread was"
    finally:
        process.kill()
        process.wait()


def test_what_the_server_starts_does_not_hear_of_the_service_manager():
    variables = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    manager = ServiceManager.of(variables)
    assert variables == {"A": "b"}
    assert manager.watchdog == timedelta(seconds=30)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"WATCHDOG_USEC": "30000000"},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "30000000"},
        {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "soon"},
    ],
)
async def test_without_a_watchdog_that_is_meant_for_this_process_none_is_fed(variables):
    manager = ServiceManager.of(dict(variables))
    assert manager.watchdog is None
    await manager.feed(lambda _: None, ManualClock())  # returns


@pytest.mark.parametrize(
    "variables", [{"NOTIFY_SOCKET": "vsock:2:1234"}, {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "-1"}]
)
def test_what_cannot_be_used_is_said(variables):
    with capture_logs() as logs:
        ServiceManager.of(dict(variables))
    (entry,) = logs
    assert entry["log_level"] == "warning"
    assert "vsock" not in entry["event"]


def test_a_service_manager_that_does_not_listen_keeps_no_server_from_serving(tmp_path):
    with serving(tmp_path, "--listen-port", "0", variables={"NOTIFY_SOCKET": str(tmp_path / "gone")}) as server:
        assert server.call("GET", "/readyz")[0] == 200
    assert "cannot tell the service manager" in server.stderr.read_text()


def test_a_start_that_is_refused_is_not_ready(tmp_path, at_a_path):
    run(tmp_path, "--database-url", "sqlite:/nowhere/tasks.db", variables=at_a_path.variables, command=COMMAND)
    assert "READY" not in at_a_path.heard()
    assert at_a_path.has_more() is None
