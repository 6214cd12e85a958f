"""Schedules on their pages."""

import pytest
from playwright.sync_api import expect

from polling import until


def put(server, name="report", **members):
    body = {"every": "1h", "task": {"webhook": {"url": "http://127.0.0.1:1/report"}}, **members}
    server.call("PUT", f"/schedules/{name}", body)


def read(server, name="report"):
    return server.call("GET", f"/schedules/{name}")


def test_a_schedule_is_created(visitor, server):
    visitor.goto("/ui/schedules")
    expect(visitor.get_by_text("A schedule makes a task again and again")).to_be_visible()
    visitor.get_by_role("main").get_by_role("link", name="New schedule").first.click()
    visitor.get_by_role("textbox", name="Name").fill("weekdays")
    visitor.get_by_role("textbox", name="Cron").fill("0 9 * * MON-FRI")
    visitor.get_by_role("textbox", name="Time zone").fill("Europe/Berlin")
    visitor.get_by_role("combobox", name="If the last run still goes on").select_option("queue")
    visitor.get_by_role("textbox", name="Tags").fill("a, b")
    visitor.get_by_role("textbox", name="What each run is").fill('{"webhook": {"url": "http://127.0.0.1:1/r"}}')

    visitor.get_by_role("button", name="Create the schedule").click()

    expect(visitor.get_by_role("status")).to_contain_text("The schedule was created.")
    found = read(server, "weekdays")
    assert (found["cron"], found["time_zone"], found["overlap"]) == ("0 9 * * MON-FRI", "Europe/Berlin", "queue")
    assert found["tags"] == ["a", "b"]


def test_its_times_are_shown_as_they_are_typed(page, server):
    page.goto("/ui/new-schedule")
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("row")).to_have_count(1 + 10)

    page.get_by_role("textbox", name="Time zone").fill("Europe/Berlin")
    page.get_by_role("textbox", name="Cron").fill("30 2 28 3 *")

    expect(preview).to_contain_text("moved: the clocks skip it")
    page.get_by_role("textbox", name="Cron").fill("61 * * * *")
    expect(preview).to_contain_text("cron:", ignore_case=True)


@pytest.mark.parametrize(
    ("field", "text"),
    [("Name", "a b"), ("Cron", "61 * * * *"), ("Time zone", "Berlin/Europe"), ("What each run is", "{")],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(page, server, forgiving, field, text):
    page.goto("/ui/new-schedule")
    page.get_by_role("textbox", name="Name").fill("report")
    page.get_by_role("textbox", name=field).fill(text)

    page.get_by_role("button", name="Create the schedule").click()

    wrong = page.get_by_role("textbox", name=field)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_value(text)


def test_a_schedule_is_paused_resumed_run_and_deleted(visitor, server):
    put(server)
    visitor.goto("/ui/schedules")
    visitor.get_by_role("link", name="report").click()
    visitor.get_by_role("button", name="Pause").click()
    expect(visitor.get_by_role("status")).to_contain_text("Paused.")
    assert read(server)["paused"] is True

    visitor.get_by_role("button", name="Resume").click()
    expect(visitor.get_by_role("status")).to_contain_text("Resumed.")
    visitor.get_by_role("button", name="Run now").click()
    expect(visitor.get_by_role("status")).to_contain_text("A run was made")
    until(lambda: [run["kind"] for run in read(server)["last_runs"]] == ["manual"], "it has run")
    visitor.get_by_text("Delete…").click()
    visitor.get_by_role("button", name="Delete the schedule").click()
    expect(visitor.get_by_role("status")).to_contain_text("The schedule was deleted.")


def test_the_next_run_is_skipped_and_the_one_after_it_stands(visitor, server):
    put(server, every="1h")
    first, second = [run["scheduled_for"] for run in read(server)["next_runs"][:2]]
    visitor.goto("/ui/schedules/report")

    visitor.get_by_role("button", name="Skip the next").click()

    expect(visitor.get_by_role("status")).to_contain_text("The next run was called off.")
    until(lambda: "task_id" in read(server)["next_runs"][0], "the next one stands in the queue")
    assert first not in [run["scheduled_for"] for run in read(server)["next_runs"]]
    assert read(server)["next_runs"][0]["scheduled_for"] == second


def test_a_change_keeps_what_was_left_alone(visitor, server):
    put(server, every="1h", jitter="1m", tags=["a"])
    visitor.goto("/ui/schedules/report/edit")
    expect(visitor.get_by_role("textbox", name="Jitter")).to_have_value("1m")

    visitor.get_by_role("textbox", name="Or every").fill("2h")
    visitor.get_by_role("button", name="Save").click()

    expect(visitor.get_by_role("status")).to_contain_text("The schedule was changed.")
    found = read(server)
    assert (found["every"], found["jitter"], found["tags"]) == ("2h", "1m", ["a"])


def test_somebody_else_who_has_changed_it_is_told_of(page, server, forgiving):
    put(server)
    page.goto("/ui/schedules/report/edit")
    put(server, every="3h")
    page.get_by_role("textbox", name="Or every").fill("2h")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed it")
    expect(page.get_by_role("textbox", name="Or every")).to_have_value("2h")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("The schedule was changed.")
    assert read(server)["every"] == "2h"
