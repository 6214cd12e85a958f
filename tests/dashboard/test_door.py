"""What holds for all pages."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect


def test_a_page_that_is_not_there_says_so(page, looked):
    answer = page.goto("/ui/nothing")

    assert answer.status == 404
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    looked.complaints.clear()


def test_pages_are_private_and_run_nothing_but_our_own_scripts(server):
    with urlopen(server.url + "/ui/tasks") as answer:
        headers = answer.headers

    assert headers["cache-control"] == "no-store"
    policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert (policy["form-action"], policy["frame-ancestors"], policy["base-uri"]) == ("'self'", "'none'", "'none'")
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="of a program"),
        pytest.param({"sec-fetch-site": "cross-site"}, id="of another site's page"),
        pytest.param({"sec-fetch-site": "same-site"}, id="of another name of this site"),
        pytest.param({"origin": "http://evil.example"}, id="of an older browser's other page"),
        pytest.param({"origin": "null"}, id="of a page without an origin"),
    ],
)
def test_a_form_that_no_page_of_ours_sent_is_refused(server, headers):
    task = server.call("POST", "/tasks/new", {"webhook": {"delay": "1h", "url": "http://127.0.0.1:1/"}})["id"]
    request = Request(
        f"{server.url}/ui/tasks/{task}/cancel",
        b"",
        {"content-type": "application/x-www-form-urlencoded", **headers},
        method="POST",
    )

    with pytest.raises(HTTPError, match="403"):
        urlopen(request)

    assert server.call("GET", f"/tasks/{task}")["webhook"]["state"] == "todo"


def test_files_are_kept_by_browsers_for_as_long_as_they_stay_the_same(page):
    answers = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - it marks what it is given

    page.goto("/ui/tasks")

    files = {answer.url.rpartition("/")[2]: answer for answer in answers if "/static/" in answer.url}
    assert {"tasker.css", "main.js", "htmx.min.js"} <= set(files)
    assert {answer.headers["cache-control"] for answer in files.values()} == {"public, max-age=31536000, immutable"}
    assert files["tasker.css"].headers["content-encoding"] == "gzip"
