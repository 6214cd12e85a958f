"""What the pages tell people to type is typed here, and does what they say."""

import contextlib
import itertools
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

from databases import new_database, query
from distributions import installed
from ports import free_port
from tasker.cli.server import sources
from tasker.ids import new_id
from tasker.testing.postgres_server import PostgresServer
from tasker.testing.server import TaskerServer

ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KINDS = {
    ID: "an id",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)": "a time",
    r"everything is paused since \d{4}-\S+Z: tasks are taken, and start after POST /resume": "a note",
    r"\d+\.\d+\.\d+(\.dev\d+)?": "a version",
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


def lasting(shown):
    """Return what a call has shown of a destination, without what changes by itself while it is made."""
    return {name: value for name, value in shown.items() if name not in ("held", "running")}


def until(condition):
    """Return once *condition* holds, or when it has not for a long time."""
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


class Newcomer:
    """Follows a page: types its commands one after the other and compares what is answered with what is shown.

    What starts the server starts one on a free port; what receives webhooks goes on beside the
    rest.
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
                    ["sh", "-c", f"exec {self._here(text)}"],
                    stdout=printed,
                    stderr=subprocess.DEVNULL,
                    env=self._environment(),
                )
            until(self._receives)
        elif text.startswith("kill "):
            shown = json.loads(self.server.log.read_text().splitlines()[-1])
            assert (shown["event"], shown["pid"]) == ("serving", self.server.process.pid)
            self.run(text.replace("4711", str(shown["pid"])))
            assert self.server.process.wait(10) == -9
        elif "curl" not in text:
            self._functions += text
        else:
            answers = [json.loads(self.run(text))]
            if "--json" not in text and "-X" not in text:  # a look, which may come too soon; a POST is made once
                until(lambda: kinds(answers[-1]) == kinds(shown) or answers.append(json.loads(self.run(text))))
            else:
                answers, shown = [lasting(answers[-1])], lasting(shown)
            assert kinds(answers[-1]) == kinds(shown)

    def run(self, text):
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
        return re.sub(r"\b9000\b", str(self._port), text).replace("http://localhost:8080", self.server.url)

    def _environment(self):
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {**os.environ, "PATH": path, "CURL_HOME": str(self.folder)}


@pytest.fixture
def newcomer(tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("needs curl, which the pages use")
    newcomer = Newcomer(tmp_path)
    yield newcomer
    newcomer.close()


@pytest.mark.parametrize(
    "page",
    [
        DOCS / f"{name}.md"
        for name in (
            "a-dead-endpoint",
            "tie-tasks-to-your-own-records",
            "never-twice",
            "many-at-once",
            "do-not-flood-a-receiver",
            "stop-everything",
            "tracing",
            "local-time",
        )
    ],
    ids=name_of,
)
def test_the_commands_of_a_page_do_what_it_says(newcomer, page):
    newcomer.follow(page)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", DOCS / "quickstart.md", ROOT / "packages" / "server" / "README.md"], ids=name_of
)
def test_the_first_steps_work_with_nothing_but_what_is_published(newcomer, page, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(
        sys, "executable", str(installed(tmp_path_factory))
    )  # what starts servers, and what is on the path
    if "make run" not in page.read_text():
        newcomer.server.start()
    newcomer.follow(page)
    if newcomer.receiver is not None:
        assert newcomer.printed.read_text() == "good morning\nstill here\n"


def test_what_the_page_about_finding_shows_is_found(newcomer):
    page = DOCS / "rest" / "finding.md"
    newcomer.server.start()
    newcomer.follow(page)
    (program,) = [text for language, text in blocks(page) if language == "python"]
    printed = subprocess.check_output([sys.executable, "-c", newcomer._here(program)], text=True)
    assert kinds(printed.strip()) == "an id"


def test_the_preview_that_the_page_about_schedules_shows_is_answered(newcomer):
    newcomer.server.start()
    steps = blocks(DOCS / "rest" / "schedules.md")
    ((text, shown),) = [
        (text, shown) for (_, text), (_, shown) in itertools.pairwise(steps) if "/schedules/preview" in text
    ]
    newcomer.type(text, json.loads(shown))


def test_what_the_page_about_operations_shows_happens(newcomer):
    server = newcomer.server.start()
    newcomer.follow(DOCS / "rest" / "operations.md")
    until(lambda: server.call("GET", "/operations")["operations"][0]["state"] == "done")
    assert server.call("GET", "/operations")["operations"][0]["changed"] == 2


def test_what_the_page_about_the_audit_log_shows_is_in_it(newcomer):
    newcomer.server.start()
    task_id = None
    steps = blocks(DOCS / "rest" / "audit.md")
    for (language, text), (next_language, shown) in zip(steps, [*steps[1:], ("", "")], strict=True):
        if language == "sh":
            printed = newcomer.run(f"cd {newcomer.folder}; {re.sub(ID, task_id or '', text)}")
            if next_language == "json":
                answer = json.loads(printed)
                task_id = task_id or answer["id"]
                assert kinds(answer) == kinds(json.loads(newcomer._here(shown)))


def test_what_failed_tonight_is_found_and_tried_again(newcomer):
    newcomer.follow(DOCS / "what-failed-tonight.md")
    until(lambda: len(newcomer.printed.read_text().splitlines()) == 2)
    assert sorted(newcomer.printed.read_text().splitlines()) == ["order 17", "order 18"]


HOW_TO = DOCS / "from-one-node-to-three.md"


@pytest.fixture
def how_to_server():
    """A PostgreSQL server that takes no more connections than the page says three nodes need.

    Those for superusers come on top.
    """
    needed, reserved = int(re.search(r"Three nodes need (\d+)", HOW_TO.read_text())[1]), 3
    with PostgresServer(max_connections=str(needed + reserved)) as server:
        yield server


def test_the_commands_on_the_way_from_one_node_to_three_do_what_the_page_says(newcomer, tmp_path, how_to_server):
    (tmp_path / "keys").write_text("0123456789abcdef")
    here = {
        "db1.example.org:5432": f"127.0.0.1:{how_to_server.port}",
        "10.0.0.": "127.0.0.",
        "/etc/tasker/": f"{tmp_path}/",
    }
    texts = {"sh": [], "sql": [], "json": [], "text": []}
    for language, text in blocks(HOW_TO):
        texts[language].append(re.sub("|".join(map(re.escape, here)), lambda found: here[found[0]], text))
    make_tables, start, look_at_nodes, move = texts["sh"]

    for statement in "".join(texts["sql"]).split(";\n")[:-1]:
        how_to_server.execute(statement)
    waiting = newcomer.server.start().call("POST", "/tasks/new", {"hash": {"delay": "1d", "secret": "x"}})["id"]
    assert newcomer.run(make_tables) == texts["text"][0]
    newcomer.server.stop()

    url, command = re.fullmatch(r"export DATABASE_URL=(\S+)\ntasker (.+)\n", start).groups()
    newcomer.run(f"cd {tmp_path}; export DATABASE_URL={url}; {move}")
    with contextlib.ExitStack() as nodes:
        addresses = {}
        for number in "123":
            options = command.replace("127.0.0.1", f"127.0.0.{number}").split()
            node = nodes.enter_context(TaskerServer(tmp_path, *options, "--database-url", url))
            addresses[node.url] = f"http://127.0.0.{number}:8080"
        answer = newcomer.run(
            "KEY=0123456789abcdef; " + look_at_nodes.replace("http://127.0.0.1:8080", next(iter(addresses)))
        )
        for address, shown in addresses.items():
            answer = answer.replace(address, shown)
        told = [each for each in json.loads(answer) if each["address"]]  # the copy was a node for a moment
        assert kinds(told) == kinds(json.loads(texts["json"][0]))
        moved = node.call("GET", f"/tasks/{waiting}", headers={"authorization": "Bearer 0123456789abcdef"})
        assert moved["hash"]["state"] == "todo"


@pytest.mark.parametrize(("option", "group"), [((), 1), (("--no-listen",), 2)])
def test_a_node_takes_as_many_connections_as_the_page_says(tmp_path, option, group):
    most = int(re.search(r"up to (\d+) connections \((\d+) with `--no-listen`\)", HOW_TO.read_text())[group])
    url = new_database()
    sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tasker' AND datname = current_database()"
    ours = 1
    with TaskerServer(tmp_path, "--database-url", url, "--pbkdf2-iterations", "1000", *option) as server:
        new = server.call("POST", "/tasks/new", {"hash": {"execution_time": in_a_moment(), "secret": "x"}})
        until(lambda: server.call("GET", f"/tasks/{new['id']}")["hash"]["state"] == "done")
        for _ in range(3):
            server.call("GET", "/tasks/state/done")
        until(lambda: query(url, sql)[0][0] - ours == most)
        assert query(url, sql)[0][0] - ours == most


def in_a_moment():
    return (datetime.now(UTC) + timedelta(seconds=0.2)).isoformat()


def test_the_task_type_of_the_page_runs(newcomer, tmp_path, monkeypatch):
    page = DOCS / "task-types.md"
    project, command = (dict(blocks(page))[language] for language in ("toml", "sh"))
    code, pulled = (text for language, text in blocks(page) if language == "python")
    exec(compile(pulled, "task-types.md", "exec"), {})
    (group, points), *_ = tomllib.loads(project)["project"]["entry-points"].items()
    installed = tmp_path / "site" / "tasker_commands-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: tasker-commands\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(
        f"[{group}]\n" + "".join(f"{name} = {at}\n" for name, at in points.items())
    )
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


def test_the_changes_of_a_task_that_are_shown_are_made(newcomer):
    server = newcomer.server.start()
    text = (DOCS / "rest" / "tasks.md").read_text().partition("\n## Change a task\n")[2].partition("\n## ")[0]
    commands = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    asked = {"url": "https://example.org/hook", "body": "x", "on_failure": "https://example.org/failed"}
    task_id = server.call("POST", "/tasks/new", {"webhook": {"delay": "1h", "headers": {"x-key": "x"}, **asked}})["id"]

    shown = [json.loads(newcomer.run(re.sub(ID, task_id, command)))["webhook"] for command in commands]

    assert len(shown) == 3
    assert shown[0]["retry"] == {"max_attempts": 3}
    assert "on_failure" not in shown[0]
    assert shown[1]["headers"] == {"authorization": "Bearer new"}
    assert shown[2]["body"] == "new"
    assert server.call("GET", f"/tasks/{task_id}")["webhook"] == shown[2]


@pytest.mark.parametrize("page", ["tasks.md", "webhooks.md"])
def test_the_creates_of_the_rest_pages_are_taken(newcomer, page):
    commands = [text for language, text in blocks(DOCS / "rest" / page) if language == "sh" and "/tasks/new" in text]
    newcomer.server.start()

    assert commands
    for text in commands:
        command = re.sub(ID, new_id(time.time_ns() // 1_000), text)  # the id of a new task is one of today
        answers = [newcomer.run(command).splitlines() for _ in range(2)]
        first, second = (json.loads(answer[-1]) for answer in answers)
        named = {"outcome": "created"} if '"id"' in command or '"key"' in command else {}
        assert kinds(first) == {"id": "an id", "execution_time": "a time"} | named
        if named:
            assert (second["id"], second["outcome"]) == (first["id"], "replaced" if "debounce" in command else "kept")
        if "Idempotency-Key" in command:
            assert answers[0][-1] == answers[1][-1]
            assert "idempotency-replayed: true" in answers[1]


def test_the_batches_of_the_page_are_taken(newcomer):
    commands = [
        text for language, text in blocks(DOCS / "rest" / "tasks.md") if language == "sh" and "/tasks/batch" in text
    ]
    tasks = newcomer.folder / "tasks.ndjson"
    tasks.write_text('{"hash": {"delay": "1h", "secret": "x"}}\n' * 2)
    newcomer.server.start()

    answers = [json.loads(newcomer.run(command.replace("@tasks.ndjson", f"@{tasks}"))) for command in commands]

    assert kinds(answers) == [
        {"tasks": [{"id": "an id"}, {"id": "an id", "outcome": "created"}]},
        {"tasks": [{"id": "an id"}, {"id": "an id"}]},
    ]


def test_the_duplicate_that_is_shown_is_made(newcomer):
    steps = blocks(DOCS / "rest" / "tasks.md")
    ((command, shown),) = [
        (text, answer)
        for (language, text), (_, answer) in itertools.pairwise(steps)
        if language == "sh" and "/duplicate" in text
    ]
    server = newcomer.server.start()
    server.call("POST", "/tasks/new", {"hash": {"delay": "1h", "secret": "x", "key": "order-17"}})
    assert kinds(json.loads(newcomer.run(command))) == kinds(json.loads(shown))


def test_the_file_of_settings_that_is_shown_can_be_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ((_, text),) = [block for block in blocks(DOCS / "configuration.md") if block[0] == "toml"]
    keys = next(
        shown for language, shown in blocks(DOCS / "configuration.md") if shown.startswith("# those who may call")
    )
    (tmp_path / "keys").write_text(keys)
    (tmp_path / "tasker.toml").write_text(text.replace("/etc/tasker/keys", "keys"))

    settings = sources.load({}, {})

    assert (settings.listen_ip, settings.max_deliveries, settings.grace_period) == ("::", 500, timedelta(seconds=10.5))
    assert settings.keep_done == timedelta(days=2)
    assert len(settings.api_keys) == 2
