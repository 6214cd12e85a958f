"""The first create after a start costs what the others cost.

An open store has done beforehand what is done only once.
"""

import pytest

from databases import FOLLOW, new_database
from tasker.stores.postgres.store import PostgresStore
from tasker.stores.queries import load
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.clock import ManualClock, SystemClock

pytestmark = pytest.mark.anyio


async def test_the_log_of_a_file_is_made_before_the_first_create(tmp_path):
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=ManualClock())
    for _ in range(2):  # a new file, and one that was closed
        await store.open()
        assert (tmp_path / "tasks.db-wal").stat().st_size > 0
        await store.close()


async def test_what_a_create_asks_of_postgresql_is_prepared_before_the_first():
    store = PostgresStore(
        new_database(), follow=FOLLOW, base_clock=SystemClock(), address="http://127.0.0.1:8080", version="0"
    )
    await store.open()
    prepared = await store._accepting.run(lambda link: link.fetch("SELECT statement FROM pg_prepared_statements"))
    queries = load("tasker.stores.postgres")
    assert {queries["create_tasks"], queries["gate_ids"]} <= {row[0] for row in prepared}
    await store.close()
