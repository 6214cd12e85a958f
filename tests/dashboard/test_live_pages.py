"""Pages that are open stay up to date, and leave alone what somebody is doing."""

from socket import socket

import pytest
from jinja2 import Environment, PackageLoader, nodes
from playwright.sync_api import expect

from polling import until
from tasker.testing.server import TaskerServer


def new(server, **members):
    task = {"delay": "1h", "url": "http://127.0.0.1:1/hooks", **members}
    return server.call("POST", "/tasks/new", {"webhook": task})["id"]


def live(page):
    return page.get_by_text("Live", exact=True)


def test_a_task_that_ends_elsewhere_is_shown_to_have_ended(page, server):
    id_ = new(server)
    page.goto(f"/ui/tasks/{id_}")
    expect(live(page)).to_be_visible()
    expect(page.get_by_role("heading", name="Not due yet")).to_be_visible()

    server.call("POST", f"/tasks/{id_}/cancel")

    expect(page.get_by_role("heading", name="It was cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.get_by_role("button", name="Run now")).to_have_count(0)


def test_rows_stay_where_they_are_and_new_ones_are_counted(page, server):
    first = new(server, key="first")
    page.goto("/ui/tasks")
    expect(live(page)).to_be_visible()
    page.get_by_role("checkbox", name=f"Mark task {first}").check()

    new(server, key="second")
    server.call("POST", f"/tasks/{first}/cancel")

    expect(page.get_by_role("link", name="1 new: show")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="first")
    expect(row).to_contain_text("cancelled")
    expect(page.get_by_role("main").get_by_text("2 tasks")).to_be_visible()
    expect(page.get_by_role("checkbox", name=f"Mark task {first}")).to_be_checked()
    expect(page.get_by_role("row").filter(has_text="second")).to_have_count(0)
    page.get_by_role("link", name="1 new: show").click()
    expect(page.get_by_role("row").filter(has_text="second")).to_be_visible()


def test_what_is_typed_and_opened_stays(page, server):
    id_ = new(server)
    page.goto(f"/ui/tasks/{id_}")
    expect(live(page)).to_be_visible()
    page.get_by_text("At…").click()
    at = page.get_by_label("Run it at")
    at.fill("2126-07-01T09:00:30")
    at.focus()

    server.call("PATCH", f"/tasks/{id_}", {"webhook": {"tags": ["moved"]}})

    expect(page.get_by_role("link", name="moved")).to_be_visible()
    expect(at).to_have_value("2126-07-01T09:00:30")
    expect(at).to_be_focused()


def test_that_everything_is_paused_is_said_on_every_page_and_that_it_goes_on(page, server):
    page.goto("/ui/audit")
    expect(live(page)).to_be_visible()
    said = page.get_by_text("Everything is paused")
    expect(said).to_have_count(0)

    server.call("POST", "/pause")
    expect(said).to_be_visible()
    page.get_by_role("main").get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Tasks start again")).to_be_visible()
    expect(live(page)).to_be_visible()

    server.call("POST", "/pause")
    expect(said).to_be_visible()
    server.call("POST", "/resume")
    expect(said).to_have_count(0)


def test_a_server_that_is_gone_is_said_and_one_that_comes_back_is_heard(looked, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    with TaskerServer(folder) as server:
        port = server.url.rpartition(":")[2]
        id_ = new(server)
        page = looked.page(base_url=server.url)
        page.goto(f"/ui/tasks/{id_}")
        expect(live(page)).to_be_visible()
        server.stop()
        expect(page.get_by_text("Not live")).to_be_visible()

    with TaskerServer(folder, "--listen-port", port) as server:
        expect(live(page)).to_be_visible()
        server.call("POST", f"/tasks/{id_}/cancel")
        expect(page.get_by_role("heading", name="It was cancelled")).to_be_visible()
        page.close()
    looked.complaints.clear()  # of connections that were refused meanwhile


def test_a_stream_that_a_proxy_refuses_while_the_server_is_gone_is_asked_for_again(page, server, looked):
    answers = [502]
    page.route("**/ui/live", lambda route: route.fulfill(status=answers.pop()) if answers else route.continue_())
    page.goto("/ui/tasks")
    expect(page.get_by_text("Not live: trying again")).to_be_visible()
    expect(live(page)).to_be_visible()
    looked.complaints.clear()  # of the answer of the proxy


def test_tabs_of_a_browser_share_a_connection(page, server):
    id_ = new(server)
    page.goto(f"/ui/tasks/{id_}")
    expect(live(page)).to_be_visible()
    other = page.context.new_page()
    asked = []
    other.on("request", lambda request: asked.append(request.url))
    other.goto("/ui/tasks")

    server.call("POST", f"/tasks/{id_}/cancel")

    expect(other.get_by_role("row").filter(has_text="cancelled")).to_be_visible()
    expect(page.get_by_role("heading", name="It was cancelled")).to_be_visible()
    assert not [url for url in asked if url.endswith("/live")]


def test_a_page_that_is_left_lets_go(page, server):
    ended = []
    page.on("requestfailed", lambda request: ended.append(request.url))
    page.goto("/ui/tasks")
    expect(live(page)).to_be_visible()

    page.goto("/ui/new")

    assert f"{server.url}/ui/live" in ended, "and perhaps a refresh that was under way"


def test_the_first_task_is_shown_in_a_list_that_was_empty(page, server):
    page.goto("/ui/tasks")
    expect(live(page)).to_be_visible()
    expect(page.get_by_text("There are no tasks yet")).to_be_visible()

    id_ = new(server)

    page.get_by_role("checkbox", name=f"Mark task {id_}").check()
    expect(page.get_by_text("the 1 marked")).to_be_visible()
    expect(page.get_by_text("There are no tasks yet")).to_have_count(0)


def test_no_row_of_a_list_that_has_just_come_is_said_to_have_left(page, server):
    page.goto("/ui/tasks")
    expect(live(page)).to_be_visible()
    expect(page.get_by_role("main").get_by_text("0 tasks")).to_be_visible()
    heard = page.evaluate_handle("""() => {
        const heard = [0];
        new BroadcastChannel("tasker.live").onmessage = () => { heard[0] += 1; };
        return heard;
    }""")
    held = []
    page.route("**/ui/tasks", lambda route: route.continue_() if held else held.append(route))

    new(server)
    until(lambda: held or page.wait_for_timeout(20), "the page is fetched")
    before = heard.evaluate("heard => heard[0]")
    new(server)
    page.wait_for_function("([heard, before]) => heard[0] > before", arg=[heard, before])
    held[0].continue_()
    expect(page.get_by_role("region", name="Tasks")).to_be_visible()
    new(server)  # before it is fetched again

    expect(page.get_by_role("main").get_by_text("3 tasks")).to_be_visible()
    expect(page.get_by_role("link", name="no longer in this list")).to_have_count(0)


def test_a_row_that_has_left_its_list_says_so(page, server):
    first, second = new(server, key="first"), new(server, key="second")
    page.goto("/ui/tasks?state=todo")
    expect(live(page)).to_be_visible()
    row = page.get_by_role("row").filter(has_text="first")

    server.call("POST", f"/tasks/{first}/cancel")
    expect(row).to_have_attribute("title", "No longer in this list: this may be old")
    expect(page.get_by_role("link", name="1 no longer in this list: show")).to_be_visible()
    new(server, key="third")
    server.call("POST", f"/tasks/{second}/cancel")
    page.get_by_role("link", name="1 or more new, 2 no longer in this list: show").click()

    expect(page.get_by_role("row").filter(has_text="third")).to_be_visible()
    expect(row).to_have_count(0)


def test_a_destination_is_shown_in_trouble_while_it_is(page, server):
    with socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        new(server, url=url)
        page.goto("/ui/destinations")
        expect(live(page)).to_be_visible()
        expect(page.get_by_role("heading", name="In trouble")).to_have_count(0)

        for _ in range(20):
            new(server, url=url, delay="0s")

        expect(page.get_by_role("heading", name="In trouble")).to_be_visible()
        expect(page.get_by_role("region", name="Destinations in trouble").get_by_role("link")).to_have_text(url)


def test_a_failure_is_shown_when_it_is_there(page, server):
    page.goto("/ui/failures")
    expect(live(page)).to_be_visible()
    expect(page.get_by_text("No attempt has failed")).to_be_visible()

    new(server, url="http://127.0.0.1:1/", delay="0s", retry={"max_attempts": 1})

    expect(page.get_by_role("region", name="Failures").get_by_text("The latest example")).to_be_visible()
    expect(page.get_by_text("1 attempt failed")).to_be_visible()


def test_the_result_of_a_task_is_shown_when_it_is_there(page, server):
    id_ = server.call("POST", "/tasks/new", {"hash": {"delay": "1h", "secret": "correct-horse"}})["id"]
    page.goto(f"/ui/tasks/{id_}")
    expect(live(page)).to_be_visible()
    expect(page.get_by_text("Result", exact=True)).to_have_count(0)

    server.call("POST", f"/tasks/{id_}/run")

    expect(page.get_by_text("Result", exact=True)).to_be_visible()


def test_rows_that_new_ones_have_pushed_to_the_next_page_have_not_left(page, server):
    for number in range(50):
        new(server, key=f"k{number}")
    page.goto("/ui/tasks")
    expect(live(page)).to_be_visible()

    new(server)
    for key in ("k0", "k30"):
        server.call("POST", f"/tasks/{server.call('GET', f'/tasks?key={key}')['tasks'][0]['webhook']['id']}/cancel")

    expect(page.get_by_role("link", name="1 new: show")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="k30")).to_contain_text("cancelled")
    expect(page.locator("tr.left")).to_have_count(0)


def test_what_was_changed_elsewhere_is_told_in_the_audit_log(page, server):
    page.goto("/ui/audit")
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    expect(live(page)).to_be_visible()
    id_ = new(server)

    server.call("POST", f"/tasks/{id_}/cancel")

    expect(page.get_by_role("region", name="Changes").get_by_role("row").filter(has_text="cancel")).to_be_visible()
    server.call("PATCH", f"/tasks/{new(server)}", {"webhook": {"tags": ["moved"]}})
    expect(page.get_by_role("link", name="1 new: show")).to_be_visible()


def test_a_call_can_be_copied_after_the_page_has_been_fetched_anew(page, server):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    id_ = new(server)
    page.goto(f"/ui/tasks/{id_}")
    expect(live(page)).to_be_visible()
    page.get_by_text("As curl").click()

    server.call("PATCH", f"/tasks/{id_}", {"webhook": {"body": "news"}})

    expect(page.locator("pre").filter(has_text="curl").filter(has_text="news")).to_be_visible()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "news" in page.evaluate("navigator.clipboard.readText()")


def test_a_page_of_what_somebody_has_deleted_says_so(page, server, looked):
    id_ = new(server)
    page.goto(f"/ui/tasks/{id_}")
    expect(live(page)).to_be_visible()

    server.call("DELETE", f"/tasks/{id_}")

    expect(page.get_by_text("Not live: what it shows is gone")).to_be_visible()
    looked.complaints.clear()  # of the answer 404


def test_an_answer_of_somebody_else_changes_nothing(page, server):
    """Such as the sign-in of a proxy."""
    id_ = new(server)
    page.goto("/ui/tasks")
    expect(live(page)).to_be_visible()
    other = {"content_type": "text/html", "body": "<!doctype html><h1>Sign in here</h1>"}
    page.route(
        "**/ui/tasks",
        lambda route: route.fulfill(**other) if "hx-request" in route.request.headers else route.continue_(),
    )

    server.call("POST", f"/tasks/{id_}/cancel")

    expect(page.get_by_text("Not live: the server does not answer")).to_be_visible()
    expect(page.locator("tr.left")).to_have_count(0)


def test_a_button_to_pause_everything_comes_and_goes(page, server):
    page.goto("/ui/system")
    expect(live(page)).to_be_visible()
    expect(page.get_by_text("Pause everything…")).to_be_visible()

    server.call("POST", "/pause")
    expect(page.get_by_text("Pause everything…")).to_have_count(0)
    server.call("POST", "/resume")
    expect(page.get_by_text("Pause everything…")).to_be_visible()


# Templates

ENVIRONMENT = Environment(loader=PackageLoader("tasker.dashboard"), extensions=["jinja2.ext.do"])
WHO_ASKS = {"may", "caller", "counted"}
"""What does not change while a page is open."""


def live_parts(tree):
    """What *tree* has of parts that stay up to date, but for lists: these are in a part of their own while empty."""
    for data in tree.find_all(nodes.TemplateData):
        yield from (tag for tag in data.data.split("<")[1:] if " data-live=" in tag and "data-live-rows" not in tag)
    for included in tree.find_all(nodes.Include):
        yield from live_parts(ENVIRONMENT.parse(source(included.template.value)))


def source(name):
    return ENVIRONMENT.loader.get_source(ENVIRONMENT, name)[0]


@pytest.mark.parametrize("name", ENVIRONMENT.list_templates())
def test_what_stays_up_to_date_is_there_with_nothing_to_say_too(name):
    """A part is replaced by its new self, so one that is missing would never come, and one that ends would stay."""
    for found in ENVIRONMENT.parse(source(name)).find_all(nodes.If):
        if {each.name for each in found.test.find_all(nodes.Name)} - {"Scope"} <= WHO_ASKS:
            continue
        branches = [*found.body, *(each for part in found.elif_ for each in part.body), *found.else_]
        assert [part for each in branches for part in live_parts(each)] == [], f"line {found.lineno}"
