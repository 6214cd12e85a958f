"""Destinations, failures and the audit log on their pages."""

import pytest
from playwright.sync_api import expect

from polling import until

HOST = "http://127.0.0.1:1"


def new(server, **members):
    task = {"delay": "1h", "url": f"{HOST}/hooks", **members}
    return server.call("POST", "/tasks/new", {"webhook": task})["id"]


def failed(server, count=1, **members):
    """So many tasks that have failed."""
    for _ in range(count):
        new(server, delay=0, retry={"max_attempts": 1}, **members)
    until(lambda: len(server.call("GET", "/tasks?state=failed")["tasks"]) == count, "they fail")


def the_destination(server):
    return next(each for each in server.call("GET", "/destinations") if each["name"] == HOST)


def test_a_destination_is_paused_and_resumed(visitor, server):
    new(server)
    visitor.goto("/ui/destinations")
    visitor.get_by_role("link", name=HOST).click()

    visitor.get_by_role("button", name="Pause").click()

    expect(visitor.get_by_role("status")).to_contain_text("Paused.")
    assert the_destination(server)["paused"] is True
    expect(visitor.get_by_role("region", name="Changes")).to_contain_text("pause")
    visitor.goto("/ui/destinations")
    expect(visitor.get_by_role("region", name="Destinations in trouble")).to_contain_text("paused")
    visitor.get_by_role("link", name=HOST).click()
    visitor.get_by_role("button", name="Resume").click()
    expect(visitor.get_by_role("status")).to_contain_text("Resumed.")
    assert the_destination(server)["paused"] is False


def test_limits_are_changed_in_place_and_taken_away(visitor, server):
    new(server)
    visitor.goto(f"/ui/destinations/{the_destination(server)['id']}")
    visitor.get_by_role("textbox", name="At once").fill("3")
    visitor.get_by_role("textbox", name="A second").fill("0.5")

    visitor.get_by_role("button", name="Save the limits").click()

    expect(visitor.get_by_role("status")).to_contain_text("The limits were changed.")
    found = the_destination(server)
    assert (found["max_running"], found["max_per_second"]) == (3, 0.5)
    visitor.get_by_role("textbox", name="At once").fill("")
    visitor.get_by_role("button", name="Save the limits").click()
    expect(visitor.get_by_role("status")).to_be_visible()
    assert (the_destination(server)["max_running"], the_destination(server)["max_per_second"]) == (None, 0.5)


@pytest.mark.parametrize(
    ("field", "text"),
    [("At once", "0"), ("At once", "many"), ("At once", "2.5"), ("A second", "-1"), ("A second", "nan")],
)
def test_a_limit_that_is_none_is_said_at_its_field(page, server, forgiving, field, text):
    new(server)
    page.goto(f"/ui/destinations/{the_destination(server)['id']}")
    page.get_by_role("textbox", name=field).fill(text)

    page.get_by_role("button", name="Save the limits").click()

    wrong = page.get_by_role("textbox", name=field)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_value(text)
    assert the_destination(server)["max_running"] is None


def test_a_destination_that_fails_can_be_probed_unless_it_was_paused_meanwhile(page, server, forgiving):
    for _ in range(8):
        new(server, delay=0)
    until(lambda: the_destination(server)["circuit"]["state"] != "closed", "its circuit opens")
    page.goto(f"/ui/destinations/{the_destination(server)['id']}")
    expect(page.get_by_role("button", name="Probe now")).to_be_visible()
    server.call("POST", f"/destinations/{the_destination(server)['id']}/pause")

    answer = page.evaluate(
        "path => fetch(path, {method: 'POST', body: new URLSearchParams()}).then(answer => answer.status)",
        f"/ui/destinations/{the_destination(server)['id']}/probe",
    )

    assert answer == 409


def test_what_failed_since_a_time_is_retried_at_once(page, server):
    failed(server, 2)
    page.goto(f"/ui/destinations/{the_destination(server)['id']}")
    page.get_by_role("combobox", name="Retry all that failed").fill("last hour")

    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("button", name="Retry 2 tasks").click()

    until(lambda: server.call("GET", "/operations")["operations"][0]["changed"] == 2, "they are retried")


def test_failures_are_grouped_and_retried_by_group(visitor, server):
    failed(server, 3)
    visitor.goto("/ui/failures")
    rows = visitor.get_by_role("region", name="Failures").get_by_role("row")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("connect_refused")

    visitor.get_by_role("button", name="Retry all").click()
    visitor.get_by_role("button", name="Retry 3 tasks").click()

    until(lambda: server.call("GET", "/operations")["operations"][0]["changed"] == 3, "they are retried")


def test_a_time_without_failures_says_so(page, server):
    page.goto("/ui/failures?span=1h")

    expect(page.get_by_text("No attempt has failed in this time.")).to_be_visible()


def test_the_audit_log_is_filtered(visitor, server):
    id_ = new(server)
    server.call("POST", f"/tasks/{id_}/cancel")
    server.call("POST", f"/destinations/{the_destination(server)['id']}/pause")
    visitor.goto("/ui/audit")
    rows = visitor.get_by_role("region", name="Changes").get_by_role("row")
    expect(rows).to_have_count(1 + 2)

    visitor.get_by_role("combobox", name="What").select_option("destination")
    visitor.get_by_role("button", name="Find").click()

    expect(rows).to_have_count(1 + 1)
    expect(rows.nth(1)).to_contain_text("pause")
    visitor.get_by_role("link", name=HOST).click()
    assert "/ui/destinations/" in visitor.url


def test_a_time_that_means_nothing_is_said(page, server, forgiving):
    page.goto("/ui/audit?when=soonish")

    expect(page.get_by_text("Expected a range such as today")).to_be_visible()
