"""Creating a task on its page."""

import pytest
from playwright.sync_api import expect


def newest(server):
    return server.call("GET", "/tasks?sort=-created&limit=1")["tasks"][0]


def test_a_webhook_is_created_with_all_that_its_form_has(visitor, server):
    visitor.goto("/ui/")
    visitor.get_by_role("link", name="New task").click()
    visitor.get_by_role("combobox", name="Method").select_option("PUT")
    visitor.get_by_role("textbox", name="URL").fill("http://127.0.0.1:1/hook")
    visitor.get_by_role("textbox", name="After how long").fill("2h")
    visitor.get_by_role("textbox", name="Body").fill('{"order": 7}')
    visitor.get_by_text("More", exact=True).click()
    visitor.get_by_role("textbox", name="Key").fill("order-7")
    visitor.get_by_role("textbox", name="Tags").fill("orders, eu")
    visitor.get_by_role("textbox", name="Attempts at most").fill("3")
    visitor.get_by_role("textbox", name="Headers").fill("x-customer: 42\nx-note: a: b")

    visitor.get_by_role("button", name="Create the task").click()

    expect(visitor.get_by_role("status")).to_contain_text("The task was created.")
    task = newest(server)["webhook"]
    assert visitor.url.partition("?")[0].endswith(task["id"])
    assert (task["method"], task["url"], task["json"]) == ("PUT", "http://127.0.0.1:1/hook", {"order": 7})
    assert (task["key"], task["tags"], task["retry"]["max_attempts"]) == ("order-7", ["orders", "eu"], 3)
    assert list(task["headers"]) == ["x-customer", "x-note"]


def test_a_time_of_the_visitors_clocks_is_shown_in_utc_too(page, server):
    page.goto("/ui/new")
    page.get_by_role("textbox", name="URL").fill("http://127.0.0.1:1/hook")

    page.get_by_label("At what time").fill("2126-07-01T09:00:00")

    expect(page.get_by_text("Due at 2126-07-01 09:00:00")).to_contain_text("that is 2126-07-01 07:00:00 UTC")
    page.get_by_role("button", name="Create the task").click()
    expect(page.get_by_role("status")).to_be_visible()
    task = newest(server)["webhook"]
    assert (task["local_time"], task["time_zone"]) == ("2126-07-01T09:00:00", "Europe/Berlin")


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("URL", "ftp://example.org", "http"),
        ("After how long", "soon", "such as"),
        ("Body", "{", "expected JSON"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(page, server, forgiving, field, text, said):
    page.goto("/ui/new")
    page.get_by_role("textbox", name="URL").fill("http://127.0.0.1:1/hook")
    page.get_by_role("textbox", name=field).fill(text)

    page.get_by_role("button", name="Create the task").click()

    wrong = page.get_by_role("textbox", name=field)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_value(text)
    expect(wrong).to_have_accessible_description(said_of(page, said))


def said_of(page, part):
    """The text of the page that contains *part*: what describes a field."""
    text = page.locator("p.wrong").inner_text()
    assert part.lower() in text.lower()
    return text


def test_json_is_checked_as_it_is_typed(page, server):
    page.goto("/ui/new/json?type=hash")
    expect(page.get_by_text("A hash task, due at")).to_be_visible()

    page.get_by_role("textbox").fill('{"hash": {"delay": "10m"}}')

    expect(page.get_by_text("secret: expected a value")).to_be_visible()
    page.get_by_role("textbox").fill('{"hash": {"delay": "10m", "secret": "correct-horse"}}')
    page.get_by_role("button", name="Create the task").click()
    expect(page.get_by_role("status")).to_contain_text("The task was created.")
    assert "hash" in newest(server)


def test_json_that_is_no_task_is_shown_again(visitor, server, forgiving):
    visitor.goto("/ui/new/json")
    visitor.get_by_role("textbox").fill('{"nothing": {}}')

    visitor.get_by_role("button", name="Create the task").click()

    expect(visitor.get_by_text("nothing").first).to_be_visible()
    assert visitor.get_by_role("textbox").input_value() == '{"nothing": {}}'


def test_a_task_is_duplicated(visitor, server):
    id_ = server.call("POST", "/tasks/new", {"webhook": {"delay": "1h", "url": "http://127.0.0.1:1/a"}})["id"]
    visitor.goto(f"/ui/tasks/{id_}")
    visitor.get_by_text("Duplicate…").click()
    visitor.get_by_role("textbox", name="Run another like it after").fill("3d")

    visitor.get_by_role("button", name="Duplicate the task").click()

    expect(visitor.get_by_role("status")).to_contain_text("Another task like it was created.")
    assert newest(server)["webhook"]["id"] != id_
