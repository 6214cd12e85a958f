"""What the page of the PostgreSQL inbox shows is what happens."""

import asyncio
import time

import psycopg
import pytest
import sqlalchemy
from pages import DOCS, blocks
from sqlalchemy.orm import Session

from databases import execute, new_database
from tasker.client.calls.tasks import new_id
from tasker.testing.server import TaskerServer

PAGE = DOCS / "postgresql-inbox.md"
SHOWN_ID = "01a20f5f-cad1-7ddf-9a84-7874a503bf14"


def texts(language):
    return [text for each, text in blocks(PAGE) if each == language]


@pytest.fixture(scope="module")
def url():
    return new_database()


@pytest.fixture(scope="module")
def server(url, tmp_path_factory):
    with TaskerServer(tmp_path_factory.mktemp("inbox"), "--database-url", url) as server:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE orders (id int, state text); INSERT INTO orders VALUES (17, 'new')")
        yield server


def found(server, task_id):
    """The task, once it is there."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        for each in server.call("GET", "/tasks?limit=100")["tasks"]:
            ((_, task),) = each.items()
            if task["id"] == task_id:
                return each
        time.sleep(0.02)
    raise AssertionError(server.call("GET", "/inbox"))


def test_the_sql_makes_a_task_and_the_role_needs_no_more_rights(server, url):
    task_id = new_id()
    place, grant, mend = (text.replace(SHOWN_ID, task_id) for text in texts("sql"))
    role = f"shop_{url[-8:]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN; GRANT UPDATE, SELECT ON orders TO {role}")
        connection.execute(grant.replace("TO shop", f"TO {role}"))
    try:
        with psycopg.connect(url.replace("postgres@", f"{role}@"), autocommit=True) as connection:
            connection.execute(place)

        webhook = found(server, task_id)["webhook"]
        assert (webhook["url"], webhook["created_by"]["id"]) == ("http://localhost:9000/remind", "inbox")

        refused = new_id()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(place.replace(task_id, refused).replace("http://", "ftp://"))
            limit = time.monotonic() + 20
            while not (rows := server.call("GET", "/inbox")["inbox"]) or rows[0]["state"] == "waiting":
                assert time.monotonic() < limit
                time.sleep(0.02)
            assert rows[0]["error"].startswith("webhook.url: ")
            connection.execute(mend.replace(task_id, refused))
        assert found(server, refused)["webhook"]["url"] == "http://localhost:9000/mended"
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}")
        execute(f"DROP ROLE {role}")


def test_the_programs_make_tasks(server, url):
    shown = {}
    for text in texts("python"):
        exec(compile(text, PAGE, "exec"), shown)

    first = shown["place_order"](url, 17)
    second = asyncio.run(shown["place_order_with_asyncpg"](url, 17))
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with Session(engine) as session:
        third = shown["place_order_with_sqlalchemy"](session, 17)
    engine.dispose()

    assert found(server, first)["webhook"]["key"] == "order 17"
    assert found(server, second)["job"]["queue"] == "reports"
    assert found(server, third)["webhook"]["json"] == {"order": 17}
