"""POST /tasks/new: what is taken, what is refused and in which words."""

import json
from uuid import UUID

import pytest
from rest_server import HASH, LATER, WEBHOOK, on_one_store, problem_in, running

pytestmark = pytest.mark.anyio


async def test_a_new_task_is_answered_with_its_id_and_its_place(server):
    reply = await server.call("POST", "/tasks/new", WEBHOOK)

    assert reply.status == 201
    assert list(reply.json) == ["id"]
    assert UUID(reply.json["id"]).version == 7
    assert reply.headers["location"] == f"/tasks/{reply.json['id']}"
    assert reply.headers["content-type"] == "application/json"


async def test_a_task_is_given_back_as_it_was_sent(server):
    body = '{ "key": "välue \\ud83d" }\r\n'
    task_id = await server.new({"webhook": WEBHOOK["webhook"] | {"body": body, "retry": {"max_attempts": 3}}})

    task = (await server.call("GET", f"/tasks/{task_id}")).json["webhook"]

    assert task == {
        "id": task_id,
        "type": "webhook",
        "state": "todo",
        "created_at": task["created_at"],
        "execution_time": LATER,
        "attempts": 0,
        "last_error": None,
        "started_at": None,
        "ended_at": None,
        "lateness_seconds": None,
        "url": WEBHOOK["webhook"]["url"],
        "body": body,
        "retry": {"max_attempts": 3},
    }


@pytest.mark.parametrize("members", [{}, {"body_base64": "AP/+Cg=="}, {"method": "PUT"}, {"json": None}], ids=str)
async def test_a_webhook_has_one_body_or_none_and_shows_what_it_was_given(server, members):
    task_id = await server.new({"webhook": NO_BODY | members})

    task = (await server.call("GET", f"/tasks/{task_id}")).json["webhook"]

    shown = {name: task[name] for name in ("body", "json", "body_base64", "method") if name in task}
    assert shown == members


@pytest.mark.parametrize("spelling", ["webhook", "Webhook", "WebHook", "hash", "Hash"])
async def test_every_spelling_of_a_task_type_is_taken(server, spelling):
    task_id = await server.new({spelling: (WEBHOOK | HASH)[spelling.lower()]})

    assert list((await server.call("GET", f"/tasks/{task_id}")).json) == [spelling.lower()]


async def test_of_a_name_that_comes_twice_the_last_one_counts(server):
    body = b'{"hash": {"secret": "first", "execution_time": "%b", "secret": "last"}}' % LATER.encode()

    task_id = await server.new(body)

    assert (await server.call("GET", f"/tasks/{task_id}")).json["hash"]["secret"] == "last"


async def test_a_nul_is_allowed_in_bodies_and_secrets(server):
    for request in ({"webhook": WEBHOOK["webhook"] | {"body": "a\0b"}}, {"hash": HASH["hash"] | {"secret": "a\0b"}}):
        task_id = await server.new(request)
        assert "a\0b" in next(iter((await server.call("GET", f"/tasks/{task_id}")).json.values())).values()


async def test_an_escaped_surrogate_pair_is_the_character_it_stands_for(server):
    task_id = await server.new(b'{"hash": {"secret": "\\ud83d\\udd11", "execution_time": "%b"}}' % LATER.encode())

    assert (await server.call("GET", f"/tasks/{task_id}")).json["hash"]["secret"] == "\U0001f511"


async def test_a_url_of_64_kib_is_taken(server):
    url = "http://localhost:9000/?" + "x" * 65_536

    task_id = await server.new({"webhook": WEBHOOK["webhook"] | {"url": url}})

    assert (await server.call("GET", f"/tasks/{task_id}")).json["webhook"]["url"] == url


NO_BODY = {name: value for name, value in WEBHOOK["webhook"].items() if name != "body"}

