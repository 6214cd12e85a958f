"""A store of every kind, open and empty, with its clock."""

import pytest
from kinds import KINDS, MORTAL, Postgres

pytest.register_assert_rewrite("steps")

from populations import populate  # noqa: E402 - it imports steps


def pytest_generate_tests(metafunc):
    """Run a test that asks for a store on every kind.

    One about what follows a death, or about a store that is out of reach, runs on those whose data
    outlives the node.
    """
    if "kind" in metafunc.fixturenames:
        dies = not {"after_death", "reach"}.isdisjoint(metafunc.fixturenames)
        metafunc.parametrize("kind", [name for name in KINDS if not (dies and name in MORTAL)], indirect=True)


@pytest.fixture
def kind(request, tmp_path):
    return KINDS[request.param](tmp_path)


@pytest.fixture
async def store(kind):
    """An open store. One that follows it after a death is closed with it."""
    yield await kind.open()
    await kind.close()


@pytest.fixture
def clock(kind):
    """The clock of ``store``: ``now()``, and ``await advance(seconds)``."""
    return kind.clock


@pytest.fixture
def after_death(kind):
    """``store = await after_death(store)``: its node dies with what it has claimed, another opens the same data."""
    return kind.after_death


@pytest.fixture
def reach(kind):
    """``reach.refuse()`` takes ``store`` out of reach, ``reach.admit()`` brings it back."""
    return kind


@pytest.fixture
async def population(store, clock):
    """``store``, with some of everything in it."""
    return await populate(store, clock)


@pytest.fixture
async def nodes(tmp_path):
    """Makes nodes on one PostgreSQL database: ``await nodes.open()``, then ``await nodes.another()``."""
    kind = Postgres(tmp_path)
    opened = []

    async def another():
        opened.append(kind.store)
        return await kind._open()

    kind.another = another
    yield kind
    for store in opened:
        await store.close()
    await kind.close()
