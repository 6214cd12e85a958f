"""The programs that how-tos show do what the pages say."""

import sqlite3
from uuid import UUID

import pytest
from pages import DOCS, blocks

from tasker.testing.server import TaskerServer


def program(page):
    """Return the names that the Python of a page defines."""
    names = {}
    for language, text in blocks(DOCS / f"{page}.md"):
        if language == "python":
            exec(compile(text, page, "exec"), names)
    return names


def test_a_create_that_names_its_id_makes_one_task_however_often_it_is_sent(tmp_path):
    shown = program("never-twice")
    task_id = shown["new_id"]()
    webhook = {"id": task_id, "delay": "1h", "url": "http://localhost:9000/hook", "body": "x"}

    with TaskerServer(tmp_path) as server:
        ids = {shown["create"](server.url, webhook) for _ in range(3)}

        assert UUID(task_id).version == 7
        assert ids == {task_id}
        assert len(server.call("GET", "/tasks/state/todo")) == 1


@pytest.mark.parametrize("is_first_lost", [False, True])
def test_the_receiver_of_the_page_does_its_work_once(is_first_lost):
    handle = program("never-twice")["handle"]
    database = sqlite3.connect(":memory:")
    database.executescript(
        "CREATE TABLE handled (webhook_id PRIMARY KEY);"
        "CREATE TABLE orders (id, reminded); INSERT INTO orders VALUES (17, 0);"
    )
    if is_first_lost:
        database.execute("ALTER TABLE orders RENAME TO away")
        with pytest.raises(sqlite3.OperationalError):
            handle(database, "a", 17)
        database.execute("ALTER TABLE away RENAME TO orders")

    assert [handle(database, "a", 17) for _ in range(3)] == [True, False, False]
    assert database.execute("SELECT reminded FROM orders").fetchone() == (1,)


def test_the_pages_are_followed_to_the_last_one(tmp_path):
    find = program("many-at-once")["find"]
    with TaskerServer(tmp_path) as server:
        tasks = [
            {"webhook": {"delay": "1h", "url": "http://localhost:9000/hook", "body": "x", "tags": ["import:7"]}}
            for _ in range(1_100)
        ]
        made = [each["id"] for each in server.call("POST", "/tasks/batch", tasks)["tasks"]]

        found = list(find(server.url, tag="import:7", fields="summary"))

    assert sorted(each["webhook"]["id"] for each in found) == sorted(made)
