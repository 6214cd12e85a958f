"""Signing in, what ends it, and what may not be done to it."""

import re
from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import expect
from test_all_pages import is_narrow, judged, walked

from databases import new_database
from polling import until
from tasker.testing.server import TaskerServer
from tasker.testing.tcp_proxy import TcpProxy

OWNER, VIEWER = "owner-key-0123456789", "viewer-key-0123456789"
BEARER = {"authorization": f"Bearer {OWNER}"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
HTTPS = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"}


def keys_in(folder):
    """A file with the keys of an owner and of a viewer."""
    file = folder / "keys"
    file.write_text(f"{OWNER} admin owner\n{VIEWER} read viewer\n")
    file.chmod(0o600)
    return str(file)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that asks for keys, for all tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("server")
    with TaskerServer(folder, "--api-keys-file", keys_in(folder)) as started:
        yield started


@pytest.fixture
def start(tmp_path):
    """Starts a server that asks for keys: ``start("--root-path", "/tasker")``."""
    started = []

    def start(*options):
        server = TaskerServer(tmp_path, "--api-keys-file", keys_in(tmp_path), *options)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.kill()


def ask(server, path, form=None, headers=None):
    """Ask as a browser does, without following anywhere: the answer, and its text."""
    origin = server.url
    host = urlsplit(origin).netloc
    connection = HTTPConnection(host, timeout=20)
    sent = {} if form is None else {**FORM, "origin": origin}
    body = None if form is None else urlencode(form)
    connection.request("GET" if form is None else "POST", path, body, {**sent, **(headers or {})})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def signed_in(server, key=OWNER, headers=None):
    """Sign in. Return the header ``Set-Cookie``, and the headers that a browser sends from then on."""
    answer, text = ask(server, "/ui/sign-in", {"key": key}, headers)
    assert answer.status == 303, text
    cookie = answer.headers["set-cookie"]
    return cookie, {**(headers or {}), "cookie": cookie.partition(";")[0]}


def is_in(server, headers):
    """Whether a browser that sends *headers* sees pages."""
    return ask(server, "/ui/tasks", headers=headers)[0].status == 200


def fill(page, key):
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def sign_ins_of(page):
    """The cookies of sign-ins that a browser has."""
    return [cookie for cookie in page.context.cookies() if "tasker-" in cookie["name"]]


def a_task(server):
    return server.call(
        "POST", "/tasks/new", {"webhook": {"delay": "1h", "url": "http://127.0.0.1:1/"}}, headers=BEARER
    )["id"]


# In, and out


@pytest.mark.parametrize("javascript", [True, False])
def test_a_page_asks_for_a_key_and_comes_back_to_where_one_was(looked, server, javascript):
    page = looked.page(base_url=server.url, java_script_enabled=javascript)
    page.goto("/ui/tasks?state=failed&state=done")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("navigation")).to_have_count(0)

    fill(page, OWNER)

    expect(page).to_have_url(f"{server.url}/ui/tasks?state=failed&state=done")
    expect(page.get_by_text("Signed in as owner")).to_be_visible()


def test_a_wrong_key_is_refused_with_what_is_wrong_and_the_log_says_who_tried(page, looked, server):
    page.goto("/ui/")
    for key, wrong in (
        ("another-key-0123456789", "The key is not valid: it is none of this server, or was revoked."),
        ("tasker_0a1b2c3d_00", "The key is mistyped or cut short."),
    ):
        fill(page, key)
        expect(page.get_by_label("API key")).to_have_accessible_description(re.compile(re.escape(wrong)))
        expect(page.get_by_label("API key")).to_have_value("")
    log = server.log.read_text()
    assert '"client": "127.0.0.1", "reason": "is mistyped or cut short"' in log
    assert "another-key" not in log
    looked.complaints.clear()


def test_signing_out_ends_it_for_good(page, server, looked):
    page.goto("/ui/tasks")
    fill(page, VIEWER)
    (cookie,) = sign_ins_of(page)
    kept = {"cookie": f"{cookie['name']}={cookie['value']}"}
    assert is_in(server, kept)

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("status")).to_have_text(re.compile("You are signed out."))
    assert sign_ins_of(page) == []
    assert not is_in(server, kept)
    page.goto("/ui/tasks")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_cookie_never_holds_the_key_and_the_store_not_what_it_holds(server):
    cookie, _ = signed_in(server)
    token = cookie.partition("=")[2].partition(";")[0]

    assert OWNER not in cookie
    assert len(token) == 43, "256 random bits"
    kept = b"".join(file.read_bytes() for file in server.database.parent.glob("tasks.db*"))
    assert token.encode() not in kept