WRONG = {
    "a time in the past": (
        "webhook.execution_time",
        {"webhook": WEBHOOK["webhook"] | {"execution_time": "2001-01-01T00:00:00Z"}},
    ),
    "a time without an offset": (
        "webhook.execution_time",
        {"webhook": WEBHOOK["webhook"] | {"execution_time": "2126-01-01T00:00:00"}},
    ),
    "a date": ("hash.execution_time", {"hash": HASH["hash"] | {"execution_time": "2126-01-01"}}),
    "a time beyond the year 9999": (
        "hash.execution_time",
        {"hash": HASH["hash"] | {"execution_time": "9999-12-31T23:59:59-00:01"}},
    ),
    "a number for a time": ("hash.execution_time", {"hash": HASH["hash"] | {"execution_time": 4102444800}}),
    "an empty url": ("webhook.url", {"webhook": WEBHOOK["webhook"] | {"url": ""}}),
    "a number for a url": ("webhook.url", {"webhook": WEBHOOK["webhook"] | {"url": 5}}),
    "a url without a host": ("webhook.url", {"webhook": WEBHOOK["webhook"] | {"url": "http://"}}),
    "another scheme": ("webhook.url", {"webhook": WEBHOOK["webhook"] | {"url": "ftp://example.org/x"}}),
    "a nul in a url": ("webhook.url", {"webhook": WEBHOOK["webhook"] | {"url": "http://example.org/\0"}}),
    "an empty body": ("webhook.body", {"webhook": WEBHOOK["webhook"] | {"body": ""}}),
    "an empty body in base64": ("webhook.body_base64", {"webhook": {**NO_BODY, "body_base64": ""}}),
    "no base64": ("webhook.body_base64", {"webhook": {**NO_BODY, "body_base64": "e-A="}}),
    "a number for base64": ("webhook.body_base64", {"webhook": {**NO_BODY, "body_base64": 5}}),
    "a body and bytes": ("webhook.body_base64", {"webhook": WEBHOOK["webhook"] | {"body_base64": "eA=="}}),
    "a body and json": ("webhook.json", {"webhook": WEBHOOK["webhook"] | {"json": None}}),
    "another method": ("webhook.method", {"webhook": WEBHOOK["webhook"] | {"method": "TRACE"}}),
    "a header that tasker makes": (
        "webhook.headers.Host",
        {"webhook": WEBHOOK["webhook"] | {"headers": {"Host": "x"}}},
    ),
    "a number for a header": ("webhook.headers", {"webhook": WEBHOOK["webhook"] | {"headers": {"a": 1}}}),
    "a line end in a header": ("webhook.headers.a", {"webhook": WEBHOOK["webhook"] | {"headers": {"a": "b\r\nc: d"}}}),
    "no time at all": ("webhook.timeout", {"webhook": WEBHOOK["webhook"] | {"timeout": 0}}),
    "a success that is no status": ("webhook.success[1]", {"webhook": WEBHOOK["webhook"] | {"success": [200, "all"]}}),
    "no url": ("webhook.url", {"webhook": {"execution_time": LATER, "body": "x"}}),
    "no time": ("hash.execution_time", {"hash": {"secret": "x"}}),
    "an empty secret": ("hash.secret", {"hash": HASH["hash"] | {"secret": ""}}),
    "a secret of more than 4 KiB": ("hash.secret", {"hash": HASH["hash"] | {"secret": "x" * 4097}}),
    "an unknown member": ("hash.secert", {"hash": HASH["hash"] | {"secert": "x"}}),
    "an unknown member of retry": ("hash.retry.jiter", {"hash": HASH["hash"] | {"retry": {"jiter": 0}}}),
    "a long unknown member": ("hash." + "x" * 60 + "...", {"hash": HASH["hash"] | {"x" * 9_000: "x"}}),
    "an unknown member with a quote": ("hash.a` - at `$.b", {"hash": HASH["hash"] | {"a` - at `$.b": "x"}}),
    "a retry out of range": ("hash.retry.max_attempts", {"hash": HASH["hash"] | {"retry": {"max_attempts": 0}}}),
    "a fraction of an attempt": ("hash.retry.max_attempts", {"hash": HASH["hash"] | {"retry": {"max_attempts": 1.5}}}),
    "a huge number": ("hash.retry.factor", {"hash": HASH["hash"] | {"retry": {"factor": 10**400}}}),
    "a number beyond 64 bits": ("hash.retry.max_attempts", {"hash": HASH["hash"] | {"retry": {"max_attempts": 2**64}}}),
    "a huge fraction": ("hash.retry.max_delay", {"hash": HASH["hash"] | {"retry": {"max_delay": 1e300}}}),
    "a negative wait": ("hash.retry.initial_delay", {"hash": HASH["hash"] | {"retry": {"initial_delay": -0.001}}}),
    "a nul in a time": ("hash.execution_time", {"hash": HASH["hash"] | {"execution_time": f"{LATER}\0"}}),
    "digits of another script in a time": (
        "hash.execution_time",
        {"hash": HASH["hash"] | {"execution_time": LATER.replace("1", "\u0661")}},
    ),
    "a time of 64 KiB": ("hash.execution_time", {"hash": HASH["hash"] | {"execution_time": "2" * 65_536}}),
    "text for a number": ("hash.retry.jitter", {"hash": HASH["hash"] | {"retry": {"jitter": "0.1"}}}),
    "null for a member that may be left out": ("hash.retry", {"hash": HASH["hash"] | {"retry": None}}),
    "an unknown type": ("mail", {"mail": HASH["hash"]}),
    "a text for a webhook": ("webhook", {"webhook": "x"}),
    "null for a webhook": ("webhook", {"webhook": None}),
    "two types": ("", WEBHOOK | HASH),
    "two spellings": ("", {"hash": HASH["hash"], "Hash": HASH["hash"]}),
    "no type": ("", {}),
    "a list": ("", []),
    "a number": ("", 7),
    "null": ("", None),
}


