"""What the page about sizing says is what the code declares. Its tables are generated: see ``test_pages``."""

import asyncio

from pages import DOCS, table

from databases import FOLLOW
from tasker.api.receiving.descriptors import waiters_that_fit
from tasker.config import Settings
from tasker.egress.shortage import connections_that_fit
from tasker.node import _DESCRIPTORS_OF_THE_STORE, _kept_descriptors
from tasker.stores.postgres.store import PostgresStore
from tasker.stores.sqlite.connection import LOG_BYTES
from tasker.timing.clock import ManualClock

TEXT = (DOCS / "sizing.md").read_text()


def connections(*, listens):
    """How many connections a node has that listens, or does not."""

    async def count():
        store = PostgresStore(
            "postgresql://db1/tasker", follow=FOLLOW, base_clock=ManualClock(), address="", version="", listens=listens
        )
        return len(store._links._links)

    return asyncio.run(count())


def test_the_connections_of_a_node_are_those_that_its_store_declares():
    most, without = connections(listens=True), connections(listens=False)
    assert f"up to {most} connections ({without} with `--no-listen`), and one more" in TEXT
    for nodes, needed in table(DOCS / "sizing.md", "## Connections to PostgreSQL"):
        assert int(needed) == int(nodes) * (most + 1)


def test_the_shares_of_the_open_files_are_those_of_the_code(monkeypatch):
    limit = 1_024
    monkeypatch.setattr("resource.getrlimit", lambda _: (limit, limit))
    assert "Half of the open files that the process may have can be connections to targets" in TEXT
    assert connections_that_fit(limit) == limit // 2
    assert f"all but {_DESCRIPTORS_OF_THE_STORE} and one for each delivery" in TEXT
    assert waiters_that_fit(_kept_descriptors(Settings())) == limit // 2
    assert f"{Settings().max_deliveries} deliveries at once and some 500 callers" in TEXT


def test_the_length_of_the_log_is_that_of_the_code():
    assert f"the write-ahead log: {LOG_BYTES >> 20} MiB" in TEXT
