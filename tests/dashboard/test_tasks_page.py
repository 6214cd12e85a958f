"""Finding tasks on their page, and taking them as a file."""

import csv
import io
import json
from urllib.request import urlopen

from playwright.sync_api import expect


def new(server, **members):
    task = {"delay": "1h", "url": "http://127.0.0.1:1/hooks", **members}
    return server.call("POST", "/tasks/new", {"webhook": task})["id"]


def rows(page):
    return page.get_by_role("region", name="Tasks").get_by_role("row")


def test_an_empty_list_says_how_to_begin(page, server):
    page.goto("/ui/tasks")

    expect(page.get_by_text("There are no tasks yet.")).to_be_visible()
    expect(page.get_by_text(f"{server.url}/tasks/new")).to_be_visible()


def test_filters_combine_and_stand_in_the_address(visitor, server):
    for number in range(3):
        new(server, key=f"order-{number}", tags=["orders", "eu" if number else "us"])
    cancelled = new(server, key="order-9", tags=["orders", "eu"])
    server.call("POST", f"/tasks/{cancelled}/cancel")
    visitor.goto("/ui/tasks")
    expect(rows(visitor)).to_have_count(1 + 4)

    visitor.get_by_role("checkbox", name="waiting").check()
    visitor.get_by_role("textbox", name="Tag").fill("eu")
    visitor.get_by_role("button", name="Find").click()

    expect(rows(visitor)).to_have_count(1 + 2)
    assert "state=todo" in visitor.url
    assert "tag=eu" in visitor.url
    visitor.get_by_role("textbox", name="Tag").fill("orders")
    visitor.get_by_role("button", name="Find").click()
    expect(visitor.get_by_role("list", name="Filters in force").get_by_role("link")).to_have_count(3)
    visitor.get_by_role("link", name="Remove filter state: waiting").click()
    expect(rows(visitor)).to_have_count(1 + 3)


def test_pages_follow_each_other_with_the_same_filters(visitor, server):
    server.call(
        "POST",
        "/tasks/batch",
        [{"webhook": {"delay": "1h", "url": "http://127.0.0.1:1/", "tags": ["many"]}} for _ in range(51)],
    )
    visitor.goto("/ui/tasks?tag=many")
    expect(visitor.get_by_role("main").get_by_text("51 tasks")).to_be_visible()

    visitor.get_by_role("link", name="Next").click()

    expect(rows(visitor)).to_have_count(1 + 1)
    assert "tag=many" in visitor.url


def test_a_range_in_words_finds_what_is_due_in_it(page, server):
    new(server, key="soon", delay="5m")
    new(server, key="later", delay="2d")
    page.goto("/ui/tasks")

    page.get_by_role("combobox", name="Due").fill("next 15 min")
    page.get_by_role("button", name="Find").click()

    expect(rows(page)).to_have_count(1 + 1)
    expect(rows(page).nth(1)).to_contain_text("soon")
    assert "due=next+15+min" in page.url


def test_words_that_mean_nothing_are_said_at_their_field(page, looked):
    answer = page.goto("/ui/tasks?state=todo&due=soonish")

    assert answer.status == 400
    due = page.get_by_role("combobox", name="Due")
    expect(due).to_have_value("soonish")
    expect(page.get_by_text("expected a range such as today")).to_be_visible()
    expect(page.get_by_role("checkbox", name="waiting")).to_be_checked()
    looked.complaints.clear()


def test_a_view_is_kept_by_this_browser(page, server):
    new(server, tags=["orders"])
    page.goto("/ui/tasks?tag=orders")
    page.get_by_role("textbox", name="Name of this view").fill("All orders")

    page.get_by_role("button", name="Save view").click()
    page.goto("/ui/tasks")
    page.get_by_role("link", name="All orders").click()

    assert page.url.endswith("/ui/tasks?tag=orders")
    page.get_by_role("button", name="Forget the view All orders").click()
    page.goto("/ui/tasks")
    expect(page.get_by_role("link", name="All orders")).to_have_count(0)


def test_what_is_found_can_be_taken_as_csv_that_computes_nothing(server):
    new(server, key="=1+1", tags=["a", "b"])
    new(server, key="plain", url="http://user:canary-password@127.0.0.1:1/x")
    cancelled = new(server)
    server.call("POST", f"/tasks/{cancelled}/cancel")

    with urlopen(f"{server.url}/ui/tasks/export.csv?state=todo") as answer:
        text = answer.read().decode()
        assert answer.headers["content-disposition"] == 'attachment; filename="tasks.csv"'

    found = list(csv.DictReader(io.StringIO(text)))
    assert [row["key"] for row in found] == ["'=1+1", "plain"]
    assert found[0]["tags"] == "a b"
    assert "canary-password" not in text


def test_what_is_found_can_be_taken_as_ndjson_without_secrets(server):
    new(server, key="k", headers={"authorization": "canary-token"})
    server.call("POST", "/tasks/new", {"hash": {"delay": "1h", "secret": "canary-secret"}})

    with urlopen(f"{server.url}/ui/tasks/export.ndjson") as answer:
        lines = answer.read().decode().splitlines()

    tasks = [json.loads(line) for line in lines]
    assert sorted(next(iter(task)) for task in tasks) == ["hash", "webhook"]
    assert not any("canary-" in line for line in lines)


def test_more_than_a_page_is_in_a_file(server):
    server.call(
        "POST",
        "/tasks/batch",
        [{"webhook": {"delay": "1h", "url": "http://127.0.0.1:1/"}} for _ in range(1_001)],
    )

    with urlopen(f"{server.url}/ui/tasks/export.ndjson") as answer:
        assert len(answer.read().splitlines()) == 1_001