def test_who_signs_in_and_out_is_in_the_audit_log(server):
    _, browser = signed_in(server, VIEWER)
    ask(server, "/ui/sign-out", {}, browser)
    ask(server, "/ui/sign-out", {}, browser)

    rows = server.call("GET", "/audit", headers=BEARER)["audit"][:2]

    assert [(row["action"], row["kind"], row["by"]["name"]) for row in rows] == [
        ("sign_out", "key", "viewer"),
        ("sign_in", "key", "viewer"),
    ]
    assert rows[0]["subject"] == rows[0]["by"]["id"]


def test_with_its_key_a_sign_in_ends_at_once(server):
    _, made = (server.call("POST", "/keys", {"name": "one", "role": "admin"}, headers=BEARER) for _ in range(2))
    _, browser = signed_in(server, made["key"])
    assert is_in(server, browser)

    server.call("DELETE", f"/keys/{made['id']}", headers=BEARER)

    assert not is_in(server, browser)


def test_other_tabs_say_that_one_has_signed_out(page, server, looked):
    page.goto("/ui/tasks")
    fill(page, VIEWER)
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
    other = page.context.new_page()
    other.goto("/ui/tasks")
    a_task(server)
    expect(other.get_by_text("Live", exact=True)).to_be_visible()

    page.get_by_role("button", name="Sign out").click()

    expect(other.get_by_text("Not live: your sign-in has ended")).to_be_visible()
    looked.complaints.clear()


def test_a_page_that_waits_for_its_turn_to_be_made_says_at_once_that_one_has_signed_out(page, server, looked):
    page.goto("/ui/tasks")
    fill(page, VIEWER)
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
    other = page.context.new_page()
    waiting = []  # for an answer, since before

    def let_wait(route):
        if "hx-request" in route.request.headers and not waiting:
            waiting.append(route)
        else:
            route.continue_()

    other.route("**/ui/tasks", let_wait)
    other.goto("/ui/tasks")
    with other.expect_request(lambda request: "hx-request" in request.headers):
        a_task(server)

    page.get_by_role("button", name="Sign out").click()

    expect(other.get_by_text("Not live: your sign-in has ended")).to_be_visible()
    looked.complaints.clear()


def test_signing_out_ends_what_open_pages_listen_to_and_that_of_no_others(server):
    streams = []
    for _ in range(2):
        _, browser = signed_in(server)
        connection = HTTPConnection(urlsplit(server.url).netloc, timeout=20)
        connection.request("GET", "/ui/live", headers=browser)
        stream = connection.getresponse()
        assert stream.readline().startswith(b"retry:"), "it is read"
        streams.append((browser, stream, connection))
    (browser, stream, _), (others, still, still_read) = streams

    ask(server, "/ui/sign-out", {}, browser)

    stream.read()  # to its end
    assert is_in(server, others)
    a_task(server)
    while not still.readline().startswith(b"event: signal"):
        assert not still.isclosed()
    still_read.close()


def test_on_every_node_of_a_database_one_sign_in_is_good_until_one_signs_out(tmp_path):
    url = new_database()
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    options = ("--database-url", url, "--api-keys-file", keys_in(tmp_path))
    with TaskerServer(folders[0], *options) as one, TaskerServer(folders[1], *options) as other:
        _, browser = signed_in(one)
        assert is_in(other, browser)

        ask(other, "/ui/sign-out", {}, browser)

        assert not is_in(one, browser)


def test_a_key_in_the_header_lets_in_too_and_another_scheme_is_none_of_ours(server):
    assert is_in(server, BEARER)
    _, browser = signed_in(server)
    assert is_in(server, {**browser, "authorization": "Basic cHJveHk6cHJveHk="})
    assert not is_in(server, {**browser, "authorization": "Bearer nonsense"})


def test_without_keys_nobody_signs_in(tmp_path, looked):
    with TaskerServer(tmp_path) as server:
        page = looked.page(base_url=server.url)
        page.goto("/ui/sign-in?to=/tasks")

        expect(page).to_have_url(f"{server.url}/ui/tasks")
        expect(page.get_by_text("Signed in as")).to_have_count(0)
        page.context.close()


