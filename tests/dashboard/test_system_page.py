"""The system on its page, the switch that stops everything, and keys."""

import pytest
from playwright.sync_api import expect

from tasker.testing.server import TaskerServer


def test_settings_are_shown_with_their_origin_and_without_secrets(looked, tmp_path):
    folder = tmp_path / "system"
    folder.mkdir()
    options = ("--max-deliveries", "7", "--webhook-secret", "whsec_Y2FuYXJ5LXNlY3JldC1jYW5hcnktc2VjcmV0", "--alert-url")
    with TaskerServer(folder, *options, "http://127.0.0.1:1/canary-alert") as server:
        page = looked.page(base_url=server.url)
        page.goto("/ui/system")

        rows = page.get_by_role("region", name="Settings").get_by_role("row")
        expect(rows.filter(has_text="max_deliveries")).to_contain_text("--max-deliveries")
        expect(rows.filter(has_text="max_deliveries")).to_contain_text("7")
        expect(rows.filter(has_text="keep_done")).to_contain_text("default")
        assert "canary-alert" not in page.content()
        assert "Y2FuYXJ5" not in page.content()
        page.close()


def test_everything_is_paused_and_resumed(page, server):
    page.goto("/ui/system")
    page.get_by_text("Pause everything…").click()

    page.get_by_role("button", name="Pause everything").click()

    expect(page.get_by_role("status")).to_contain_text("Everything is paused.")
    assert server.call("GET", "/stats")["paused_at"] is not None
    page.goto("/ui/tasks")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert server.call("GET", "/stats")["paused_at"] is None


def test_the_node_and_the_database_are_shown(page, server):
    page.goto("/ui/system")

    expect(page.get_by_role("region", name="Nodes")).to_contain_text(server.url)
    expect(page.get_by_text("Write-ahead log")).to_be_visible()


@pytest.mark.parametrize(("second", "path"), [("t", "/ui/tasks"), ("f", "/ui/failures"), ("s", "/ui/schedules")])
def test_keys_lead_to_pages(page, server, second, path):
    page.goto("/ui/")

    page.keyboard.press("g")
    page.keyboard.press(second)

    page.wait_for_url(f"**{path}")


def test_rows_are_walked_and_marked_with_keys_and_typing_is_left_alone(page, server):
    for key in ("a", "b"):
        server.call("POST", "/tasks/new", {"webhook": {"delay": "1h", "url": f"http://127.0.0.1:1/{key}"}})
    page.goto("/ui/tasks")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")

    expect(page.get_by_role("link", name="127.0.0.1:1/a")).to_be_focused()
    expect(page.get_by_role("row").filter(has_text="127.0.0.1:1/a").get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("/")
    page.keyboard.type("gt")
    expect(page.locator('form[role="search"] input:focus')).to_have_value("gt")
    assert page.url.endswith("/ui/tasks")


def test_keys_are_explained(page, server):
    page.goto("/ui/")

    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
