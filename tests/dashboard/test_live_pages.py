"""Pages that are open stay up to date, and leave alone what somebody is doing."""

from playwright.sync_api import expect

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
        expect(live(page)).to_be_visible(timeout=30_000)
        server.call("POST", f"/tasks/{id_}/cancel")
        expect(page.get_by_role("heading", name="It was cancelled")).to_be_visible()
        page.close()
    looked.complaints.clear()  # of connections that were refused meanwhile


def test_a_stream_that_a_proxy_refuses_while_the_server_is_gone_is_asked_for_again(page, server, looked):
    answers = [502]
    page.route("**/ui/live", lambda route: route.fulfill(status=answers.pop()) if answers else route.continue_())
    page.goto("/ui/tasks")
    expect(page.get_by_text("Not live: trying again")).to_be_visible()
    expect(live(page)).to_be_visible(timeout=30_000)
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