def test_the_pages_are_well_made_for_everybody(looked, server):
    page = looked.page(base_url=server.url, extra_http_headers={"x-forwarded-for": "203.0.113.7"})

    def is_well_made(name):
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            assert judged(page) == [], f"{name}, {theme}"
        if page.get_by_label("API key").count() == 0:  # where one begins in the middle
            assert walked(page) == [], name
        is_narrow(page, name)

    page.goto("/ui/tasks")
    fill(page, "wrong")
    is_well_made("a wrong key")
    fill(page, OWNER)
    page.goto("/ui/nothing")
    is_well_made("an error")
    server.call("POST", "/pause", headers=BEARER)
    page.goto("/ui/tasks")
    is_well_made("paused, and not encrypted")
    page.context.clear_cookies()
    page.get_by_role("button", name="Resume").click()
    is_well_made("what was sent is kept")
    fill(page, OWNER)
    is_well_made("what is sent again")
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_role("status")).to_contain_text("Tasks start again.")
    looked.complaints.clear()


# In the middle of something


def test_a_button_after_the_end_of_a_sign_in_asks_for_a_key_and_goes_on(looked, server):
    page = looked.page(base_url=server.url, java_script_enabled=False)
    page.goto("/ui/tasks")
    fill(page, OWNER)
    server.call("POST", "/pause", headers=BEARER)
    page.reload()
    page.context.clear_cookies()

    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing was changed")
    fill(page, OWNER)
    expect(page.get_by_role("heading", name="You are signed in again")).to_be_visible()
    page.get_by_role("button", name="Send it now").click()

    expect(page.get_by_role("status")).to_contain_text("Tasks start again.")
    expect(page).to_have_url(re.compile(r"/ui/tasks\?"))
    looked.complaints.clear()


def test_what_was_typed_is_carried_through_the_sign_in_and_sent_then(server):
    task = a_task(server)
    path = f"/tasks/{task}/cancel"
    typed = [
        ("body", '{\r\n  "a": "<b>&amp;"\r\n}'),
        ("tag", "one"),
        ("tag", "two"),
        ("to", "x"),
        ("secret", "not to be shown"),
    ]

    answer, text = ask(server, f"/ui{path}?x=1", typed)

    assert answer.status == 401
    assert "what you typed is kept" in text
    fields = hidden_in(text, "/ui/sign-in")
    assert server.call("GET", f"/tasks/{task}", headers=BEARER)["webhook"]["state"] == "todo"

    answer, text = ask(server, "/ui/sign-in", [*fields, ("key", "wrong")])
    assert answer.status == 401
    assert hidden_in(text, "/ui/sign-in") == fields

    answer, text = ask(server, "/ui/sign-in", [*fields, ("key", OWNER)])

    assert (answer.status, "not to be shown" in re.sub(r"<input[^>]*>", "", text)) == (200, False)
    assert hidden_in(text, f"/ui{path}?x=1") == [(name, value.replace("\r\n", "\n")) for name, value in typed]
    assert server.call("GET", f"/tasks/{task}", headers=BEARER)["webhook"]["state"] == "todo", "nobody has sent it yet"


def test_a_script_that_asks_for_a_part_is_told_in_a_sentence(server):
    for form in (None, {"a": "b"}):
        answer, text = ask(
            server, "/ui/tasks" if form is None else "/ui/everything/pause", form, {"hx-request": "true"}
        )

        assert (answer.status, answer.headers["location"]) == (401, None)
        assert "Your sign-in has ended" in text
        assert "<html" not in text


def hidden_in(text, action):
    """The hidden fields of the form of a page that is sent to *action*."""
    found = []

    class Forms(HTMLParser):
        ours = False

        def handle_starttag(self, tag, attributes):
            said = dict(attributes)
            if tag == "form":
                self.ours = said.get("action") == action
            if tag == "input" and self.ours and said["type"] == "hidden":
                found.append((said["name"], said["value"].replace("\r\n", "\n")))

    Forms().feed(text)
    return found


