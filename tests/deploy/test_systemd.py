"""The unit of ``deploy/systemd``: systemd understands it, it is confined, and tasker works within it."""

import json
import re
import shutil
import socket
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest
import sandbox

from tasker.cli.server.service_manager import _SPARE
from tasker.cli.server.settings import SETTINGS
from tasker.config import Settings
from tasker.engine.delay_queue import LONGEST_SLEEP
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

DEPLOY = Path(__file__).parents[2] / "deploy" / "systemd"
UNIT = DEPLOY / "tasker.service"
WORST = 2.0
"""The exposure by ``systemd-analyze security`` that the unit may have."""

SHOP = """
import tasker

app = tasker.App()


@app.task("add")
def add(one: int, two: int) -> int:
    return one + two
"""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here; .ci/run installs systemd"
)


class Unit(RawConfigParser):
    """What a unit says: of a name that is there twice, all values, one a line."""

    def __init__(self, path):
        class Many(dict):
            def __setitem__(self, name, value):
                super().__setitem__(name, [*self[name], *value] if name in self and isinstance(value, list) else value)

        super().__init__(strict=False, dict_type=Many, comment_prefixes=("#",), delimiters=("=",))
        self.optionxform = str
        self.read_string(path.read_text())


@pytest.fixture(scope="module")
def service():
    return Unit(UNIT)["Service"]


def seconds(text):
    return float(re.fullmatch(r"(\d+)s", text)[1])


def analyze(*arguments):
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    unit = tmp_path / UNIT.name
    command = Path(sys.executable).with_name("tasker")
    unit.write_text(UNIT.read_text().replace("/opt/tasker/bin/tasker", str(command)))
    verified = analyze("verify", unit)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


@needs_systemd
def test_the_unit_exposes_little():
    judged = analyze("security", "--offline=true", f"--threshold={round(WORST * 10)}", UNIT)
    assert judged.returncode == 0, judged.stdout
    (exposure,) = re.findall(r"Overall exposure level for tasker.service: ([\d.]+)", judged.stdout)
    assert float(exposure) <= WORST


def test_the_times_of_the_unit_go_with_those_of_tasker(service):
    grace = Settings().grace_period
    assert seconds(service["TimeoutStopSec"]) >= (grace + _SPARE).total_seconds()
    assert seconds(service["WatchdogSec"]) >= 10 * LONGEST_SLEEP, "jobs that look every second have time to spare"
    assert service["Type"] == "notify"


def test_the_command_and_the_settings_of_the_unit_exist(service):
    assert service["ExecStart"].split()[1:3] == ["serve", "--config"]
    variables = dict(line.split("=", 1) for line in service["Environment"].splitlines())
    known = {variable for setting in SETTINGS for variable in setting.variables or (f"TASKER_{setting.name.upper()}",)}
    assert variables.keys() <= known
    credentials = dict(line.split(":", 1) for line in service["LoadCredential"].splitlines())
    assert {path.removeprefix("%d/") for path in variables.values()} | {"tasker.toml"} == credentials.keys()
    assert service["ExecStart"].endswith("${CREDENTIALS_DIRECTORY}/tasker.toml")
    assert {str(Path(path).parent) for path in credentials.values()} == {"/etc/tasker"}
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    assert f"sqlite:{service['WorkingDirectory']}/" in (DEPLOY / "tasker.toml").read_text()
    assert service["RestartPreventExitStatus"] == "2"


@needs_systemd
def test_tasker_works_with_the_system_calls_sockets_and_memory_that_the_unit_allows(tmp_path, service, monkeypatch):
    allowed = set()
    for said in service["SystemCallFilter"].splitlines():
        named = calls_of(said.lstrip("~"))
        allowed = allowed - named if said.startswith("~") else allowed | named
    families = [int(getattr(socket, family)) for family in service["RestrictAddressFamilies"].split()]
    assert "setuid" not in allowed
    confined = [sys.executable, sandbox.__file__, json.dumps({"calls": sorted(allowed), "families": families})]
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(30)
    (tmp_path / "shop.py").write_text(SHOP)
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **more: start([*confined, *command], **more))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with WebhookReceiver() as receiver, TaskerServer(tmp_path, "--app", "shop:app") as server:
        while b"READY=1" not in notify.recv(4096):
            pass
        tasks = [
            {"webhook": {"delay": 0, "url": receiver.url("/").replace("127.0.0.1", "localhost")}},
            {"hash": {"delay": 0, "secret": "x"}},
            {"add": {"delay": 0, "args": {"one": 1, "two": 2}}},
        ]
        ends = [server.client.wait(server.call("POST", "/tasks/new", task)["id"], timeout=30) for task in tasks]
        assert [ended.state for ended in ends] == ["done", "done", "done"]
        assert ends[2].result == 3
        assert server.stop() == 0
    notify.close()
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line for line in lines if line["level"] in ("warning", "error")] == []


@needs_systemd
@pytest.mark.parametrize(
    ("program", "is_refused"),
    [
        ("import socket; socket.socket(socket.AF_UNIX)", False),
        ("import socket; socket.socket(socket.AF_PACKET)", True),
        ("import os; os.chroot('/')", True),
    ],
)
def test_what_is_not_allowed_is_refused_in_that_test(program, is_refused):
    confined = {"calls": sorted(calls_of("@system-service") - calls_of("@privileged")), "families": [1, 2]}
    done = subprocess.run(
        [sys.executable, sandbox.__file__, json.dumps(confined), sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ("PermissionError" in done.stderr) is is_refused, done


def calls_of(group):
    """Return the system calls of a group, as this machine's systemd knows them."""
    if not group.startswith("@"):
        return {group}
    calls = set()
    for line in analyze("syscall-filter", group).stdout.splitlines()[1:]:
        name = line.strip()
        if name and not name.startswith("#"):
            calls |= calls_of(name)
    return calls
