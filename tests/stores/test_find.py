"""Finding tasks: what a plain filter over all of them finds, in its order, page by page."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from populations import BROKEN, KEYS, PAUSED, WELL
from steps import SECOND, WEBHOOK

from tasker.errors import InvalidQueryError
from tasker.explaining import explain
from tasker.filters import FILTERS, REASONS, SORTS, Order, query_of
from tasker.interfaces.tasks import Counted
from tasker.model import instants
from tasker.model.gate import Limits, group_named, queue_named
from tasker.model.task import PULLED, STATES
from tasker.stores import finding
from tasker.stores.finding import Pieces
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock
from tasker.timing.leisure import leisure

pytestmark = pytest.mark.anyio


def passes(population, row, words):
    """Whether a row passes filters, as a plain program would say it."""
    _, task, made, reason = row
    fault = task.last_fault
    going = made.host or made.destination
    host = None if going is None else going.name
    say = {
        "state": lambda values: task.state.word in values,
        "type": lambda values: task.type in values,
        "tag": lambda values: set(values) <= set(made.tags),
        "key": lambda values: task.key in values,
        "key_prefix": lambda values: task.key is not None and task.key.startswith(values[0]),
        "destination": lambda values: (
            host is not None
            and (
                values[0] == host
                or values[0] in {str(population.gates[each.name]) for each in (going, made.destination)}
            )
        ),
        "group": lambda values: made.host is not None and made.destination.name in values,
        "queue": lambda values: made.pool == PULLED and made.destination.name in values,
        "error": lambda values: fault is not None and fault.code in values,
        "fingerprint": lambda values: fault is not None and fault.fingerprint in values,
        "reason": lambda values: reason in values,
        "parent": lambda values: task.parent_id in values,
        "schedule": lambda values: task.schedule in values,
        "due_after": lambda values: task.execution_at >= instants.parse(values[0]),
        "due_before": lambda values: task.execution_at < instants.parse(values[0]),
        "ended_after": lambda values: task.ended_at is not None and task.ended_at >= instants.parse(values[0]),
        "ended_before": lambda values: task.ended_at is not None and task.ended_at < instants.parse(values[0]),
        "created_after": lambda values: task.created_at >= instants.parse(values[0]),
        "created_before": lambda values: task.created_at < instants.parse(values[0]),
    }
    assert say.keys() == {each.name for each in FILTERS}
    return all(say[name](values) for name, values in words.items())


def expected(population, kind, rows, words, query):
    """The ids that a plain filter finds, in order."""
    found = [row for row in rows if passes(population, row, words)]
    if query.order is Order.ENDED:
        found = [row for row in found if row[1].ended_at is not None]
    moment = {
        Order.DUE: lambda task: task.execution_at,
        Order.ENDED: lambda task: task.ended_at,
        Order.CREATED: lambda task: 0,
    }[query.order]
    found.sort(
        key=lambda row: (moment(row[1]), row[1].id if kind.orders_by_id else row[0]), reverse=query.is_descending
    )
    return [row[1].id for row in found]


async def found(store, query, limit=1000):
    """The ids on all pages, and how long the pages are."""
    ids, lengths, after = [], [], None
    while True:
        page = await store.find(query, after=after, limit=limit, free_pools={WEBHOOK})
        ids += [task.id for task in page.tasks]
        lengths.append(len(page.tasks))
        if (after := page.next) is None:
            return ids, lengths


def moments(now):
    return st.integers(-8, 8).map(lambda seconds: instants.text(now + seconds * SECOND))


def words_for(population, now):
    values = {
        "state": st.lists(st.sampled_from([state.word for state in STATES]), min_size=1, max_size=3),
        "type": st.sampled_from(["webhook", "hash"]),
        "tag": st.lists(st.sampled_from(["a", "b", "ü", "customer:42", "no"]), min_size=1, max_size=2),
        "key": st.sampled_from([*KEYS, "no"]),
        "key_prefix": st.sampled_from(["o", "order", "order 1", "O", "\ud7ff", "\U0010ffff", "ordé", "no"]),
        "destination": st.sampled_from([PAUSED, BROKEN, WELL, "mail", *map(str, range(1, 7)), "99", "http://no"]),
        "group": st.sampled_from(["mail", "limited", "no"]),
        "queue": st.sampled_from(["mail", "no"]),
        "error": st.sampled_from(["status_503", "connect_refused", "no"]),
        "fingerprint": st.sampled_from(["0123456789abcdef", "f" * 16]),
        "reason": st.sampled_from(REASONS),
        "parent": st.sampled_from([*list(population.made)[:4]]),
        "schedule": st.sampled_from(["nightly", "poll", "night"]),
        **{each.name: moments(now) for each in FILTERS if each.name.endswith(("_after", "_before"))},
    }
    assert values.keys() == {each.name for each in FILTERS}
    some = st.lists(st.sampled_from([*values]), max_size=3, unique=True)
    return some.flatmap(
        lambda names: st.fixed_dictionaries(
            {name: values[name].map(lambda value: value if isinstance(value, list) else [value]) for name in names}
        )
    )


async def test_what_is_found_is_what_a_plain_filter_over_all_tasks_finds(population, kind, store, clock):
    rows = await population.rows()
    now = clock.now()
    drawn = []

    @settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(words_for(population, now), st.sampled_from(SORTS), st.sampled_from([1, 3, 1000]))
    def draw(words, sort, limit):
        drawn.append((words, sort, limit))

    draw()
    for words, sort, limit in [({}, sort, 7) for sort in SORTS] + drawn:
        driven = not {"key", "key_prefix", "tag", "schedule", "parent"}.isdisjoint(words)
        query = query_of(words, "-created" if driven and "created" not in sort else sort)
        ids, lengths = await found(store, query, limit)
        assert ids == expected(population, kind, rows, words, query), (words, query.order, query.is_descending)
        assert max(lengths) <= limit
        assert await store.count_found(query, free_pools={WEBHOOK}) == Counted(len(ids), is_exact=True), words


async def test_every_reason_is_found_as_it_is_explained(population, store):
    rows = await population.rows()
    seen = {reason for *_, reason in rows}
    assert {"waiting", "retrying", "paused", "circuit_open", "due", "no_slot"} <= seen
    for reason in REASONS:
        ids, _ = await found(store, query_of({"reason": [reason]}))
        assert sorted(ids) == sorted(task.id for _, task, _, why in rows if why == reason), reason


async def test_jobs_are_found_by_their_queue_whatever_else_has_its_name(store, clock):
    queue = queue_named("mail")
    jobs = [replace(a_task(due_at=clock.now() + at), type="job", pool=PULLED, destination=queue) for at in (0, SECOND)]
    other = replace(jobs[0], id=a_task(due_at=0).id, destination=queue_named("post"))
    await store.create([*jobs, other, a_task(due_at=clock.now(), host=WELL, group="mail")])
    for words, expected in (
        ({"queue": ["mail"]}, jobs),
        ({"queue": ["mail"], "reason": ["unclaimed"]}, jobs[:1]),
        ({"queue": ["post"]}, [other]),
        ({"queue": ["no"]}, []),
    ):
        ids, _ = await found(store, query_of(words))
        assert ids == [task.id for task in expected], words


async def test_what_a_full_gate_holds_is_found(store, clock):
    held = [a_task(due_at=clock.now(), host=WELL) for _ in range(3)]
    await store.create(held)
    await store.limit(1, Limits(max_running=1))
    await store.claim_due({WEBHOOK: 3})
    ids, _ = await found(store, query_of({"reason": ["full"]}))
    assert ids == [task.id for task in held[1:]]


async def test_what_a_rate_holds_is_found_and_what_a_limit_holds_beside_it(store, clock):
    tasks = {name: [a_task(due_at=clock.now(), host=WELL, group=name) for _ in range(3)] for name in ("fast", "one")}
    await store.create([task for each in tasks.values() for task in each])
    await store.limit(await store.make_gate(group_named("fast")), Limits(max_per_second=1, max_running=9))
    await store.limit(await store.make_gate(group_named("one")), Limits(max_per_second=1000, max_running=1))
    for _ in range(3):
        await store.claim_due({WEBHOOK: 9})
    for reason, name in (("rate", "fast"), ("full", "one")):
        ids, _ = await found(store, query_of({"reason": [reason]}))
        assert ids == [task.id for task in tasks[name][1:]]
        standing = await store.standing(ids[0])
        assert explain(standing, now=clock.now(), max_attempts=1, has_free_slot=True).reason == reason


@pytest.mark.parametrize("sort", SORTS)
async def test_a_page_ends_after_so_many_rows_and_the_next_goes_on(population, kind, store, monkeypatch, sort):
    monkeypatch.setattr(finding, "MOST_LOOKED_AT", 10)
    query = query_of({"error": ["connect_refused"]}, sort)
    ids, lengths = await found(store, query, 4)
    assert ids == expected(population, kind, await population.rows(), {"error": ["connect_refused"]}, query)
    assert 0 in lengths[:-1], "an empty page is not the last one"
    counted = await store.count_found(query)
    assert not counted.is_exact
    assert counted.count <= 10


async def test_a_wide_range_of_keys_is_found_in_the_order_of_arrival_too(population, kind, store, monkeypatch):
    monkeypatch.setattr(finding, "MOST_LOOKED_AT", 10)
    for sort in ("created", "-created"):
        query = query_of({"key_prefix": ["o"]}, sort)
        ids, lengths = await found(store, query, 4)
        assert ids == expected(population, kind, await population.rows(), {"key_prefix": ["o"]}, query)
        assert min(lengths[:-1]) < 4, "it walks over others"


async def test_pages_meet_each_task_once_while_others_come_and_go(store, clock):
    draw = random.Random(7)
    for sort in SORTS:
        stays = [replace(a_task(due_at=clock.now() + n % 9), tags=("stays",)) for n in range(40)]
        await store.create(stays)
        if "ended" in sort:
            for task in stays:
                await clock.advance(draw.choice([0, 0.000_001]))
                await store.cancel(task.id)
        others, met, after = [], [], None
        while True:
            page = await store.find(query_of({}, sort), after=after, limit=3)
            met += [task.id for task in page.tasks]
            if (after := page.next) is None:
                break
            new = [a_task(due_at=clock.now() + draw.randrange(9)) for _ in range(2)]
            await store.create(new)
            others += [task.id for task in new]
            for task_id in draw.sample(others, 2):
                others.remove(task_id)
                await draw.choice([store.delete, store.cancel])(task_id)
            if len(met) > 300:
                break
        assert len([task.id for task in stays if met.count(task.id) == 1]) == 40, sort
        for task in stays:
            await store.delete(task.id)


async def test_long_bodies_end_a_page_early_and_none_is_lost(store, clock):
    tasks = [a_task(due_at=clock.now(), payload=b'{"body":"' + b"x" * 400_000 + b'"}') for _ in range(10)]
    await store.create(tasks)
    ids, lengths = await found(store, query_of({}, "created"))
    assert ids == [task.id for task in tasks]
    assert max(lengths) == 3


@pytest.mark.parametrize("position", ["", "x", "1", "1.", ".1", "1.x", "1" * 30 + ".1", "\x00"])
async def test_a_position_that_comes_from_no_page_is_refused(store, position):
    with pytest.raises(InvalidQueryError, match="cursor"):
        await store.find(query_of({}), after=position, limit=10)


async def test_a_walk_ends_after_its_time_of_which_what_lies_between_pieces_is_no_part():
    clock = ManualClock()
    pieces = Pieces(clock.monotonic, first=100)
    assert pieces.next() == 100
    await clock.advance(0.005)
    pieces.looked(100)
    await clock.advance(1)
    assert pieces.next() == 300, "as many as it has time left for"
    await clock.advance(0.015)
    pieces.looked(300)
    assert pieces.next() == 0


async def test_at_leisure_pieces_are_shorter():
    with leisure():
        pieces = Pieces(ManualClock().monotonic)
    assert pieces.next() == finding.AT_LEISURE < finding.AT_ONCE


async def test_pieces_grow_up_to_what_may_be_looked_at_at_once():
    pieces = Pieces(ManualClock().monotonic, first=101)
    lengths = []
    while length := pieces.next():
        lengths.append(length)
        pieces.looked(length)
    assert lengths[:4] == [101, 404, finding.AT_ONCE, finding.AT_ONCE]
    assert sum(lengths) == finding.MOST_LOOKED_AT
