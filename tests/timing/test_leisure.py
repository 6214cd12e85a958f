"""Work that nobody waits for rests after each of its steps."""

import asyncio
from types import SimpleNamespace

import pytest

from tasker.timing import leisure as module
from tasker.timing.leisure import is_at_leisure, leisure, rest

pytestmark = pytest.mark.anyio


@pytest.fixture
def rests(monkeypatch):
    """The seconds of each rest. None of them takes any time, and each step took as long as it says it began."""
    rests = []

    async def sleep(seconds):
        rests.append(seconds)

    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(module, "elapsed", lambda began: began)
    return rests


async def test_a_rest_is_much_longer_than_the_step_up_to_a_limit(rests):
    with leisure() as spent:
        for took in (0.0, 0.001, 0.002, 5.0):
            await rest(took)

    assert rests == [0.0, 0.01, 0.02, 0.1]
    assert spent.worked == 5.003


async def test_who_is_not_at_leisure_does_not_rest(rests):
    assert not is_at_leisure()
    await rest(1.0)
    with leisure():
        assert is_at_leisure()
    assert not is_at_leisure()
    await rest(1.0)

    assert rests == []


async def test_what_goes_on_after_it_does_not_rest(rests):
    is_over = asyncio.Event()

    async def go_on():
        assert is_at_leisure()
        await is_over.wait()
        assert not is_at_leisure()
        await rest(1.0)

    with leisure() as spent:
        left = asyncio.create_task(go_on())
        await asyncio.sleep(0)
    is_over.set()
    await left

    assert (rests, spent.worked) == ([], 0.0)


async def test_one_within_another_is_for_itself(rests):
    with leisure() as outer:
        with leisure() as inner:
            await rest(1.0)
        await rest(2.0)

    assert (outer.worked, inner.worked) == (2.0, 1.0)


async def test_an_error_ends_it(rests):
    with pytest.raises(ValueError, match="broken"), leisure():
        raise ValueError("broken")

    assert not is_at_leisure()
