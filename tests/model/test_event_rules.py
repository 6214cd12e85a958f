"""Rules of events: what is kept of them, how many are told, and who wants which."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasker.event_filters import EVENT_FILTERS, Index, Interest, interest_of
from tasker.model import instants
from tasker.model.event import Event, EventId, EventKind
from tasker.model.event_ring import EventRing
from tasker.model.pace import Pace
from tasker.wire.event_notes import packed, unpacked
from tasker.wire.events import event_frame


def event(**members):
    return Event(**{"kind": EventKind.CREATED, "at": 0, "node": "n", **members})


@given(kept=st.integers(1, 20), count=st.integers(0, 60), after=st.integers(0, 60))
def test_a_ring_gives_the_latest_in_their_order(kept, count, after):
    ring = EventRing(kept)
    numbers = [ring.add(event(id=str(number))) for number in range(1, count + 1)]
    assert numbers == list(range(1, count + 1))
    found = [number for number, each in ring.after(after) if each.id == str(number)]
    assert found == numbers[max(after, count - kept) :]
    assert ring.has_all_after(after) == (after <= count and len(found) == count - after)


@given(kept=st.integers(1, 20), whole=st.lists(st.booleans(), max_size=60), after=st.integers(0, 60))
def test_a_ring_has_the_kinds_of_events_that_it_does_not_keep_whole(kept, whole, after):
    ring = EventRing(kept)
    for number, each in enumerate(whole, 1):
        assert (ring.add(event(id=str(number))) if each else ring.add_kind(EventKind.ENDED)) == number
    behind = list(enumerate(whole, 1))[after:]
    kinds = [(number, EventKind.CREATED if each else EventKind.ENDED) for number, each in behind][-kept:]
    assert list(ring.kinds_after(after)) == kinds
    assert [number for number, _ in ring.after(after)] == [number for number, each in behind[-kept:] if each]
    has_kinds = after <= len(whole) and len(behind) <= kept
    assert ring.has_all_after(after, whole=False) == has_kinds
    assert ring.has_all_after(after) == (has_kinds and all(each for _, each in behind))


@given(st.lists(st.floats(0, 5), max_size=100), st.integers(1, 5))
def test_no_more_pass_than_may_and_none_is_lost(moments, most):
    pace, passed, told = Pace(most), [], 0
    for now in sorted(moments):
        if pace.gap_at is not None and now >= pace.gap_at:
            told += sum(pace.gap().values())
        if pace.passes("created", now):
            passed.append(now)
    for first, beyond in zip(passed, passed[2 * most :], strict=False):
        assert beyond - first >= 1, "what passes in two seconds, at most"
    assert len(passed) + told + sum(pace.gap().values()) == len(moments)


def test_a_gap_is_told_when_its_second_has_ended_and_then_events_pass_again():
    pace = Pace(most=1)
    assert [pace.passes("a", at) for at in (10.0, 10.2, 10.4)] == [True, False, False]
    assert pace.gap_at == 11.0
    pace.miss({"b": 3}, 10.5)
    assert pace.gap() == {"a": 2, "b": 3}
    assert pace.gap_at is None
    assert pace.gap() == {}
    assert pace.passes("a", 11.0)


def test_what_others_could_not_tell_is_told_a_second_later():
    pace = Pace()
    pace.miss({"created": 7}, 3.0)
    assert (pace.gap_at, pace.gap()) == (4.0, {"created": 7})


@pytest.mark.parametrize("text", ["", "a/b/c", "a/1", "a/1/2/3", "A/1/2", "a/1/-2", "a/1/2\n", f"a/1/{10**18}"])
def test_what_is_no_id_of_an_event(text):
    assert EventId.of(text) is None


def test_an_id_of_an_event_is_read_as_it_was_written():
    id_ = EventId("0b0c9d5c-5a4e-4c54-9d3c-1f8f6f2b9d11", 1_800_000_000_000_000, 7)
    assert EventId.of(str(id_)) == id_


WORDS = st.sampled_from(["a", "ab", "b", "c"])
EVENTS = st.builds(
    event,
    type=st.none() | WORDS,
    state=st.sampled_from([None, "todo", "done"]),
    key=st.none() | st.text("abc", max_size=4),
    tags=st.lists(WORDS, unique=True, max_size=3),
    destination=st.none() | WORDS,
    group=st.none() | WORDS,
)
INTERESTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.lists(WORDS, min_size=1, max_size=1),
        "state": st.lists(st.sampled_from(["todo", "done"]), min_size=1),
        "tag": st.lists(WORDS, min_size=1, max_size=3),
        "key_prefix": st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=1),
        "destination": st.lists(WORDS, min_size=1, max_size=1),
    },
).map(interest_of)


@given(st.lists(INTERESTS, max_size=8), st.data(), EVENTS)
def test_an_index_finds_all_who_want_an_event_and_each_once(interests, data, happened):
    index = Index()
    for place, interest in enumerate(interests):
        index.add(interest, place)
    gone = data.draw(st.sets(st.sampled_from(range(len(interests))))) if interests else set()
    for place in gone:
        index.remove(interests[place], place)
    found = list(index.find(happened))
    assert len(found) == len(set(found))
    wanted = {place for place, each in enumerate(interests) if each.passes(happened)} - gone
    assert wanted <= set(found) <= set(range(len(interests))) - gone
    assert {place for place in found if interests[place].is_exact} <= wanted, "nothing more is to be compared"


def test_filters_are_those_of_tasks_that_an_event_can_answer():
    assert [each.name for each in EVENT_FILTERS] == ["state", "type", "tag", "key_prefix", "destination", "schedule"]


def test_an_event_that_lacks_what_is_asked_for_is_not_wanted():
    node = event(kind=EventKind.NODE)
    assert Interest().passes(node)
    for name, value in {"type": "webhook", "state": "done", "tag": "a", "key_prefix": "a", "destination": "a"}.items():
        assert not interest_of({name: [value]}).passes(node)


@given(st.lists(EVENTS, max_size=30), st.dictionaries(WORDS, st.integers(1, 9), max_size=2), st.integers(120, 400))
def test_what_nodes_tell_each_other_is_short_enough_and_all_there(happened, missed, most_bytes):
    texts = packed(happened, missed, most_bytes=most_bytes)
    notes = [unpacked(text) for text in texts]
    counts = Counter()
    for note in notes:
        counts.update(note.missed)
    kept = [each for note in notes for each in note.events]
    assert [each for each in happened if each in kept] == kept
    assert len(kept) + counts.total() == len(happened) + sum(missed.values())
    assert all(len(text.encode()) <= most_bytes for text, note in zip(texts, notes, strict=True) if note.events)
    assert all(note.events or note.missed for note in notes)


def test_an_event_that_just_fits_is_told_alone():
    one = event()
    (alone,) = packed([one], {})
    assert packed([one, one], {}, most_bytes=len(alone)) == [alone, alone]


def test_an_event_that_no_notification_holds_is_counted():
    long = event(tags=["\N{DROMEDARY CAMEL}" * 100] * 20)
    ((note),) = [unpacked(text) for text in packed([long], {})]
    assert (note.events, note.missed) == ([], {"created": 1})


def test_what_is_no_note_of_ours_is_not_read():
    with pytest.raises(ValueError, match=r"."):
        unpacked('[["?"]]')


@given(st.integers(-62_135_596_800_000_000, instants.LAST))
def test_moments_of_events_are_written_as_all_others(moment):
    data = event_frame(event(at=moment), "1").partition(b"data: ")[2]
    assert json.loads(data)["at"] == instants.text(moment)
