"""What the page about events has people type shows what it says."""

import contextlib
import json
import shlex
import subprocess

import pytest
from pages import DOCS, blocks, code, table

from tasker.model.event import EventChange, EventKind
from tasker.testing.server import TaskerServer

PAGE = DOCS / "watch-what-happens.md"
REST = DOCS / "rest" / "events.md"


def typed(server):
    """The lines of the page that begin with curl, with the address of *server*."""
    lines = [text.strip() for language, text in blocks(PAGE) if language == "sh" and text.startswith("curl")]
    return [shlex.split(line.replace("http://localhost:8080", server.url)) for line in lines]


@contextlib.contextmanager
def watching(command):
    """Run a command that does not end; it yields the events that come, each as its name and its data."""
    with subprocess.Popen(
        [*command, "--no-progress-meter", "--max-time", "60"], stdout=subprocess.PIPE, text=True
    ) as curl:

        def events():
            members = {}
            for line in curl.stdout:
                name, _, value = line.rstrip("\n").partition(": ")
                if line == "\n":
                    yield members.get("event", "opening"), json.loads(members.get("data", "null"))
                    members = {}
                members[name] = value

        yield events()
        curl.kill()


def test_the_commands_show_what_the_page_says(tmp_path):
    with TaskerServer(tmp_path) as server:
        watch, create, failed, of_customer, resume = typed(server)
        with watching(watch) as shown, watching(failed) as failures, watching(of_customer) as others:
            for each in (shown, failures, others):
                assert next(each) == ("opening", None)
            subprocess.run(create, check=True, stdout=subprocess.DEVNULL)
            told = [next(shown) for _ in range(3)]
            assert [event for event, _ in told] == ["created", "started", "ended"]
            assert [data["tags"] for _, data in told] == [["demo"]] * 3
            for event, data in (told[-1], next(failures)):
                assert (event, data["state"], data["code"]) == ("ended", "failed", "connect_refused")
            server.call(
                "POST",
                "/tasks/new",
                {"webhook": {"delay": "1h", "url": "http://localhost:9/", "tags": ["customer:42"]}},
            )
            assert next(others)[1]["tags"] == ["customer:42"]
            with watching(resume) as resumed:
                assert [next(resumed)[0], next(resumed)[0]] == ["opening", "reset"]


@pytest.mark.parametrize(("words", "column"), [(EventKind, 0)])
def test_every_kind_of_event_is_described(words, column):
    assert [code(row[column])[0] for row in table(REST, "## Read events")] == [word.value for word in words]


def test_every_change_is_described():
    row = next(row for row in REST.read_text().splitlines() if row.startswith("| `change` |"))
    assert set(code(row)) - {"change"} == {change.value for change in EventChange}
