"""What somebody can do who sees the dashboard for the first time: each step is a word on the screen.

Nobody here knows an address or an id, or reads a page of the documentation.
"""

import pytest
from playwright.sync_api import expect

from polling import until
from tasker.testing.webhook_receiver import WebhookReceiver

FLOOD = 40


class Shop:
    """A receiver that is out of order, until it is put right."""

    def __init__(self):
        self.is_broken = True

    def __call__(self, delivery):
        status = b"503 Service Unavailable" if self.is_broken else b"200 OK"
        body = b"the warehouse is closed"
        return b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def receiver(shop):
    with WebhookReceiver(shop) as started:
        yield started


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def visitor(looked, server, request):
    """Somebody at the first page, with a browser that runs scripts, and with one that runs none."""
    page = looked.page(base_url=server.url, java_script_enabled=request.param)
    page.goto("/ui/")
    return page


def counted(server, query):
    return server.call("GET", f"/tasks?{query}&count=capped&limit=1")["count"]


def test_somebody_creates_a_task_and_sees_it_done(visitor, shop, receiver):
    shop.is_broken = False
    visitor.get_by_role("link", name="New task").click()
    visitor.get_by_role("textbox", name="URL").fill(receiver.url("/orders/17"))
    visitor.get_by_role("textbox", name="After how long").fill("1s")
    visitor.get_by_role("textbox", name="Body", exact=True).fill('{"order": 17}')
    visitor.get_by_role("button", name="Create the task").click()

    expect(visitor.get_by_role("status")).to_contain_text("The task was created.")
    receiver.wait_for(1, path="/orders/17")
    assert receiver.deliveries()[0].body == b'{"order": 17}'
    if (more := visitor.get_by_role("link", name="Look at it")).count():
        more.click()
    until(lambda: is_shown(visitor, "done"), "the page says that it is done")


def is_shown(page, state):
    """Whether the page of a task says so now; without scripts it is looked at anew."""
    page.reload()
    return page.locator("main .head .state").first.inner_text().strip() == state


def test_somebody_finds_a_failed_task_sees_why_and_retries_it(visitor, shop, receiver, server):
    task = {"delay": 0, "url": receiver.url("/orders/17"), "retry": {"max_attempts": 1}}
    server.call("POST", "/tasks/new", {"webhook": task})
    server.call("POST", "/tasks/new", {"webhook": task | {"delay": "1h"}})
    until(lambda: counted(server, "state=failed") == 1, "it has failed")

    visitor.get_by_role("link", name="Overview").click()
    failed = visitor.get_by_role("term").filter(has_text="Failed in 24 h").locator("xpath=following-sibling::dd[1]")
    failed.get_by_role("link", name="1").click()
    expect(visitor.get_by_role("heading", name="Tasks")).to_be_visible()
    visitor.get_by_role("region", name="Tasks").get_by_role("link", name="/orders/17").click()
    main = visitor.get_by_role("main")
    expect(main).to_contain_text("the target answered 503")
    expect(main).to_contain_text("the warehouse is closed")

    shop.is_broken = False
    visitor.get_by_role("button", name="Retry", exact=True).click()
    expect(visitor.get_by_role("status")).to_contain_text("The task runs again")
    until(lambda: is_shown(visitor, "done"), "the page says that it is done")
    assert len(receiver.deliveries("/orders/17")) == 2


def test_somebody_stops_a_flood_of_failures(visitor, receiver, server):
    task = {"delay": 0, "url": receiver.url("/flood"), "retry": {"max_attempts": 30, "initial_delay": 2}}
    server.call("POST", "/tasks/batch", [{"webhook": task}] * FLOOD)
    until(lambda: counted(server, "reason=circuit_open") > 0, "the circuit is open")
    host = receiver.url("").rstrip("/")

    visitor.get_by_role("link", name="Overview").click()
    wrong = visitor.get_by_role("region", name="What is wrong now")
    expect(wrong).to_contain_text(f"{host} has been failing")
    wrong.get_by_role("button", name="Pause").click()
    expect(visitor.get_by_role("status")).to_contain_text("Paused.")

    visitor.get_by_role("link", name="Tasks", exact=True).click()
    visitor.get_by_role("textbox", name="Destination").fill(host)
    visitor.get_by_role("button", name="Find").click()
    visitor.get_by_role("radio", name=f"all that match ({FLOOD})").check()
    visitor.get_by_role("combobox", name="What to do").select_option("Cancel")
    visitor.get_by_role("button", name="See what would happen").click()
    visitor.get_by_role("button", name=f"Cancel {FLOOD} tasks").click()
    expect(visitor.get_by_role("heading", name="Cancel many tasks", exact=True)).to_be_visible()

    until(lambda: counted(server, "state=cancelled") == FLOOD, "all are cancelled")
    visitor.get_by_role("link", name="Overview").click()
    expect(visitor.get_by_role("main")).not_to_contain_text(f"{host} has been failing")
