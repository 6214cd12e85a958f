"""kill -9 while rows are taken from the inbox: each that was committed becomes one task, and no other does."""

import random
import threading

import psycopg
import pytest

from databases import new_database
from polling import until
from tasker import postgres
from tasker.client.calls.tasks import new_id
from tasker.stores import queries
from tasker.testing.server import TaskerServer

KILLS = 6
ROWS_A_KILL = 60
NODES = 3


@pytest.fixture
def url():
    return new_database()


def node(url, folder, number, *options):
    (folder / str(number)).mkdir()
    return TaskerServer(folder / str(number), "--database-url", url, *options)


@pytest.mark.parametrize("listens", [True, False], ids=["notified", "by the look of each second"])
def test_three_nodes_that_are_killed_lose_no_row_and_take_none_twice(tmp_path, url, listens):
    rand = random.Random(7)
    nodes = [node(url, tmp_path, number, *([] if listens else ["--no-listen"])) for number in range(NODES)]
    committed, rolled_back, is_over = [], [], threading.Event()

    def apply():
        with psycopg.connect(url) as connection:
            while not is_over.is_set():
                rows = [
                    postgres.schedule(connection, f"http://host-{rand.randrange(9)}.example/", delay="1h", key=new_id())
                    for _ in range(rand.choice([1, 1, 1, 20]))
                ]
                if rand.random() < 0.2:
                    connection.rollback()
                    rolled_back.extend(rows)
                else:
                    connection.commit()
                    committed.extend(rows)

    try:
        for each in nodes:
            each.start()
        application = threading.Thread(target=apply)
        application.start()
        for number in range(1, KILLS + 1):
            until(lambda number=number: len(committed) >= number * ROWS_A_KILL, "rows are committed")
            victim = rand.choice(nodes)
            victim.kill()
            victim.start()
        is_over.set()
        application.join()
        with psycopg.connect(url, autocommit=True) as connection:

            def left():
                return connection.execute("SELECT count(*) FROM tasker_inbox").fetchone()[0]

            until(lambda: left() == 0, "the inbox is empty")
            tasks = [row[0] for row in connection.execute("SELECT id::text FROM task").fetchall()]
    finally:
        is_over.set()
        for each in nodes:
            each.kill()

    assert len(rolled_back) > KILLS
    assert sorted(tasks) == sorted(committed)


def test_a_node_that_dies_between_the_take_and_its_commit_leaves_the_row_to_another(tmp_path, url):
    first, second = (node(url, tmp_path, number) for number in range(2))
    try:
        first.start()
        with psycopg.connect(url) as holding, psycopg.connect(url, autocommit=True) as looking:
            holding.execute(queries.load("tasker.stores.postgres")["lock_keys"].replace("$1", "%s"), (["k"],))
            task_id = postgres.schedule(looking, "http://host.example/", delay="1h", key="k")

            def is_taking():
                waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                locked = "SELECT count(*) FROM (SELECT FROM tasker_inbox FOR UPDATE SKIP LOCKED) AS free"
                return looking.execute(waiting).fetchone()[0] == 1 and looking.execute(locked).fetchone()[0] == 0

            until(is_taking, "the node has the row, and waits for the key")
            first.kill()
            assert looking.execute("SELECT count(*) FROM task").fetchone() == (0,)
            holding.rollback()
            second.start()

            until(lambda: looking.execute("SELECT count(*) FROM tasker_inbox").fetchone()[0] == 0, "the row is taken")
            assert looking.execute("SELECT id::text FROM task").fetchall() == [(task_id,)]
        assert second.call("GET", f"/tasks/{task_id}")["webhook"]["created_by"] == {"id": "inbox", "name": "inbox"}
    finally:
        first.kill()
        second.kill()
