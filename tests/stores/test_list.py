"""Listing tasks page by page, and counting them."""

import itertools

import pytest
from steps import (
    HASH,
    REFUSED,
    SECOND,
    WEBHOOK,
    a_hash,
    another_try,
    claimed,
    failure,
    got,
    listed,
    pages,
    running,
    success,
)

from tasker.errors import InvalidQueryError
from tasker.interfaces.tasks import TaskFilter
from tasker.model.task import STATES, Fault, State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

FILTERS = [
    TaskFilter(type=type_, state=state)
    for type_, state in itertools.product([None, "webhook", "hash", "mail"], [None, *State])
]


async def some_of_everything(store, clock):
    """Create tasks of two types in every state, many of them due at the same moments.

    Returns them in the order of a list.
    """
    now = clock.now()
    tasks = [
        make(due_at=now + due * SECOND)
        for due in (-3, -1, -2, 5, -1, -3, 4, 5, -2, -1, 9, -3)
        for make in (a_task, a_hash)
    ]
    await store.create(tasks)
    for pool in (WEBHOOK, HASH):
        attempts = (await store.claim_due({pool: 7})).attempts
        for attempt, settlement in zip(attempts, [success, failure, another_try] * 2, strict=False):
            await store.settle(attempt, settlement(clock))
    stored = [await got(store, task.id) for task in tasks]
    assert {(task.type, task.state) for task in stored} == set(
        itertools.product(["webhook", "hash"], set(STATES) - {State.CANCELLED})
    )
    return sorted(stored, key=lambda task: task.execution_at)


@pytest.mark.parametrize("limit", [1, 2, 7, 24, 1000])
async def test_lists_are_ordered_by_execution_time_then_arrival_and_exact_whatever_the_pages(store, clock, limit):
    tasks = await some_of_everything(store, clock)
    for which in FILTERS:
        expected = [task for task in tasks if which.type in (None, task.type) and which.state in (None, task.state)]
        assert await listed(store, which, limit=limit) == expected, which


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_a_page_has_at_most_its_limit_and_is_not_empty_before_the_last(store, clock, limit):
    await some_of_everything(store, clock)
    *before, last = await pages(store, limit=limit)
    assert before
    assert all(0 < len(page.tasks) <= limit for page in before)
    assert len(last.tasks) <= limit


async def test_an_empty_store_has_one_empty_page(store):
    (page,) = await pages(store)
    assert list(page.tasks) == []


async def test_a_task_that_waits_for_another_try_keeps_its_place_by_execution_time(store, clock):
    attempt = await running(store, clock)
    later = a_task(due_at=clock.now() + SECOND)
    await store.create([later])
    await store.settle(attempt, another_try(clock, in_seconds=3600))
    for limit in (1, 10):
        found = await listed(store, TaskFilter(state=State.TODO), limit=limit)
        assert [task.id for task in found] == [attempt.task_id, later.id]


async def test_long_bodies_end_a_page_early_and_none_is_lost(store, clock):
    body = b'{"body":"' + b"x" * (1 << 20) + b'"}'
    tasks = [a_task(due_at=clock.now(), payload=body) for _ in range(20)]
    await store.create(tasks)
    found = await pages(store, limit=1000)
    assert [task.id for page in found for task in page.tasks] == [task.id for task in tasks]
    assert all(page.tasks for page in found[:-1])
    assert max(len(page.tasks) for page in found) < 10, "a page holds a few MiB at most"


async def test_long_results_end_a_page_early_and_none_is_lost(store, clock):
    tasks = [a_hash(due_at=clock.now()) for _ in range(20)]
    await store.create(tasks)
    for attempt in (await store.claim_due({HASH: 20})).attempts:
        await store.settle(attempt, success(clock, b'"' + b"x" * (1 << 20) + b'"'))
    found = await pages(store, limit=1000)
    assert [task.id for page in found for task in page.tasks] == [task.id for task in tasks]
    assert max(len(page.tasks) for page in found) < 10


async def test_a_list_goes_on_where_it_was_while_tasks_come_and_go(store, clock):
    now = clock.now()
    tasks = [a_task(due_at=now + 10 * place) for place in range(6)]
    await store.create(tasks)
    first, *_ = await pages(store, limit=3)
    behind, ahead = a_task(due_at=now + 5), a_task(due_at=now + 35)
    await store.create([behind, ahead])
    for gone in (tasks[0], tasks[2], tasks[4]):  # the one where the page ended, too
        await store.delete(gone.id)

    rest = await store.list_page(TaskFilter(), after=first.next, limit=10)

    shown = [task.id for task in (*first.tasks, *rest.tasks)]
    assert shown == [task.id for task in (*tasks[:3], tasks[3], ahead, tasks[5])]


async def test_a_task_that_moves_meanwhile_is_shown_at_most_once(store, clock):
    tasks = [a_task(due_at=clock.now() - 1) for _ in range(6)]
    await store.create(tasks)
    shown, after = [], None
    moves = itertools.cycle([success, another_try])
    while True:
        page = await store.list_page(TaskFilter(), after=after, limit=2)
        shown += [task.id for task in page.tasks]
        if (after := page.next) is None:
            break
        for attempt in (await store.claim_due({WEBHOOK: 1})).attempts:
            await store.settle(attempt, next(moves)(clock))
    assert len(shown) == len(set(shown))
    assert shown == [task.id for task in tasks], "a list of all states misses none either"


@pytest.mark.parametrize("cursor", ["", "x", "-", "next please", "\x00", "' OR 1 = 1", "\U0001f600", "9" * 1000])
async def test_a_cursor_that_comes_from_no_page_is_refused(store, clock, cursor):
    await store.create([a_task(due_at=clock.now())])
    with pytest.raises(InvalidQueryError, match="cursor") as refusal:
        await store.list_page(TaskFilter(), after=cursor, limit=10)
    assert refusal.value.parameter == "cursor"


async def test_a_cursor_is_refused_while_the_store_is_empty_too(store):
    with pytest.raises(InvalidQueryError):
        await store.list_page(TaskFilter(), after="next please", limit=10)


async def test_counts_are_those_of_the_states(store, clock):
    assert await store.count(up_to=10) == dict.fromkeys(STATES, 0)
    tasks = await some_of_everything(store, clock)
    expected = {state: sum(task.state is state for task in tasks) for state in STATES}
    assert await store.count(up_to=1000) == expected
    some = [State.TODO, State.IN_PROGRESS]
    assert await store.count(some, up_to=1000) == {state: expected[state] for state in some}


async def test_counting_stops_where_it_is_told_to(store, clock):
    now = clock.now()
    await store.create([make(due_at=now) for make in (a_task, a_hash) for _ in range(5)])
    await store.claim_due({WEBHOOK: 2, HASH: 2})
    assert await store.count(up_to=2) == dict.fromkeys(STATES, 0) | {State.TODO: 2, State.IN_PROGRESS: 2}
    assert await store.count(up_to=5) == dict.fromkeys(STATES, 0) | {State.TODO: 5, State.IN_PROGRESS: 4}


async def test_a_listed_task_is_what_get_shows(store, clock):
    await store.create([a_task(due_at=clock.now())])
    await store.settle(await claimed(store), another_try(clock, in_seconds=1, fault=Fault("status_500", "no")))
    await clock.advance(1)
    attempt = await claimed(store)
    await store.settle(attempt, failure(clock, REFUSED))
    assert await listed(store) == [await got(store, attempt.task_id)]
