"""The timeline: its picture, and the page that shows it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from tasker.dashboard import timelines
from tasker.model import instants, walls, zones
from tasker.model.history import Tally
from tasker.model.instants import SECOND
from tasker.model.steps import DueCounts, Steps
from tasker.testing.task_factory import a_task

NOW = 1_800_000_000 * SECOND
AXIS = timelines.axis_of(NOW, 3_600 * SECOND)


def new(server, count=1, **members):
    task = {"delay": "10m", "url": "http://127.0.0.1:1/hooks", **members}
    server.call("POST", "/tasks/batch", [{"webhook": task}] * count)


def test_a_fifth_of_the_picture_lies_behind_now():
    assert (AXIS.x(AXIS.first), AXIS.x(NOW), AXIS.x(AXIS.until)) == (0, 20, 100)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60))
def test_bars_stay_in_the_picture_and_only_what_stands_out_is_marked(counts):
    steps = Steps.over(NOW, NOW + len(counts) * 48 * SECOND, 48 * SECOND)
    counts = [*counts, *[0] * (steps.count - len(counts))]

    bars = timelines.densities(AXIS, steps, DueCounts(counts, [True] * steps.count))

    assert [bar.count for bar in bars] == [count for count in counts if count]
    for bar in bars:
        assert 0 <= bar.x <= 100
        assert 0 < bar.height <= 96
        assert not bar.is_spike or bar.count >= timelines.SPIKE_LEAST
    if bars and max(counts) == min(bar.count for bar in bars):
        assert not any(bar.is_spike for bar in bars if len(bars) > 1)


def test_what_stands_out_is_marked():
    steps = Steps.over(NOW, NOW + 5 * 60 * SECOND, 60 * SECOND)

    bars = timelines.densities(AXIS, steps, DueCounts([5, 6, 200, 5, 4], [True] * 5))

    assert [bar.is_spike for bar in bars] == [False, False, True, False, False]


def test_tasks_of_one_moment_stand_above_each_other():
    tasks = [a_task(due_at=NOW + 60 * SECOND) for _ in range(3)]

    dots = timelines.dots(AXIS, [(task, "example.org/hooks") for task in tasks])

    assert len({dot.x for dot in dots}) == 1
    assert len({dot.y for dot in dots}) == 3


@settings(deadline=None)
@given(st.lists(st.integers(0, 2_880), min_size=1, max_size=60))
def test_names_of_single_tasks_do_not_cover_each_other(seconds):
    tasks = [(a_task(due_at=NOW + each * SECOND), "example.org/a/path/that/is/long") for each in seconds]

    dots = timelines.dots(AXIS, tasks)

    spans = {}
    for dot in dots:
        assert 0 <= dot.y <= 100
        if dot.label:
            width = len(dot.label) * 0.7
            begins = dot.x - width if dot.is_left else dot.x
            assert begins + width <= 100
            assert all(begins >= end or begins + width <= start for start, end in spans.get(dot.y, []))
            spans.setdefault(dot.y, []).append((begins, begins + width))


@pytest.mark.parametrize("span", [900, 3_600, 6 * 3_600, 86_400, 7 * 86_400, 30 * 86_400])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Europe/Berlin"])
def test_lines_stand_at_round_times_of_the_visitors_clocks(span, zone):
    axis = timelines.axis_of(NOW, span * SECOND)

    ticks = axis.ticks(zones.zone_named(zone))

    named = [walls.wall_at(tick.at, zones.zone_named(zone)) // SECOND for tick in ticks if tick.is_named]
    assert 2 <= len(named) <= 7
    assert all(wall % 300 == 0 for wall in named)
    assert all(wall % 86_400 == 0 for wall in named) == (span > 86_400)
    assert all(0 <= tick.x <= 100 for tick in ticks)


def test_lines_of_days_follow_clocks_that_are_put_forward():
    axis = timelines.axis_of(instants.parse("2027-03-25T12:00:00Z"), 7 * 86_400 * SECOND)
    zone = zones.zone_named("Europe/Berlin")

    days = [walls.text(walls.wall_at(tick.at, zone)) for tick in axis.ticks(zone) if tick.is_day]

    assert [day[5:10] for day in days] == ["03-25", "03-26", "03-27", "03-28", "03-29", "03-30", "03-31"]
    assert all(day.endswith("T00:00:00") for day in days)


def test_later_is_higher_and_graded():
    steps = Steps.over(NOW - 180 * SECOND, NOW, 60 * SECOND)
    tallies = [Tally(lateness={"own": [*[0] * place, 9]}) for place in (2, 11, 20)]

    lates = timelines.lates(AXIS, steps, tallies)

    assert [late.grade for late in lates] == ["good", "warn", "bad"]
    assert lates[0].y > lates[1].y > lates[2].y


def test_few_tasks_are_shown_one_by_one(page, server):
    new(server, 3, url="http://127.0.0.1:1/soon")
    page.goto("/ui/timeline")
    picture = page.get_by_role("group", name="Due tasks along the time")
    expect(picture.get_by_role("link")).to_have_count(3)
    expect(page.get_by_text("3 tasks due up to")).to_be_visible()

    picture.get_by_role("link").first.click()

    expect(page.get_by_role("heading", name="127.0.0.1:1/soon")).to_be_visible()


def test_many_tasks_are_a_density_that_leads_to_them(page, server):
    new(server, 100)
    new(server, 1, delay="40m")
    page.goto("/ui/timeline?span=1h")
    page.get_by_text("As tables").click()
    table = page.get_by_role("region", name="What is due, as a table")

    table.get_by_role("row").filter(has_text="100").get_by_role("link").click()

    expect(page.get_by_role("main").get_by_text("100 tasks")).to_be_visible()


def test_a_bar_is_looked_at_closer_until_it_is_single_tasks(page, server):
    new(server, 60, delay="10m")
    new(server, 3, delay="40m", url="http://127.0.0.1:1/late")
    page.goto("/ui/timeline?span=1h")
    picture = page.get_by_role("group", name="Due tasks along the time")

    picture.get_by_role("link").last.click()

    expect(page.get_by_role("link", name="15 min")).to_have_attribute("aria-current", "true")
    expect(page.get_by_text("3 tasks due up to")).to_be_visible()
    expect(picture.get_by_role("link", name="127.0.0.1:1/late")).to_have_count(3)
    page.get_by_role("link", name="3 tasks").click()
    expect(page.get_by_role("region", name="Tasks").get_by_role("row")).to_have_count(4)


def test_a_begin_that_is_no_moment_is_refused(page, looked):
    answer = page.goto("/ui/timeline?at=noon")

    assert answer.status == 400
    looked.complaints.clear()


def test_a_new_task_appears_by_itself(page, server):
    page.goto("/ui/timeline")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_text("Nothing is due")).to_be_visible()

    new(server)

    expect(page.get_by_text("1 task due up to")).to_be_visible()


def test_the_axis_is_moved(page, server):
    new(server, delay="90m")
    page.goto("/ui/timeline?span=1h")
    expect(page.get_by_text("Nothing is due")).to_be_visible()

    page.get_by_role("link", name="Later →").click()

    expect(page.get_by_text("1 task due up to")).to_be_visible()
    page.get_by_role("link", name="Now", exact=True).click()
    assert page.url.endswith("/ui/timeline?span=1h")
