"""The Python of the page does what the page says, from top to bottom, against a real server."""

import contextlib
import io

import pytest
from pages import DOCS, blocks

import tasker
from tasker.testing.server import TaskerServer

PAGE = DOCS / "python-client.md"


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the page prints, by lines, and the names that it defines at the end. Its key lets the test in."""
    printed, names = io.StringIO(), {"__name__": "page"}
    programs = [text for language, text in blocks(PAGE) if language == "python"]
    options = ("--public-url", "http://localhost:8080")
    with TaskerServer(tmp_path_factory.mktemp("server"), *options) as server, pytest.MonkeyPatch.context() as patched:
        patched.setenv("TASKER_URL", server.url)
        patched.delenv("TASKER_KEY", raising=False)
        # The first key must be one that may make others: from then on, keys are asked for.
        admin = tasker.Client().keys.create("admin", role="admin").key
        patched.setenv("TASKER_KEY", admin)
        with contextlib.redirect_stdout(printed):
            for place, text in enumerate(programs):
                if "client.events" in text:
                    _make_an_event_soon(names["client"])
                exec(compile(text, f"block {place}", "exec"), names)
        left = list(names["client"].find(summary=True))
        yield printed.getvalue().splitlines(), names, left, list(names["client"].keys.find())


def _make_an_event_soon(client):
    for _ in range(3):
        client.create("hash", {"secret": "x"}, delay=1)


def test_the_page_runs_from_top_to_bottom(said):
    lines, names, *_ = said
    assert names["task"].outcome == "created"
    assert [line for line in lines if line.startswith("there is one already")] == [
        f"there is one already: {names['task'].id}"
    ]
    assert any(line.startswith("task_not_found 404 there is no task") for line in lines)
    assert "3 tasks are there" in lines
    assert "True" in lines, "the asynchronous client finds what it made"


def test_what_the_page_makes_is_there(said):
    _, names, left, keys = said
    by_key = {task.key: task for task in left if task.key}
    assert by_key["order-17"].state == "cancelled"
    assert by_key["reminder-1"].fields["tags"] == ["customer:42"]
    assert "reindex" not in by_key, "it was deleted in the end"
    (job,) = names["client"].find(queue="reports")
    assert (job.state, job.result) == ("done", {"pages": len("{'customer': 42}")})
    assert [key.name for key in keys] == ["admin", "a colleague who looks"]


def test_the_page_shows_what_it_says(said):
    lines, names, *_ = said
    assert names["ended"].state == "done"
    assert names["ended"].result.startswith("$pbkdf2-sha256$")
    assert "0 of 1 would be cancelled" not in lines
    assert "1 of 1 would be cancelled" in lines
    assert any(line.startswith("At 09:00 on Monday through Friday.") for line in lines)
    assert any(line.startswith("ended ") and line.endswith("done") for line in lines)
