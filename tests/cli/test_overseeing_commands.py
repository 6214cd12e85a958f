"""The commands about the service as a whole, against a real server."""

import uuid

import pytest

from databases import new_database, query
from polling import until
from tasker.testing.server import TaskerServer


@pytest.fixture(scope="module")
def url():
    return new_database()


@pytest.fixture(scope="module")
def server(url, tmp_path_factory):
    with TaskerServer(tmp_path_factory.mktemp("server"), "--database-url", url) as running:
        yield running


@pytest.fixture
def tasker(typist, server):
    return typist(server.url)


def test_all_is_paused_and_goes_on(tasker):
    paused = tasker.done("pause").json
    assert paused["paused"]
    assert "everything, since " in tasker.done("stats", "--output", "table").out
    assert tasker.done("pause", "--output", "table").out.startswith("paused  everything, since ")
    task = tasker.done("add", "job", "--queue", "q", "--at", "now", "--quiet").out.strip()
    assert "everything is paused" in tasker.done("explain", task).out
    assert tasker.done("resume").json == {"paused": False, "paused_at": None}
    assert tasker.done("resume", "--output", "table").out == "paused  no\n"


def test_the_nodes_of_the_database_are_listed(tasker, server):
    assert [each["address"] for each in tasker.done("nodes").lines] == [server.url]
    assert server.url in tasker.done("nodes", "--output", "table").out


def test_changes_are_found_by_what_they_changed(tasker):
    task = tasker.done("add", "job", "--queue", "q", "--in", "30d", "--quiet").out.strip()
    tasker.done("cancel", task)
    assert [row["action"] for row in tasker.done("audit", "--subject", task).lines] == ["cancel"]
    assert tasker.done("audit", "--subject", task, "--before", "2d ago").lines == []
    assert len(tasker.done("audit", "--limit", "1").lines) == 1
    assert task in tasker.done("audit", "--kind", "task", "--action", "cancel", "--output", "table").out
    assert "--after" in tasker.refused(2, "audit", "--after", "soon")
    assert "--kind" in tasker.refused(2, "audit", "--kind", "tusk")


def test_refused_rows_of_the_inbox_are_listed_tried_again_and_deleted(tasker, url):
    assert "the inbox is empty" in tasker.done("inbox", "ls", "--output", "table").err
    row = tasker.done("add", "job", "--queue", "q", "--in", "30d", "--quiet").out.strip()  # an id that is taken
    query(url, f"INSERT INTO tasker_inbox (id, request) VALUES ('{row}', '{{\"job\": {{}}}}')")
    until(lambda: '"refused"' in tasker.done("inbox", "ls").out, "the row is refused")
    (refused,) = tasker.done("inbox", "ls").lines
    assert refused["id"] == row
    assert refused["error"] in tasker.done("inbox", "ls", "--output", "table").out
    tried = tasker.done("inbox", "retry", row)
    assert (tried.err, tried.lines) == (f"tried again: {row}\n", [{"id": row, "retried": True}])
    assert [each["action"] for each in tasker.done("audit", "--kind", "inbox", "--subject", row).lines] == ["retry"]
    deleted = tasker.done("inbox", "rm", row, "--output", "table")
    assert (deleted.err, deleted.out) == (f"deleted: {row}\n", "")
    assert tasker.done("inbox", "ls").lines == []
    assert "inbox" in tasker.refused(3, "inbox", "rm", str(uuid.uuid4()))
