"""Changing many tasks: look, confirm, follow."""

from playwright.sync_api import expect

from polling import until


def fill(server, count, **members):
    task = {"delay": "1h", "url": "http://127.0.0.1:1/hooks", **members}
    for begin in range(0, count, 1_000):
        some = [{"webhook": task}] * min(1_000, count - begin)
        server.call("POST", "/tasks/batch", some)


def counted(server, query):
    return server.call("GET", f"/tasks?{query}&count=capped&limit=1")["count"]


def test_all_that_match_are_looked_at_before_they_are_changed(visitor, server):
    fill(server, 60, tags=["flood"])
    fill(server, 2)
    running = server.call("GET", "/tasks?tag=flood&limit=1")["tasks"][0]["webhook"]["id"]
    server.call("POST", f"/tasks/{running}/cancel")
    visitor.goto("/ui/tasks?tag=flood")

    visitor.get_by_role("radio", name="all that match (60)").check()
    visitor.get_by_role("combobox", name="What to do").select_option("cancel")
    visitor.get_by_role("button", name="See what would happen").click()

    expect(visitor.get_by_role("heading", name="What would happen: cancel many tasks")).to_be_visible()
    assert counted(server, "state=cancelled") == 1
    visitor.get_by_role("button", name="Cancel 59 tasks").click()
    expect(visitor.get_by_role("heading", name="Cancel many tasks", exact=True)).to_be_visible()
    until(lambda: counted(server, "state=cancelled") == 60, "the tasks are cancelled")
    assert counted(server, "state=todo") == 2


def test_marked_tasks_alone_are_changed(page, server):
    fill(server, 3)
    page.goto("/ui/tasks")
    marks = page.get_by_role("checkbox", name="Mark task")
    marks.nth(0).check()
    marks.nth(2).check()
    expect(page.get_by_text("the 2 marked")).to_be_visible()
    page.get_by_role("combobox", name="What to do").select_option("postpone")
    page.get_by_role("textbox", name="Postpone by").fill("2d")

    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("button", name="Postpone 2 tasks").click()

    expect(page.get_by_text("2 tasks, marked by hand")).to_be_visible()
    expect(page.get_by_text("Postponed by")).to_be_visible()


def test_all_of_a_page_are_marked_at_once(page, server):
    fill(server, 3)
    page.goto("/ui/tasks")

    page.get_by_role("checkbox", name="Mark all on this page").check()

    expect(page.get_by_text("the 3 marked")).to_be_visible()


def test_above_a_thousand_the_number_is_to_be_typed(page, server, looked):
    fill(server, 1_001)
    page.goto("/ui/tasks")
    page.get_by_role("radio", name="all that match").check()
    page.get_by_role("combobox", name="What to do").select_option("cancel")
    page.get_by_role("button", name="See what would happen").click()

    typed = page.get_by_role("textbox", name="Type 1001 to go on")
    typed.fill("1000")
    page.get_by_role("button", name="Cancel 1,001 tasks").click()

    expect(page.get_by_role("alert")).to_have_text("Type the number 1001 to go on.")
    assert counted(server, "state=cancelled") == 0
    assert len(looked.complaints) == 1  # of this answer: what a form was answered with is not fetched again
    looked.complaints.clear()
    typed.fill("1001")
    page.get_by_role("button", name="Cancel 1,001 tasks").click()
    until(lambda: counted(server, "state=cancelled") == 1_001, "the tasks are cancelled")


def test_retries_can_be_spread_and_a_wrong_rate_is_said(page, server, looked):
    fill(server, 2)
    page.goto("/ui/tasks")
    page.get_by_role("radio", name="all that match").check()
    page.get_by_role("combobox", name="What to do").select_option("run")
    page.get_by_role("button", name="See what would happen").click()

    for rate in ("fast", "0", "nan"):
        page.get_by_role("textbox", name="Per second").fill(rate)
        page.get_by_role("button", name="Run 2 tasks").click()
        expect(page.get_by_role("alert")).to_contain_text(f"got: {rate}")
    looked.complaints.clear()
    page.get_by_role("textbox", name="Per second").fill("0.5")
    page.get_by_role("button", name="Run 2 tasks").click()
    expect(page.get_by_text("Per second")).to_be_visible()
    assert server.call("GET", "/operations")["operations"][0]["per_second"] == 0.5


def test_no_task_marked_is_said(page, server, looked):
    fill(server, 1)
    page.goto("/ui/tasks")

    page.get_by_role("button", name="See what would happen").click()

    expect(page.get_by_text("No task is marked")).to_be_visible()
    looked.complaints.clear()


def test_an_operation_is_found_again_and_can_be_stopped(page, server):
    fill(server, 3)
    id_ = server.call("POST", "/operations", {"action": "run", "all": True, "per_second": 0.01})["id"]
    page.goto("/ui/operations")

    page.get_by_role("link", name="Run").click()

    assert page.url.endswith(id_)
    stop = page.get_by_role("button", name="Stop")
    if stop.count():  # it may be done already
        stop.click()
    expect(page.get_by_text("all tasks")).to_be_visible()


def test_what_would_be_refused_is_said(page, server):
    fill(server, 2)
    one = server.call("GET", "/tasks?limit=1")["tasks"][0]["webhook"]["id"]
    server.call("POST", f"/tasks/{one}/cancel")
    page.goto("/ui/tasks")
    page.get_by_role("radio", name="all that match").check()
    page.get_by_role("combobox", name="What to do").select_option("retry")

    page.get_by_role("button", name="See what would happen").click()

    expect(page.get_by_role("heading", name="Why some would be refused")).to_be_visible()
    expect(page.get_by_role("cell", name="task_not_failed")).to_be_visible()
    page.get_by_text("1 example").click()
    expect(page.get_by_role("region", name="Refused tasks").get_by_role("link")).to_have_count(1)