def test_while_the_database_is_away_a_form_is_kept_and_the_sign_in_is_good_afterwards(tmp_path):
    url = new_database()
    before, _, name = url.rpartition("/")
    with TcpProxy(int(before.rpartition(":")[2])) as proxy:
        through = f"{before.rpartition(':')[0]}:{proxy.port}/{name}"
        with TaskerServer(tmp_path, "--database-url", through, "--api-keys-file", keys_in(tmp_path)) as server:
            _, browser = signed_in(server)

            proxy.refuse()
            page, _ = ask(server, "/ui/tasks", headers=browser)
            sent, text = ask(server, "/ui/everything/pause", {"note": "typed"}, browser)
            into, asking = ask(server, "/ui/sign-in", {"key": OWNER}, browser)

            assert [(each.status, each.headers["retry-after"] is None) for each in (page, sent, into)] == [
                (503, False)
            ] * 3
            assert hidden_in(text, "/ui/everything/pause") == [("note", "typed")]
            assert OWNER not in asking
            proxy.allow()
            until(lambda: is_in(server, browser), "the database is there again")


# Nobody else


def test_after_the_sign_in_nobody_is_led_to_anywhere_but_a_page(server):
    for to in (
        *("//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)"),
        *("/../healthz", "/tasks\r\nset-cookie: evil=b", "@evil.example", ".evil.example", "/nothing", "/sign-in"),
    ):
        answer, _ = ask(server, "/ui/sign-in", {"key": OWNER, "to": to})

        assert (answer.status, answer.headers["location"]) == (303, "/ui/"), to
        assert "evil=" not in answer.headers["set-cookie"]


def test_nothing_is_carried_to_where_no_form_of_ours_goes(server):
    form = {"key": OWNER, "to": "https://evil.example/", "sent": "1", "f.a": "b"}

    answer, _ = ask(server, "/ui/sign-in", form)

    assert (answer.status, answer.headers["location"]) == (303, "/ui/")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"origin": "http://evil.example"}, id="another origin"),
        pytest.param({"origin": "null"}, id="no origin to be named"),
        pytest.param({"sec-fetch-site": "cross-site"}, id="another site"),
        pytest.param({"sec-fetch-site": "same-site"}, id="another name of this site"),
        pytest.param({"content-type": "text/plain"}, id="no form"),
        pytest.param({"content-type": "application/json"}, id="JSON"),
    ],
)
@pytest.mark.parametrize("path", ["/ui/sign-in", "/ui/sign-out", "/ui/theme", "/ui/everything/pause"])
def test_no_page_but_ours_signs_anybody_in_or_out_or_does_anything(server, headers, path):
    _, browser = signed_in(server)

    answer, _ = ask(server, path, {"key": VIEWER}, {**browser, **headers})

    assert (answer.status, answer.headers["set-cookie"]) == (415 if "content-type" in headers else 403, None)
    assert is_in(server, browser)
    assert server.call("GET", "/stats", headers=BEARER)["paused_at"] is None


def test_a_form_without_any_word_of_a_browser_is_refused(server):
    connection = HTTPConnection(urlsplit(server.url).netloc)
    connection.request("POST", "/ui/sign-in", urlencode({"key": OWNER}), FORM)

    assert connection.getresponse().status == 403


def test_what_somebody_has_put_into_the_browser_before_is_no_sign_in_afterwards(server):
    """Session fixation."""
    cookie, _ = signed_in(server)
    name = cookie.partition("=")[0]
    planted = {"cookie": f"{name}={'a' * 43}"}

    answer, _ = ask(server, "/ui/sign-in", {"key": OWNER}, planted)

    assert "a" * 43 not in answer.headers["set-cookie"]
    assert not is_in(server, planted)


def test_signing_in_again_ends_what_the_browser_had(server):
    _, before = signed_in(server, VIEWER)

    answer, _ = ask(server, "/ui/sign-in", {"key": OWNER}, before)

    assert not is_in(server, before)
    assert is_in(server, {"cookie": answer.headers["set-cookie"].partition(";")[0]})


def test_who_tries_too_many_wrong_keys_has_to_wait_and_others_do_not(start):
    server = start("--trusted-proxy", "127.0.0.1")
    for number in range(10):
        other = f"2001:db8:7::{number}, 127.0.0.1"
        answer, _ = ask(server, "/ui/sign-in", {"key": f"wrong-{number}"}, {"x-forwarded-for": f"evil, {other}"})
        assert answer.status == 401

    there = {"x-forwarded-for": "2001:db8:7::ff"}
    answer, text = ask(server, "/ui/sign-in", {"key": OWNER, "to": "/tasks"}, there)

    assert answer.status == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert "Too many wrong keys" in text
    assert ("to", "/tasks") in hidden_in(text, "/ui/sign-in")
    signed_in(server, headers={"x-forwarded-for": "2001:db8:8::1"})


