"""What happened to a task in one line of time: the bars of its attempts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tasker.dashboard.lines_of_time import line_of
from tasker.model.attempt import AttemptRecord
from tasker.model.instants import SECOND
from tasker.service.audit import History
from tasker.testing.task_factory import a_task

lengths = st.integers(0, 40 * 86_400 * SECOND)


def history(*attempts):
    return History(a_task(due_at=0), list(attempts), [], True)


def attempt(number, due_at, late, took):
    return AttemptRecord(
        number=number, node="a", due_at=due_at, started_at=due_at + late, ended_at=due_at + late + took
    )


def tried(*attempts):
    return [point.tried for point in line_of(history(*attempts)) if point.tried]


@settings(deadline=None)
@given(lengths, lengths, lengths, st.integers(1, 3_600 * SECOND))
def test_waits_and_work_fill_the_bar_and_work_is_always_seen(backoff, late, first, took):
    earlier = attempt(1, 0, first, took)
    later = attempt(2, earlier.ended_at + backoff, late, took)

    parts = tried(earlier, later)[-1].parts

    assert [part.name for part in parts] == ["backoff", "late", "work"]
    assert [part.seconds for part in parts] == [backoff / SECOND, late / SECOND, took / SECOND]
    assert abs(sum(part.width for part in parts) - 100) < 0.1
    assert parts[-1].width > 50
    assert [part.x for part in parts] == sorted(part.x for part in parts)


def test_a_longer_wait_is_drawn_longer():
    widths = [tried(attempt(1, 0, late, SECOND))[0].parts[0].width for late in (0, SECOND, 60 * SECOND, 3_600 * SECOND)]

    assert widths == sorted(set(widths))
