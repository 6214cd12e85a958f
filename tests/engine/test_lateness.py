"""Why attempts are late, as the engine counts it. On the manual clock."""

import pytest

from tasker.engine.telemetry import LATENESS_KEPT, Telemetry
from tasker.errors import StoreUnavailableError
from tasker.model.histogram import TOGETHER
from tasker.model.instants import SECOND
from tasker.model.lateness import by_cause
from tasker.model.stats import Lateness

pytestmark = pytest.mark.anyio

A = "http://a:80"


async def late(bench, task):
    """The lateness of the only attempt of *task* in seconds: down, held and own."""
    (kept,) = await bench.store.attempts(task)
    parts = by_cause(due_at=kept.due_at, started_at=kept.started_at, down=kept.late_down, held=kept.late_held)
    stored = await bench.store.get(task)
    assert (stored.late_down, stored.late_held) == (kept.late_down, kept.late_held)
    return parts.down / SECOND, parts.held / SECOND, parts.own / SECOND


async def test_a_punctual_task_is_not_late(bench, clock):
    task = await bench.add("succeed", at=1)
    await clock.advance(1)
    assert await late(bench, task) == (0, 0, 0)


async def test_waiting_for_a_slot_is_tasker_s_own(bench, clock):
    for _ in range(2):
        await bench.add("wait", at=1)
    task = await bench.add("succeed", at=2)
    await clock.advance(20)
    bench.types[0].may_end.set()
    await clock.advance(0)
    assert await late(bench, task) == (0, 0, 18)


async def test_what_passes_between_the_claim_and_the_start_is_tasker_s_own(bench, clock):
    task = await bench.add("prepare a second, then succeed", at=5)
    await clock.advance(6)
    assert await late(bench, task) == (0, 0, 1)


async def test_a_task_that_its_destination_held_was_held(bench, clock):
    task = await bench.add("prepare a second, then succeed", at=1, host=A)
    (record,) = await bench.store.gates(after=0, limit=9)
    await bench.store.pause(record.gate.id)
    await clock.advance(100)
    await bench.store.resume(record.gate.id)
    bench.engine.queue.ring()
    await clock.advance(1)
    assert await late(bench, task) == (0, 99, 1)


async def test_behind_an_open_circuit_a_task_was_held(bench, clock):
    for _ in range(10):
        await bench.add("fail by the destination's fault", at=1, host=A, max_attempts=1)
    await clock.advance(3)
    task = await bench.add("succeed", at=3.5, host=A)
    await clock.advance(5)
    assert await late(bench, task) == (0, 2.5, 0)


async def test_a_store_that_could_not_be_used_was_down(bench, clock, monkeypatch):
    task = await bench.add("succeed", at=3)
    await clock.advance(2)
    condition = bench.store._condition

    def refuse():
        raise StoreUnavailableError("its file was moved or removed")

    monkeypatch.setattr(condition, "check_place", refuse)
    await clock.advance(8)
    monkeypatch.undo()
    await clock.advance(1)
    down, held, own = await late(bench, task)
    assert (held, own) == (0, 0)
    assert 7 <= down <= 8


async def test_of_a_machine_that_was_suspended_the_attempt_says_so(bench, clock):
    task = await bench.add("prepare a second, then succeed", at=100)
    await clock.advance(10)
    await clock.step(600)
    await clock.advance(1)
    assert await late(bench, task) == (510, 0, 1)


async def test_the_figures_of_the_causes_add_up_to_those_of_the_lateness(bench, clock):
    await bench.add("prepare a second, then succeed", at=100)
    await bench.add("succeed", at=1)
    await clock.advance(10)
    await clock.step(600)
    await clock.advance(1)
    lateness, causes = await bench.telemetry.lateness()
    assert {cause: (figures.p50, figures.max, figures.sum) for cause, figures in causes.items()} == {
        "down": (0, 510, 510),
        "held": (0, 0, 0),
        "own": (0, 1, 1),
    }
    assert lateness.max == 511


async def test_every_attempt_counts_once_in_the_histogram_of_each_cause(bench, clock):
    await bench.add("prepare a second, then succeed", at=5)
    await bench.add("succeed", at=6)
    await clock.advance(7)
    histograms = bench.engine.telemetry.lateness_histograms
    assert {cause: (each.count, each.sum) for cause, each in histograms.items()} == {
        "down": (2, 0),
        "held": (2, 0),
        "own": (2, 1 * SECOND),
    }


def test_attempts_that_were_counted_together_are_not_counted_again():
    telemetry = Telemetry()
    for attempts in (TOGETHER - 1, 1, 1, TOGETHER):
        before = telemetry.lateness_histograms["own"].count
        for _ in range(attempts):
            telemetry.attempt_began(0, 6, down=1, held=2)
        assert telemetry.lateness_histograms["own"].count == before + attempts
    counted = 2 * TOGETHER + 1
    assert {cause: (each.count, each.sum) for cause, each in telemetry.lateness_histograms.items()} == {
        "down": (counted, counted),
        "held": (counted, 2 * counted),
        "own": (counted, 3 * counted),
    }


@pytest.mark.parametrize("held", [0, 7])
async def test_the_figures_speak_of_the_latest_attempts_and_of_no_others(held):
    telemetry = Telemetry()
    for _ in range(TOGETHER + 1):
        telemetry.attempt_began(0, SECOND, down=0, held=0)
    assert (await telemetry.lateness())[0] == Lateness(TOGETHER + 1, 1.0, 1.0, 1.0)

    for own in range(LATENESS_KEPT):
        telemetry.attempt_began(0, held + own, down=0, held=held)

    places = LATENESS_KEPT // 2 - 1, LATENESS_KEPT * 99 // 100 - 1, LATENESS_KEPT - 1
    lateness, causes = await telemetry.lateness()
    assert lateness == Lateness(LATENESS_KEPT, *((place + held) / SECOND for place in places))
    own = causes["own"]
    assert (own.p50, own.p99, own.max) == tuple(place / SECOND for place in places)
