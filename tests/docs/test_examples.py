"""What the pages tell people to type is typed here, and does what they say."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError

import pytest
from pages import DOCS, ROOT, blocks, name_of

from tasker.cli import sources
from tasker.testing.server import TaskerServer

KINDS = {
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "an id",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)": "a time",
    r"\$pbkdf2-sha256\$i=600000,l=32\$[\w+/]{22}\$[\w+/]{43}": "a hash",
}


def kinds(value):
    """Return JSON with what is different each time replaced by what it is."""
    match value:
        case dict():
            return {key: kinds(part) for key, part in value.items()}
        case list():
            return [kinds(part) for part in value]
        case float():
            return "a number"
        case str():
            return next((kind for pattern, kind in KINDS.items() if re.fullmatch(pattern, value)), value)
        case _:
            return value


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def until(condition):
    """Return once *condition* holds, or when it has not for a long time."""
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


class Newcomer:
    """Follows a page: types its commands one after the other and compares what is answered with what is shown.

    What starts the server starts one on a free port; what receives webhooks goes on beside the rest.
    """

    def __init__(self, folder):
        self.server = TaskerServer(folder)
        self.folder = folder
        self.receiver = None
        self.printed = folder / "printed.txt"
        """What the receiver has printed."""
        self._port = free_port()
        self._functions = ""
        (folder / ".curlrc").write_text("silent\nshow-error\n")

    def follow(self, page):
        steps = blocks(page)
        for (language, text), (next_language, shown) in zip(steps, [*steps[1:], ("", "")], strict=True):
            if language == "sh":
                self.type(text, json.loads(self._here(shown)) if next_language == "json" else {"id": "an id"})

    def type(self, text, shown):
        if text == "make run\n":
            self.server.start()
        elif "http.server" in text:
            with self.printed.open("w") as printed:
                self.receiver = subprocess.Popen(
                    ["sh", "-c", f"exec {self._here(text)}"], stdout=printed, stderr=subprocess.DEVNULL, env=self._environment()
                )
            until(self._receives)
        elif text.startswith("kill "):
            self.run(text)
            assert self.server.process.wait(10) == -9
        elif "curl" not in text:
            self._functions += text
        else:
            answers = [json.loads(self.run(text))]
            if "--json" not in text:  # a look, which may come too soon
                until(lambda: kinds(answers[-1]) == kinds(shown) or answers.append(json.loads(self.run(text))))
            assert kinds(answers[-1]) == kinds(shown)

    def run(self, text):
        self._write_pgrep()
        hurried = re.sub(r"(?<=soon )\d+", lambda seconds: str(min(int(seconds[0]), 3)), text)
        command = self._functions + self._here(hurried)
        return subprocess.run(
            ["sh", "-c", command], env=self._environment(), stdout=subprocess.PIPE, text=True, timeout=60, check=True
        ).stdout

    def close(self):
        self.server.kill()
        if self.receiver is not None:
            self.receiver.kill()
            self.receiver.wait()

    def _receives(self):
        with socket.socket() as calling:
            return calling.connect_ex(("127.0.0.1", self._port)) == 0

    def _here(self, text):
        """Replace the ports that pages speak of by those that are free here."""
        return text.replace("http://localhost:8080", self.server.url).replace("9000", str(self._port))

    def _environment(self):
        path = os.pathsep.join([str(self.folder), str(Path(sys.executable).parent), os.environ["PATH"]])
        return {**os.environ, "PATH": path, "CURL_HOME": str(self.folder)}

    def _write_pgrep(self):
        """Let ``pgrep`` find this server, and no other one on the machine."""
        pgrep = self.folder / "pgrep"
        pgrep.write_text(f"#!/bin/sh\necho {self.server.process.pid}\n")
        pgrep.chmod(0o700)


@pytest.fixture
def newcomer(tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("needs curl, which the pages use")
    newcomer = Newcomer(tmp_path)
    yield newcomer
    newcomer.close()


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "quickstart.md"], ids=name_of)
def test_the_commands_of_a_page_do_what_it_says(newcomer, page):
    newcomer.follow(page)
    if newcomer.receiver is not None:
        assert newcomer.printed.read_text() == "good morning\nstill here\n"


def in_a_moment():
    return (datetime.now(UTC) + timedelta(seconds=0.2)).isoformat()


def test_the_task_type_of_the_page_runs(newcomer, tmp_path, monkeypatch):
    page = DOCS / "task-types.md"
    code, project, command = (dict(blocks(page))[language] for language in ("python", "toml", "sh"))
    (group, points), *_ = tomllib.loads(project)["project"]["entry-points"].items()
    installed = tmp_path / "site" / "tasker_commands-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: tasker-commands\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[{group}]\n" + "".join(f"{name} = {at}\n" for name, at in points.items()))
    (installed.parent / "tasker_commands.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(installed.parent))
    server = newcomer.server.start()

    assert kinds(json.loads(newcomer.run(command))) == {"id": "an id"}
    new = server.call("POST", "/tasks/new", {"command": {"execution_time": in_a_moment(), "command": "greet"}})
    with pytest.raises(HTTPError) as refused:
        server.call("POST", "/tasks/new", {"command": {"execution_time": in_a_moment(), "command": "rm"}})
    until(lambda: server.call("GET", "/tasks/state/done"))

    assert server.call("GET", f"/tasks/{new['id']}")["command"]["result"] == "good morning\n"
    assert json.load(refused.value)["field"] == "command.command"
    assert len(server.call("GET", "/tasks/type/command")) == 2


def test_a_backup_of_a_running_server_is_its_database(newcomer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server = newcomer.server.start()
    body = {"webhook": {"execution_time": "2126-02-10T16:30:00+01:00", "url": "http://localhost:9000/hook", "body": "x"}}
    for _ in range(3):
        server.call("POST", "/tasks/new", body)
    stored = server.call("GET", "/tasks/type/webhook")

    (command,) = [text for language, text in blocks(DOCS / "concepts" / "durability.md") if language == "sh"]
    newcomer.run(command)

    backup = tmp_path / "backup.db"
    assert backup.stat().st_mode & 0o777 == 0o600
    (tmp_path / "restored").mkdir()
    backup.rename(tmp_path / "restored" / "tasks.db")
    server.call("POST", "/tasks/new", body)
    with TaskerServer(tmp_path / "restored") as restored:
        assert restored.call("GET", "/tasks/type/webhook") == stored


def test_the_file_of_settings_that_is_shown_can_be_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ((_, text),) = [block for block in blocks(DOCS / "configuration.md") if block[0] == "toml"]
    keys = next(shown for language, shown in blocks(DOCS / "configuration.md") if shown.startswith("# those who may call"))
    (tmp_path / "keys").write_text(keys)
    (tmp_path / "tasker.toml").write_text(text.replace("/etc/tasker/keys", "keys"))

    settings = sources.load({}, {})

    assert (settings.listen_ip, settings.max_deliveries, settings.grace_period) == ("::", 500, timedelta(seconds=10.5))
    assert settings.keep_done == timedelta(days=2)
    assert len(settings.api_keys) == 2