@on_one_store
@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_request_is_refused_in_words_that_name_the_field(server, what):
    field, request = WRONG[what]

    reply = await server.call("POST", "/tasks/new", json.dumps(request).encode())

    assert reply.status == 400
    text = problem_in(reply)
    assert reply.json["code"] == "invalid_task"
    assert reply.json.get("field", "") == field
    assert text.startswith(field)
    assert "expected" in text
    assert "`" not in text.removeprefix(field), "msgspec's own words"
    assert (await server.call("GET", "/stats")).json["tasks"]["todo"] == 0


NOT_JSON = {
    "nothing": b"",
    "a beginning": b'{"hash": {',
    "not UTF-8": b'{"hash": {"secret": "\xff"}}',
    "a name that is not UTF-8": b'{"\xff": 1}',
    "a lone surrogate": b'{"hash": {"secret": "\\ud800", "execution_time": "x"}}',
    "a lone surrogate at the end": b'{"hash": {"secret": "\\ud800"}}',
    "a lone surrogate in a name": b'{"\\udc00": 1}',
    "a surrogate in UTF-8": b'{"hash": {"secret": "\xed\xa0\x80"}}',
    "a newline in text": b'{"hash": {"secret": "a\nb"}}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "100,000 brackets": b"[" * 100_000,
    "100,000 braces": b'{"hash":' * 100_000,
    "100,000 brackets for a secret": b'{"hash": {"secret": ' + b"[" * 100_000,
    "100,000 brackets after it": b'{"hash": {"secret": "x", "execution_time": "%b"}}' % LATER.encode() + b"[" * 100_000,
    "an unknown member, and another that is not UTF-8": b'{"url": "http://h/", "\xff": 1}',
    "100,000 brackets after an unknown member": b'{"x.y": ' + b"[" * 100_000,
    "100,000 brackets after a number for a time": b'{"hash": {"execution_time": 1, "secret": ' + b"[" * 100_000,
    "more after it": json.dumps(HASH).encode() + b" x",
    "not a number": b'{"hash": {"retry": {"jitter": NaN}}}',
    "json that is not UTF-8": b'{"webhook": {"url": "http://h/", "json": "\xff", "execution_time": "%b"}}'
    % LATER.encode(),
    "a number beyond all floats": b'{"hash": {"retry": {"jitter": 1e999}}}',
    "a number of 100,000 digits": b'{"hash": {"retry": {"jitter": ' + b"1" * 100_000 + b"}}}",
    "a lone surrogate in a body": b'{"webhook": {"url": "http://h/", "body": "\\udfff", "execution_time": "x"}}',
    "a lone surrogate in a url": b'{"webhook": {"url": "http://h/\\ud800", "body": "x", "execution_time": "x"}}',
    "a form": b"secret=x&execution_time=y",
}


@on_one_store
@pytest.mark.parametrize("what", NOT_JSON)
async def test_what_is_not_json_is_refused(server, what):
    await server.refused("POST", "/tasks/new", NOT_JSON[what])