def test_a_link_from_another_site_leads_to_the_page_if_one_is_signed_in(looked, server):
    page = looked.page(base_url=server.url)
    page.route("http://other.example/**", lambda route: route.fulfill(content_type="text/html", body=link))
    link = f'<a href="{server.url}/ui/tasks?state=failed">There</a>'
    for is_signed_in in (False, True):
        page.goto("http://other.example/")
        page.get_by_role("link").click()
        if not is_signed_in:
            fill(page, OWNER)
        expect(page).to_have_url(f"{server.url}/ui/tasks?state=failed")
        expect(page.get_by_role("heading", name="Tasks", exact=True)).to_be_visible()


# The cookie


def test_over_plain_http_the_cookie_is_for_the_dashboard_alone(server):
    cookie, _ = signed_in(server)

    name, *attributes = re.split("[=;] ?", cookie.replace("; Path=", ";Path ").replace("; SameSite=", ";SameSite "))
    assert re.fullmatch(r"tasker-[0-9a-f]{8}", name)
    assert set(attributes[1:]) == {"Path /ui", "HttpOnly", "SameSite Strict"}


def test_over_https_the_cookie_is_locked_to_the_host(start):
    server = start("--trusted-proxy", "127.0.0.0/8")

    cookie, browser = signed_in(server, headers=HTTPS)

    name, *attributes = re.split("[=;] ?", cookie.replace("; Path=", ";Path ").replace("; SameSite=", ";SameSite "))
    assert re.fullmatch(r"__Host-tasker-[0-9a-f]{8}", name)
    assert set(attributes[1:]) == {"Path /", "HttpOnly", "SameSite Strict", "Secure"}
    assert is_in(server, browser)
    plain = {"cookie": browser["cookie"].removeprefix("__Host-")}
    assert not is_in(server, {**HTTPS, **plain}), "anybody on the way could have set that"
    out, _ = ask(server, "/ui/sign-out", {}, browser)
    assert set(re.split("; ?", out.headers["set-cookie"])[1:]) == {
        *("Path=/", "HttpOnly", "SameSite=Strict", "Secure", "Max-Age=0")
    }


def test_who_is_no_trusted_proxy_is_not_believed(start):
    server = start("--trusted-proxy", "10.0.0.1")

    cookie, _ = signed_in(server, headers=HTTPS)

    assert "Secure" not in cookie


@pytest.mark.parametrize(
    ("options", "headers", "is_shown"),
    [
        pytest.param((), {}, False, id="on loopback"),
        pytest.param((), {"x-forwarded-for": "203.0.113.7"}, True, id="through an unknown proxy"),
        pytest.param(("--trusted-proxy", "127.0.0.1"), {**HTTPS, "x-forwarded-proto": "http"}, True, id="http"),
        pytest.param(("--trusted-proxy", "127.0.0.1"), HTTPS, False, id="https"),
        pytest.param(("--trusted-proxy", "127.0.0.1"), {**HTTPS, "x-forwarded-proto": "http, https"}, True, id="both"),
    ],
)
def test_what_others_can_read_on_its_way_says_so(start, options, headers, is_shown):
    server = start(*options)

    before = ask(server, "/ui/sign-in", headers=headers)[1]
    after = ask(server, "/ui/tasks", headers=signed_in(server, headers=headers)[1])[1]

    assert ["not encrypted" in text for text in (before, after)] == [is_shown, is_shown]


def test_a_server_that_is_open_to_all_says_so(tmp_path):
    with TaskerServer(tmp_path, "--no-auth") as server:
        through = ask(server, "/ui/tasks", headers={"x-forwarded-for": "203.0.113.7"})[1]

    assert "--no-auth" in through


def test_under_the_path_of_a_proxy_links_and_the_cookie_have_it(start):
    server = start("--root-path", "/tasker")

    to, _ = ask(server, "/ui/tasks")
    cookie, browser = signed_in(server)
    _, text = ask(server, "/ui/tasks", headers=browser)

    assert to.headers["location"] == "/tasker/ui/sign-in?to=%2Ftasks"
    assert "Path=/tasker/ui;" in cookie
    links = re.findall(r'(?:href|src|action)="([^"]*)"', text)
    assert [link for link in links if not link.startswith(("/tasker/ui", "#", "?"))] == []


def test_without_a_dashboard_there_is_nothing(start):
    server = start("--no-dashboard")

    for path in ("/ui", "/ui/", "/ui/sign-in"):
        answer, _ = ask(server, path, headers=BEARER)
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
