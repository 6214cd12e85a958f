"""The first page: what is wrong, and how it is mended."""

from playwright.sync_api import expect

from polling import until
from tasker.testing.webhook_receiver import WebhookReceiver


def new(server, **members):
    task = {"delay": "1h", "url": "http://127.0.0.1:1/hooks", **members}
    return server.call("POST", "/tasks/new", {"webhook": task})["id"]


def wrong(page):
    return page.get_by_role("region", name="What is wrong now")


def test_a_server_without_trouble_says_so(page, server):
    page.goto("/ui/")

    expect(wrong(page)).to_contain_text("Nothing is wrong that this server knows of.")
    expect(page.get_by_text("Nothing in this time.").first).to_be_visible()


def test_figures_lead_to_just_those_tasks(page, server):
    new(server)
    failed = new(server, delay=0, retry={"max_attempts": 1})
    until(lambda: server.call("GET", f"/tasks/{failed}")["webhook"]["state"] == "failed", "it fails")
    page.goto("/ui/")

    figure = page.locator(".stat").filter(has_text="Failed in 24 h")
    expect(figure.get_by_role("link")).to_have_text("1")
    figure.get_by_role("link").click()

    expect(page.get_by_role("region", name="Tasks").get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("link", name="Remove filter ended: last 24 h")).to_be_visible()


def test_what_is_due_soon_is_shown_by_the_minute(page, server):
    new(server, delay="5m")
    page.goto("/ui/")
    figure = page.get_by_role("figure", name="How many tasks are due in each minute")
    figure.get_by_text("As a table").click()

    row = figure.get_by_role("row").filter(has=page.get_by_role("cell", name="1", exact=True))
    row.get_by_role("link").click()

    expect(page.get_by_role("region", name="Tasks").get_by_role("row")).to_have_count(2)


def test_a_paused_destination_is_resumed_from_here(page, server):
    new(server, delay=0, url="http://127.0.0.1:1/a")
    id_ = server.call("GET", "/destinations")[0]["id"]
    server.call("POST", f"/destinations/{id_}/pause")
    page.goto("/ui/")
    expect(wrong(page)).to_contain_text("http://127.0.0.1:1 is paused")

    wrong(page).get_by_role("button", name="Resume").click()

    until(lambda: not server.call("GET", f"/destinations/{id_}")["paused"], "it is resumed")


def test_a_destination_that_fails_is_named_with_its_buttons(page, server):
    for _ in range(8):
        new(server, delay=0, url="http://127.0.0.1:1/a")
    until(lambda: "open" in str(server.call("GET", "/destinations")), "its circuit opens")
    page.goto("/ui/")

    expect(wrong(page)).to_contain_text("http://127.0.0.1:1 has been failing since")
    expect(wrong(page)).to_contain_text("in a row")
    expect(wrong(page).get_by_role("button", name="Pause")).to_be_visible()


def test_all_that_wait_for_what_is_paused_are_given_up_from_here(page, server):
    new(server, delay=0, url="http://127.0.0.1:1/a")
    id_ = server.call("GET", "/destinations")[0]["id"]
    server.call("POST", f"/destinations/{id_}/pause")
    waits = new(server, delay=0, url="http://127.0.0.1:1/b")
    other = new(server, url="http://127.0.0.1:2/a")
    page.goto("/ui/")

    wrong(page).get_by_role("button", name="Give up all that wait…").click()
    page.get_by_role("button", name="Cancel").last.click()

    until(lambda: server.call("GET", f"/tasks/{waits}")["webhook"]["state"] == "cancelled", "it is given up")
    assert server.call("GET", f"/tasks/{other}")["webhook"]["state"] == "todo"


def test_attempts_and_lateness_are_drawn_and_stand_in_a_table(page, server):
    with WebhookReceiver() as receiver:
        id_ = new(server, delay=0, url=receiver.url("/hook"))
        until(lambda: server.call("GET", f"/tasks/{id_}")["webhook"]["state"] == "done", "it is done")
    page.goto("/ui/?span=1h")

    lateness = page.get_by_role("figure", name="How late attempts began", exact=True)
    expect(lateness.locator("canvas")).to_be_visible()
    attempts = page.get_by_role("figure", name="How many attempts ended")
    attempts.get_by_text("As a table").click()
    expect(attempts.get_by_role("row").filter(has_text="1").last).to_be_visible()


def test_a_span_that_is_none_is_refused(page, looked):
    answer = page.goto("/ui/?span=1y")

    assert answer.status == 400
    looked.complaints.clear()