async def test_the_next_request_on_the_same_connection_works_after_a_refusal(server):
    connection = await server.connect()
    for body in NOT_JSON.values():
        assert (await connection.request("POST", "/tasks/new", body)).status == 400

    assert (await connection.request("POST", "/tasks/new", HASH)).status == 201
    await connection.close()


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_the_media_type_may_have_parameters_and_capitals(server, media_type):
    reply = await server.call("POST", "/tasks/new", HASH, {"content-type": media_type})

    assert reply.status == 201


@on_one_store
@pytest.mark.parametrize(
    "media_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
async def test_a_post_that_is_not_declared_to_be_json_is_refused_and_told_how(server, media_type):
    text = await server.refused("POST", "/tasks/new", HASH, {"content-type": media_type}, status=415)

    assert "curl --json" in text


async def test_a_percent_escaped_path_is_the_same_path(server):
    assert (await server.call("POST", "/tasks/%6eew", HASH)).status == 201


async def test_a_body_may_come_in_chunks(server):
    body = json.dumps(HASH).encode()
    connection = await server.connect()
    await connection.send(
        "POST /tasks/new HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        "transfer-encoding: chunked\r\n\r\n"
    )
    for byte in body:
        await connection.send(b"1\r\n%c\r\n" % byte)
    await connection.send("0\r\nx-trailer: ignored\r\n\r\n")

    assert (await connection.reply()).status == 201
    assert (await connection.request("GET", "/healthz")).status == 200
    await connection.close()


async def test_a_client_that_waits_for_100_continue_gets_it(server):
    body = json.dumps(HASH).encode()
    connection = await server.connect()
    await connection.send(
        "POST /tasks/new HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"expect: 100-continue\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    assert (await connection.reply(head=True)).status == 100

    await connection.send(body)

    assert (await connection.reply()).status == 201
    await connection.close()


async def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_not():
    async with running(max_body_bytes=2_000) as server:
        room = 2_000 - len(json.dumps(WEBHOOK | {"webhook": WEBHOOK["webhook"] | {"body": ""}}))
        fits, too_long = ({"webhook": WEBHOOK["webhook"] | {"body": "x" * size}} for size in (room, room + 1))

        assert (await server.call("POST", "/tasks/new", fits)).status == 201
        text = await server.refused("POST", "/tasks/new", too_long, status=413)

    assert "2000" in text
    assert "--max-body-bytes" in text


async def test_an_expiry_is_shown_as_the_moment_that_it_is(server):
    task_id = await server.new({"hash": {**HASH["hash"], "expires_at": "2126-02-11T17:00:00.5+01:00"}})
    assert (await server.call("GET", f"/tasks/{task_id}")).json["hash"]["expires_at"] == "2126-02-11T16:00:00.500000Z"


@pytest.mark.parametrize("number", [1763900000, 1763900000.0, 1763900000000])
async def test_a_number_in_place_of_a_time_is_told_what_it_would_be(server, number):
    for member in ("execution_time", "expires_at"):
        reply = await server.call("POST", "/tasks/new", {"hash": {**HASH["hash"], member: number}})
        assert (reply.status, reply.json["field"]) == (400, f"hash.{member}")
        assert "since 1970, write 2025-11-23T12:13:20Z" in reply.json["msg"]


async def test_tags_are_given_back_as_they_were_sent(server):
    sent = ["customer:42", "ü", "customer:42"]
    task_id = await server.new({"hash": {**HASH["hash"], "tags": sent}})
    assert (await server.call("GET", f"/tasks/{task_id}")).json["hash"]["tags"] == sent


@on_one_store
@pytest.mark.parametrize("tags", [[""], ["x" * 101], ["a", "nul\0"], ["line\n"], [f"{n}" for n in range(21)], "a", [1]])
async def test_a_tag_that_cannot_be_one_is_refused(server, tags):
    reply = await server.call("POST", "/tasks/new", {"hash": {**HASH["hash"], "tags": tags}})
    assert reply.status == 400
    assert "hash.tags" in json.dumps(reply.json)


async def test_a_task_with_a_delay_is_answered_with_its_time(server):
    answer = await server.call("POST", "/tasks/new", {"hash": {"delay": "1h", "secret": "x"}})

    assert answer.status == 201
    task = (await server.call("GET", f"/tasks/{answer.json['id']}")).json["hash"]
    assert answer.json == {"id": task["id"], "execution_time": task["execution_time"]}
    assert "delay" not in task
