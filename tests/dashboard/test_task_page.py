"""One task on its page: what happened, and what can be done."""

import pytest
from playwright.sync_api import expect

from polling import until
from tasker.testing.webhook_receiver import WebhookReceiver


def new(server, **members):
    task = {"delay": "1h", "url": "http://127.0.0.1:1/hooks/order-7", **members}
    return server.call("POST", "/tasks/new", {"webhook": task})["id"]


def read(server, id_):
    return server.call("GET", f"/tasks/{id_}")["webhook"]


def failed(server, **members):
    """A task whose one attempt was refused."""
    id_ = new(server, delay=0, retry={"max_attempts": 1}, **members)
    until(lambda: read(server, id_)["state"] == "failed", "it fails")
    return id_


def test_a_failed_task_says_why_and_is_retried(visitor, server):
    id_ = failed(server)
    visitor.goto(f"/ui/tasks/{id_}")
    expect(visitor.get_by_role("heading", name="It has failed")).to_be_visible()
    expect(visitor.get_by_role("heading", name="Attempt 1 failed")).to_be_visible()
    expect(visitor.get_by_role("link", name="connect_refused").first).to_be_visible()

    visitor.get_by_role("button", name="Retry").click()

    expect(visitor.get_by_role("status")).to_contain_text("The task runs again")
    until(lambda: read(server, id_)["attempts"] == 2, "it has run again")


def test_a_waiting_task_is_run_now(visitor, server):
    id_ = new(server)
    visitor.goto(f"/ui/tasks/{id_}")

    visitor.get_by_role("button", name="Run now").click()

    expect(visitor.get_by_role("status")).to_contain_text("The task is due now.")
    until(lambda: read(server, id_)["attempts"] == 1, "it has run")


