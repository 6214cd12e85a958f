"""Which alerts begin and end: the rules, for any story of troubles, receivers and restarts."""

from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tasker.ids import new_id
from tasker.model.alerts import (
    APART,
    LONGEST_RETRY_AFTER,
    LONGEST_WAIT,
    TROUBLES_TOLD,
    Cause,
    Told,
    Trouble,
    arrived,
    is_due,
    judged,
    late,
    nearly_full,
    refused,
)
from tasker.model.instants import SECOND, after, microseconds
from tasker.model.store_meter import Space
from tasker.stores.alerts import told_of, told_text

MINUTE = timedelta(minutes=1)
START = 1_800_000_000 * SECOND


def a_trouble(name, since=0):
    return Trouble(id=name, name=name, since=since)


looks = st.lists(
    st.tuples(
        st.integers(0, 100),  # seconds since the look before
        st.sets(st.sampled_from("abcd")),  # what is wrong
        st.sampled_from(["received", "lost", "answer lost", "asked to wait"]),  # what becomes of a message
    ),
    max_size=60,
)


class Receiver:
    """Who reads the messages, each once by its id."""

    def __init__(self):
        self.begun = set()
        self.seen = {}
        self.at = []

    def read(self, message, now):
        if message.id in self.seen:
            assert self.seen[message.id] == (message.began, message.ended), "it says the same each time"
            return
        self.seen[message.id] = (message.began, message.ended)
        self.at.append(now)
        began, ended = ({trouble.id for trouble in troubles} for troubles in (message.began, message.ended))
        assert began or ended
        assert not began & self.begun, "told to begin twice"
        assert ended <= self.begun, "told to be over without having begun"
        self.begun = (self.begun | began) - ended
        assert message.lasting == len(self.begun)


def look(told, wrong, now, fate, receiver):
    """One look, as whoever sends makes it: it may be another process than the one before."""
    told = told_of(told_text({Cause.CIRCUIT_OPEN: told}))[Cause.CIRCUIT_OPEN]
    told = judged(told, Cause.CIRCUIT_OPEN, [a_trouble(name) for name in sorted(wrong)], now, new_id)
    if not is_due(told, now):
        return told
    if fate in ("received", "answer lost"):
        receiver.read(told.message, now)
    if fate == "received":
        return arrived(told, now)
    return refused(told, now, timedelta(minutes=2) if fate == "asked to wait" else None)


@given(looks)
def test_a_receiver_hears_of_each_begin_and_end_in_turn_and_in_the_end_knows_what_is_wrong(story):
    told, now, receiver = Told(), START, Receiver()
    for seconds, wrong, fate in story:
        now += seconds * SECOND
        told = look(told, wrong, now, fate, receiver)

    wrong = story[-1][1] if story else set()
    for _ in range(3):  # nothing changes any more, and what is sent arrives
        now = after(now, LONGEST_WAIT + APART)
        told = look(told, wrong, now, "received", receiver)
    assert receiver.begun == wrong
    assert told.message is None


@given(looks)
def test_two_messages_of_one_cause_are_a_minute_apart(story):
    told, now, receiver = Told(), START, Receiver()
    for seconds, wrong, _ in story:
        now += seconds * SECOND
        told = look(told, wrong, now, "received", receiver)
    assert all(
        later - earlier >= microseconds(APART) for earlier, later in zip(receiver.at, receiver.at[1:], strict=False)
    )


@given(st.integers(1, 40), st.none() | st.timedeltas(timedelta(0), timedelta(days=2)))
def test_a_message_that_is_not_received_is_sent_less_and_less_often_but_for_ever(tries, retry_after):
    told, now, waits = judged(Told(), Cause.LATE, [a_trouble("")], START, new_id), START, []
    for _ in range(tries):
        assert is_due(told, now)
        told = refused(told, now, retry_after)
        wait = told.message.try_at - now
        assert not is_due(told, now + wait - 1)
        waits.append(wait)
        now += wait
    asked = min(retry_after or timedelta(0), LONGEST_RETRY_AFTER)
    assert waits == sorted(waits)
    assert waits[0] == microseconds(max(timedelta(seconds=10), asked))
    assert waits[-1] <= microseconds(max(LONGEST_WAIT, asked))


def test_a_clock_that_was_set_back_silences_nobody():
    told = judged(Told(), Cause.LATE, [a_trouble("")], START, new_id)
    earlier = START - 86_400 * SECOND
    assert is_due(told, earlier)
    told = judged(arrived(told, START), Cause.LATE, [], earlier, new_id)
    assert [trouble.id for trouble in told.message.ended] == [""]


def test_what_comes_and_goes_within_the_minute_is_not_told():
    told = arrived(judged(Told(), Cause.LATE, [a_trouble("a")], START, new_id), START)
    for seconds, names in ((10, "ab"), (50, "a"), (70, "a")):
        told = judged(told, Cause.LATE, [a_trouble(name) for name in names], START + seconds * SECOND, new_id)
    assert told.message is None


def test_of_many_troubles_the_first_are_told_and_the_others_when_some_are_over():
    many = [a_trouble(f"{number:03}") for number in range(TROUBLES_TOLD + 20)]
    told = judged(Told(), Cause.CIRCUIT_OPEN, many, START, new_id)
    assert told.message.began == many[:TROUBLES_TOLD]

    told = judged(arrived(told, START), Cause.CIRCUIT_OPEN, many[10:], after(START, APART), new_id)
    assert (told.message.began, told.message.ended) == (many[TROUBLES_TOLD:-10], many[:10])


def test_how_a_trouble_ended_is_noted_and_the_rest_is_as_it_was_told():
    told = arrived(judged(Told(), Cause.NODE_GONE, [a_trouble("n", since=7)], START, new_id), START)
    told = judged(told, Cause.NODE_GONE, [], after(START, APART), new_id, {"n": "it is back"})
    (over,) = told.message.ended
    assert (over.id, over.since, over.note) == ("n", 7, "it is back")


@given(
    st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(1, 10**8),
    st.booleans(),
)
def test_tasks_are_late_once_one_is_overdue_for_longer_than_the_limit(now, oldest, counts_from, limit, is_told):
    found = late(3, oldest, counts_from=counts_from, limit=timedelta(microseconds=limit), now=now, is_told=is_told)
    if oldest is None:
        assert found == []
        return
    overdue = now - (oldest if is_told else max(oldest, counts_from))
    if overdue > limit:
        assert len(found) == 1
    elif overdue <= limit // 2 or not is_told:
        assert found == []


def test_a_disk_is_nearly_full_below_a_tenth_or_5_gib_and_has_room_again_a_little_above_that():
    gib, told = 1 << 30, [a_trouble("")]

    def is_low(free, size, *, told=()):
        return bool(nearly_full(Space(free=free, size=size), START, told=told))

    assert is_low(gib - 1, 10 * gib)
    assert not is_low(gib, 10 * gib)
    assert not is_low(5 * gib, 1_000 * gib)
    assert is_low(5 * gib - 1, 1_000 * gib)
    assert is_low(gib, 10 * gib, told=told)
    assert not is_low(gib * 6 // 5, 10 * gib, told=told)
    assert nearly_full(Space(), START, told=told) == told, "nobody can tell"


def test_what_is_remembered_survives_being_stored():
    told = {
        Cause.LATE: judged(
            Told(), Cause.LATE, [msgspec.structs.replace(a_trouble("a"), facts={"n": 1, "t": "x"})], START, new_id
        ),
        Cause.NODE_GONE: Told(sent_at=START),
    }
    assert told_of(told_text(told)) == told
