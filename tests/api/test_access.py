"""Who may call: hosts, keys, and the pages of other web sites."""

import pytest
from rest_server import HASH, in_memory, running

from tasker.access import Access
from tasker.api.routes.all import CALLS
from tasker.building import Asked
from tasker.callers import OWNER
from tasker.config import Settings
from tasker.engine.key_ring import KeyRing
from tasker.errors import RefusedError
from tasker.wire.fields import RequestFields

pytestmark = pytest.mark.anyio

KEYS = {"api_keys": ("first-key", "sécond-key")}


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8080",
        "LOCALHOST",
        "127.0.0.1",
        "127.0.0.1:1",
        "10.1.2.3:80",
        "[::1]",
        "[::1]:8080",
        "[FE80::1]:1",
        "tasks.example.org",
        "Tasks.Example.ORG:443",
    ],
)
async def test_without_keys_this_machine_addresses_and_allowed_hosts_may_be_called(host):
    async with running(allowed_hosts=("tasks.example.org",)) as server:
        assert (await server.call("GET", "/tasks/state/todo", headers={"host": host})).status == 200


@pytest.mark.parametrize(
    "host",
    [
        *[
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:localhost",
        ],
        *[
            "2130706433",
            "0x7f.1",
            "127.1",
            "[localhost]",
            "[127.0.0.1]",
            "::1",
            "[::1",
            "[::1].evil.example",
            "localhost@evil.example",
            "a:b:c",
        ],
        *("", " ", "loc%61lhost", "xn--tda.example", "\xe9vil.example", "x" * 5_000),
    ],
)
async def test_without_keys_another_host_name_is_refused_and_told_what_to_do(server, host):
    text = await server.refused("GET", "/tasks/state/todo", headers={"host": host}, status=403)

    assert "--allowed-host" in text
    assert len(text) < 300


async def test_a_request_without_a_host_is_refused_except_in_http_1_0(server):
    assert (await server.raw("GET /stats HTTP/1.1\r\nconnection: close\r\n\r\n")).startswith(b"HTTP/1.1 403")
    assert (await server.raw("GET /stats HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_with_keys_a_call_needs_one_of_them():
    async with running(**KEYS) as server:
        for key in ("first-key", "sécond-key"):
            bearer = f"Bearer {key}".encode().decode("latin-1")
            assert (await server.call("GET", "/stats", headers={"authorization": bearer})).status == 200
        assert (await server.call("GET", "/stats", headers={"authorization": "bearer   first-key "})).status == 200
        wrong = [
            "Bearer first-key2",
            "Bearer first-ke",
            "Basic first-key",
            "Bearer first-key, second",
            "Bearer first-key first-key",
        ]
        for authorization in (None, "", "first-key", "Bearer", "Bearer ", "Bearer wrong", "\xff\xff", *wrong):
            reply = await server.call("POST", "/tasks/new", HASH, headers={"authorization": authorization})
            assert (reply.status, reply.headers.get("www-authenticate")) == (401, "Bearer"), authorization
            assert "Authorization: Bearer" in reply.json["msg"]
            assert "first-key" not in reply.json["msg"]


async def test_a_line_of_the_key_file_says_what_its_key_may_do_and_how_it_is_called():
    async with running(api_keys=("key-of-grafana metrics  grafana  on call", "key-of-shop write", "a-key")) as server:
        for key, path, status in (
            ("key-of-grafana", "/stats", 200),
            ("key-of-grafana", "/tasks", 403),
            ("key-of-shop", "/tasks", 200),
            ("a-key", "/tasks", 200),
        ):
            reply = await server.call("GET", path, headers={"authorization": f"Bearer {key}"})
            assert reply.status == status
            if status == 403:
                assert "the API key 'grafana on call' lacks the scope tasks:read" in reply.json["msg"]
                assert "keys with the role read or write or admin have it" in reply.json["msg"]


async def test_callers_are_known_by_ids_that_tell_nothing_of_their_keys():
    access = await access_with("first-key read one", "second-key read two", "third-key")

    def caller(key):
        headers = [(b"authorization", f"Bearer {key}".encode())]
        return access.check({"headers": headers, "method": "GET", "http_version": "1.1"}, None)

    callers = [caller(f"{nth}-key") for nth in ("first", "second", "third")]

    assert [each.name for each in callers] == ["one", "two", "file"]
    assert len({each.id for each in callers}) == len({each.identity for each in callers}) == 3
    assert [each.id for each in callers if "key" in each.id] == []


@pytest.mark.parametrize("settings", [{}, KEYS], ids=["without keys", "with keys"])
async def test_the_health_of_the_server_needs_no_key_and_the_host_does_not_matter(settings):
    async with running(**settings) as server:
        for path in ("/healthz", "/readyz"):
            assert (await server.call("GET", path, headers={"host": "tasks.example.org"})).status == 200
            assert (await server.call("POST", path, headers={"host": "tasks.example.org"})).status == 405


async def test_with_keys_an_unknown_path_is_refused_like_a_call():
    async with running(**KEYS) as server:
        for path in ("/healthz/", "/tasks/new", "/stats", "/openapi.json", "/nope"):
            await server.refused("GET", path, status=401)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin", "origin": "http://localhost:8080", "host": "localhost:8080"},
        {"origin": "https://localhost", "host": "localhost"},
        {"origin": "http://localhost", "host": "localhost:80"},
        {"origin": "http://[::1]:8080", "host": "[::1]:8080"},
    ],
    ids=str,
)
async def test_own_pages_and_programs_may_change_something(server, headers):
    assert (await server.call("POST", "/tasks/new", HASH, headers)).status == 201