@pytest.mark.parametrize(("button", "seconds"), [("+10 min", 600), ("+1 h", 3_600), ("+1 d", 86_400)])
def test_a_waiting_task_is_put_off(page, server, button, seconds):
    task = {"execution_time": "2126-02-10T16:30:00Z", "url": "http://127.0.0.1:1/"}
    id_ = server.call("POST", "/tasks/new", {"webhook": task})["id"]
    page.goto(f"/ui/tasks/{id_}")

    page.get_by_role("button", name=button).click()

    expect(page.get_by_role("status")).to_contain_text("The task was changed.")
    hours, minutes = divmod(30 + seconds // 60, 60)
    hours += 16
    due = f"2126-02-{10 + hours // 24}T{hours % 24:02}:{minutes:02}:00.000000Z"
    assert read(server, id_)["execution_time"] == due


def test_a_waiting_task_gets_another_time_by_the_visitors_clocks(page, server):
    id_ = new(server)
    page.goto(f"/ui/tasks/{id_}")
    page.get_by_text("At…").click()
    page.get_by_label("Run it at").fill("2126-07-01T09:00:00")

    page.get_by_role("button", name="Set the time").click()

    expect(page.get_by_role("status")).to_contain_text("The task was changed.")
    task = read(server, id_)
    assert (task["local_time"], task["time_zone"]) == ("2126-07-01T09:00:00", "Europe/Berlin")
    assert task["execution_time"] == "2126-07-01T09:00:00+02:00"


def test_a_task_is_cancelled_and_deleted(visitor, server, forgiving):
    id_ = new(server)
    visitor.goto(f"/ui/tasks/{id_}")
    visitor.get_by_role("button", name="Cancel").click()
    expect(visitor.get_by_role("status")).to_contain_text("The task was cancelled.")
    assert read(server, id_)["state"] == "cancelled"

    visitor.get_by_text("Delete…").click()
    visitor.get_by_role("button", name="Delete the task").click()

    expect(visitor.get_by_role("status")).to_contain_text("The task was deleted.")
    assert visitor.goto(f"/ui/tasks/{id_}").status == 404


def test_a_move_that_came_too_late_is_explained(looked, server, forgiving):
    page = looked.page(base_url=server.url, java_script_enabled=False)  # else the button is gone at once
    id_ = new(server)
    page.goto(f"/ui/tasks/{id_}")
    server.call("POST", f"/tasks/{id_}/cancel")

    page.get_by_role("button", name="Run now").click()

    expect(page.get_by_role("heading", name="Not possible now")).to_be_visible()


def test_what_passed_is_shown_with_what_its_parts_took(page, server):
    with WebhookReceiver() as receiver:
        id_ = new(server, delay=0, url=receiver.url("/hook"))
        until(lambda: read(server, id_)["state"] == "done", "it is done")
        page.goto(f"/ui/tasks/{id_}")

    expect(page.get_by_role("heading", name="Attempt 1 succeeded with 200")).to_be_visible()
    expect(page.get_by_role("term").filter(has_text="first byte")).to_be_visible()
    page.get_by_text("The answer").click()
    expect(page.get_by_text("It had no body.")).to_be_visible()


def test_secrets_are_masked_also_in_what_can_be_copied(page, server):
    id_ = new(
        server,
        url="http://me:canary-password@127.0.0.1:1/hook?x=1",
        headers={"x-api-key": "canary-token"},
        json={"order": 7},
    )
    page.goto(f"/ui/tasks/{id_}")
    page.get_by_text("As curl").click()
    page.get_by_text("As Python").click()

    assert "canary-" not in page.content()
    expect(page.get_by_text("-H 'x-api-key: '\"$X_API_KEY\"")).to_be_visible()
    expect(page.get_by_text("os.environ['X_API_KEY']")).to_be_visible()


def test_only_what_was_changed_is_sent(visitor, server):
    id_ = new(server, headers={"authorization": "canary-token"}, json={"order": 7}, tags=["a"])
    visitor.goto(f"/ui/tasks/{id_}/edit")
    text = visitor.get_by_role("textbox", name="What the task was given")
    assert "canary-token" not in text.input_value()

    text.fill(text.input_value().replace('"order": 7', '"order": 8'))
    visitor.get_by_role("button", name="Save").click()

    expect(visitor.get_by_role("status")).to_contain_text("The task was changed.")
    changes = server.call("GET", f"/tasks/{id_}/history")["history"][-1]["change"]["changes"]
    assert list(changes) == ["json"]


def test_two_who_edit_one_task_lose_nothing(looked, server, forgiving):
    id_ = new(server, json={"order": 7}, tags=["a"])
    one, other = looked.page(base_url=server.url), looked.page(base_url=server.url)
    for page in (one, other):
        page.goto(f"/ui/tasks/{id_}/edit")
    text = one.get_by_role("textbox", name="What the task was given")
    text.fill(text.input_value().replace('"order": 7', '"order": 8'))
    one.get_by_role("button", name="Save").click()
    expect(one.get_by_role("status")).to_be_visible()
    text = other.get_by_role("textbox", name="What the task was given")
    text.fill(text.input_value().replace('"a"', '"b"'))

    other.get_by_role("button", name="Save").click()

    expect(other.get_by_role("alert")).to_contain_text("Somebody else has changed the task")
    expect(other.get_by_role("heading", name="What it is now")).to_be_visible()
    assert '"b"' in other.get_by_role("textbox", name="What the task was given").input_value()
    assert read(server, id_)["json"] == {"order": 8}


def test_what_cannot_be_saved_is_said_and_kept(page, server, forgiving):
    id_ = new(server)
    page.goto(f"/ui/tasks/{id_}/edit")
    text = page.get_by_role("textbox", name="What the task was given")
    text.fill('{"url": "ftp://x", ')

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("expected a JSON object")
    expect(text).to_have_value('{"url": "ftp://x",')
    page.goto(f"/ui/tasks/{id_}/edit")
    text.fill(text.input_value().replace("http:", "ftp:"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("url")


def test_what_a_worker_has_is_shown_with_its_progress(page, server):
    made = server.call("POST", "/tasks/new", {"job": {"delay": 0, "queue": "shown"}})
    (job,) = server.call("POST", "/queues/shown/claim", {"wait": 20})["jobs"]
    token = {"authorization": f"Bearer {job['token']}"}
    server.call("POST", "/completions/heartbeat", {"progress": 0.4, "msg": "frame 12 of 30"}, headers=token)

    page.goto(f"/ui/tasks/{made['id']}")

    expect(page.get_by_role("heading", name="A worker has it")).to_be_visible()
    expect(page.get_by_text("40 % done. frame 12 of 30")).to_be_visible()
    expect(page.get_by_text("Lease until")).to_be_visible()
    server.call("POST", "/completions/complete", {"result": 3}, headers=token)
