"""Pages that say why something is not possible, and what to do next; what is on every page."""

import re
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from tasker.testing.server import TaskerServer

FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
NOBODY = "01a228bc-a3a5-7953-9e78-e1f559011428"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with TaskerServer(tmp_path_factory.mktemp("server")) as started:
        yield started


def a_task(server):
    return server.call("POST", "/tasks/new", {"webhook": {"delay": "1h", "url": "http://127.0.0.1:1/"}})["id"]


def refused(server, path, form=None, headers=None):
    """The status, the headers and the text of the page that a request is refused with."""
    request = Request(f"{server.url}/ui{path}", form, {**FORM, **(headers or {})})
    with pytest.raises(HTTPError) as error:
        urlopen(request)
    return error.value.code, error.value.headers, error.value.read().decode()


def test_what_is_not_there_leads_back_to_what_is(page, looked):
    page.goto(f"/ui/tasks/{NOBODY}")

    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    page.get_by_role("link", name="Back").click()

    expect(page).to_have_url(re.compile(r"/ui/tasks$"))
    looked.complaints.clear()


def test_what_is_not_possible_any_more_leads_to_how_it_is_now(looked, server):
    task = a_task(server)
    page = looked.page(base_url=server.url, java_script_enabled=False)
    page.goto(f"/ui/tasks/{task}")
    server.call("POST", f"/tasks/{task}/cancel")

    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("heading", name="Not possible now")).to_be_visible()
    page.get_by_role("link", name="Look at it as it is now").click()

    expect(page).to_have_url(f"{server.url}/ui/tasks/{task}")
    looked.complaints.clear()


def test_what_a_key_may_not_do_names_who_may(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("viewer-key-0123456789 read viewer\n")
    keys.chmod(0o600)
    with TaskerServer(tmp_path, "--api-keys-file", str(keys), "--key-rate", "3") as server:
        bearer = {"authorization": "Bearer viewer-key-0123456789"}
        status, _, text = refused(server, f"/tasks/{NOBODY}/cancel", b"", bearer)
        assert (status, "Sign in with another key" in text) == (403, True)
        assert "tasks:write" in text

        for _ in range(10):  # more than three within a second
            status, headers, text = refused(server, f"/tasks/{NOBODY}/cancel", b"note=kept", bearer)
            if status == 429:
                break

    assert (status, headers["retry-after"]) == (429, "1")
    assert 'name="note" value="kept"' in text
    assert "Send it again" in text


def test_a_part_of_a_page_is_refused_in_a_sentence_and_not_with_a_page(server):
    status, _, text = refused(server, f"/tasks/{NOBODY}", None, {"hx-request": "true"})

    assert status == 404
    assert "<html" not in text
    assert 'role="alert"' in text


def test_a_form_with_thousands_of_fields_is_refused(server):
    status, _, text = refused(server, "/theme", b"a&" * 3_000)

    assert (status, "at most 2000 fields" in text) == (400, True)


def test_an_address_of_a_form_alone_is_no_page(server):
    assert refused(server, "/everything/pause")[0] == 405


# On every page


def test_the_theme_can_be_chosen_and_stays(looked, server):
    page = looked.page(base_url=server.url, java_script_enabled=False)
    page.goto("/ui/tasks?state=failed")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    expect(page.get_by_role("button", name="Auto")).to_have_attribute("aria-pressed", "true")

    page.get_by_role("button", name="Dark").click()

    expect(page).to_have_url(f"{server.url}/ui/tasks?state=failed")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    dark = page.evaluate(ground)
    page.goto("/ui/")
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(ground) != dark


def test_while_everything_is_paused_every_page_says_so_with_the_button_that_ends_it(page, server):
    server.call("POST", "/pause")
    for path in ("/ui/", "/ui/tasks", f"/ui/tasks/{a_task(server)}"):
        page.goto(path)
        expect(page.get_by_text("Everything is paused since").first).to_be_visible()

    page.get_by_role("button", name="Resume").first.click()

    expect(page.get_by_role("status")).to_contain_text("Tasks start again.")
    expect(page.get_by_text("Everything is paused since")).to_have_count(0)
    assert server.call("GET", "/stats")["paused_at"] is None


def test_who_only_looks_sees_no_button_to_resume(looked, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("viewer-key-0123456789 read viewer\nowner-key-0123456789 admin owner\n")
    keys.chmod(0o600)
    with TaskerServer(tmp_path, "--api-keys-file", str(keys)) as server:
        server.call("POST", "/pause", headers={"authorization": "Bearer owner-key-0123456789"})
        page = looked.page(base_url=server.url)
        page.goto("/ui/tasks")
        page.get_by_label("API key").fill("viewer-key-0123456789")
        page.get_by_role("button", name="Sign in").click()

        expect(page.get_by_text("Everything is paused since")).to_be_visible()
        expect(page.get_by_role("button", name="Resume")).to_have_count(0)
        expect(page.get_by_role("link", name="New task")).to_have_count(0)
        page.context.close()