@pytest.mark.parametrize("settings", [{}, KEYS], ids=["without keys", "with keys"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "something-new"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://localhost:9999", "host": "localhost:8080"},
        {"origin": "http://localhost:80", "host": "localhost:443"},
        {"origin": "file://"},
        {"sec-fetch-site": "none", "origin": "http://evil.example"},
    ],
    ids=str,
)
async def test_pages_of_other_web_sites_may_change_nothing(settings, headers):
    async with running(**settings) as server:
        task_id = (await server.service.tasks.create(OWNER, _a_hash(server))).id
        headers = {"authorization": "Bearer first-key", **headers}
        for method, path, body in (
            ("POST", "/tasks/new", HASH),
            ("DELETE", f"/tasks/{task_id}", None),
            ("PUT", "/x", None),
        ):
            await server.refused(method, path, body, headers, status=403)
        assert (await server.call("GET", f"/tasks/{task_id}", headers=headers)).status == 200


@pytest.mark.parametrize("headers", [{}, {"content-length": "0"}, {"sec-fetch-site": "same-origin"}], ids=str)
async def test_a_post_without_a_body_needs_no_declaration(server, headers):
    assert (await server.call("POST", "/destinations/1/pause", headers=headers)).status == 404, "there is none"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (None, {"content-type": "text/plain"}),
        (None, {"content-type": ""}),
        (None, {"content-type": "application/x-www-form-urlencoded", "content-length": "0"}),
        (None, {"transfer-encoding": "chunked"}),
        (b"{}", {"content-type": None}),
        (b"{}", {"content-type": "text/plain"}),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/destinations/1/pause"), ("PUT", "/schedules/x"), ("PATCH", "/destinations/1")]
)
async def test_what_a_page_could_send_is_refused_whatever_the_method(server, method, path, body, headers):
    await server.refused(method, path, body, headers, status=415)


def test_every_call_that_takes_a_body_has_a_method_whose_bodies_are_declared():
    assert {call.method for call in CALLS if call.body is not None} == {"POST", "PUT", "PATCH"}


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {"content-type": None}, {}], ids=str)
async def test_the_body_of_a_delete_is_not_looked_at(server, headers):
    task_id = await server.new()
    assert (await server.call("DELETE", f"/tasks/{task_id}", b"{not json", headers)).status == 204


@pytest.mark.parametrize(
    "headers", [{"origin": "null"}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
async def test_a_post_without_a_body_of_another_web_site_is_refused(server, headers):
    await server.refused("POST", "/destinations/1/pause", None, headers, status=403)


async def access_with(*lines):
    """The rules of a server with a key file that has these lines."""
    async with in_memory() as (_, store):
        ring = KeyRing(store, lines)
        await ring.refresh()
        return Access(Settings(), ring)


def _a_hash(server):
    task_type = server.registry.get("hash")
    return Asked(task_type, task_type.fields(secret="x"), RequestFields(execution_time=HASH["hash"]["execution_time"]))


async def test_no_key_can_be_read_from_the_rules():
    access = await access_with(*KEYS["api_keys"])

    assert "first-key" not in str([vars(access), access._ring.entries])


async def test_a_refusal_never_shows_more_than_a_line():
    access = await access_with()
    headers = [(b"host", b"\r\n" * 500 + b"\x1b[31m")]
    with pytest.raises(RefusedError) as refused:
        access.check({"headers": headers, "method": "GET", "http_version": "1.1"}, None)

    assert len(str(refused.value)) < 500
    assert str(refused.value).isprintable()
