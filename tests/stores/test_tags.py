"""Tags: rows of their own, which live as long as their tasks."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from steps import WEBHOOK, success

from tasker.errors import RevisionPassedError
from tasker.model.change import Change
from tasker.model.task import State
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

LOOK = "SELECT tag FROM tag ORDER BY tag"


async def tags(store):
    """What stands in the table. No call of a store says it."""
    if isinstance(store, SqliteStore):
        return [tag for (tag,) in store._writing.connection.execute(LOOK).fetchall()]
    return [row["tag"] for row in await store._reader._read(lambda connection: connection.fetch(LOOK))]


async def test_tags_are_stored_with_a_task_and_one_without_stores_none(store, clock):
    plain, tagged, other = (a_task(due_at=clock.now()) for _ in range(3))
    await store.create([plain, replace(tagged, tags=("b", "a")), replace(other, tags=("b", "ü 42"))])
    assert await tags(store) == ["a", "b", "b", "ü 42"]


async def test_tags_are_deleted_with_their_task_and_those_of_others_stay(store, clock):
    gone, stays = (replace(a_task(due_at=clock.now()), tags=("a", tag)) for tag in ("gone", "stays"))
    await store.create([gone])
    await store.create([stays])
    await store.delete(gone.id)
    assert await tags(store) == ["a", "stays"]


async def test_tags_are_pruned_with_their_task(store, clock):
    await store.create([replace(a_task(due_at=clock.now()), tags=("a",))])
    (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts
    await store.settle(attempt, success(clock))
    assert await tags(store) == ["a"]
    await clock.advance(2)
    assert await store.prune(State.DONE, older_than=timedelta(seconds=1)) == 1
    assert await tags(store) == []


async def test_a_change_writes_the_tags_that_a_task_has_then(store, clock):
    task, other = (replace(a_task(due_at=clock.now()), tags=tags) for tags in (("a", "b"), ("a",)))
    await store.create([task, other])
    changes = (
        (("b", "c", "d"), b'{"1":1}', ["a", "b", "c", "d"]),
        (("b", "c", "d"), b'{"2":1}', ["a", "b", "c", "d"]),
        ((), b'{"3":1}', ["a"]),
        (("a",), b'{"4":1}', ["a", "a"]),
    )
    for revision, (given, payload, left) in enumerate(changes):
        new = replace(task, tags=given, payload=payload)
        await store.change(Change(task=new, revision=revision, waited=0, has_new_payload=True))
        assert await tags(store) == left
    with pytest.raises(RevisionPassedError):
        await store.change(Change(task=replace(task, tags=("z",)), revision=0, waited=0, has_new_payload=True))
    await store.change(Change(task=replace(task, tags=("a",)), revision=len(changes), waited=0, has_new_payload=False))
    assert await tags(store) == ["a", "a"]


async def test_a_task_of_many_tags_among_many_is_stored_whole(store, clock):
    many = [f"{number:02}" for number in range(20)]
    await store.create([replace(a_task(due_at=clock.now()), tags=tuple(many)) for _ in range(70)])
    assert await tags(store) == sorted(many * 70)
