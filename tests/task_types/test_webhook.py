"""Webhooks: which are taken, what is sent, and what becomes of an answer."""

import base64
import re
import time
from datetime import timedelta

import msgspec
import pytest

from tasker import __version__
from tasker.egress.http_client import DeliveryError, OutOfResourcesError
from tasker.egress.signing import Signer
from tasker.errors import AttemptMustNotBeginError, InvalidTaskError
from tasker.model.attempt import Accepted, Attempt, Exchange, Failed, Phases, Succeeded
from tasker.model.completion_token import KEY_BYTES, TokenClaim, claim_of
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import SECOND
from tasker.model.task import Fault, Pool, TaskId
from tasker.task_types.hash import HashType
from tasker.task_types.webhook import HEADERS_LIMIT, WebhookType
from tasker.timing.clock import ManualClock
from tasker.wire.fields import HashFields, WebhookFields

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

PATTERN_OF_BASE64 = msgspec.json.schema(WebhookFields)["$defs"]["WebhookFields"]["properties"]["body_base64"]["pattern"]

KEY = b"k" * KEY_BYTES

URL = "http://user:p4ss@localhost:9000/hook?t0ken"


def answered(status, **headers):
    """An answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(phases=Phases(total=0.25), status=status, headers=named, body="kept")


class FakeClient:
    """Keeps the requests it is given, and answers with what it is told to."""

    def __init__(self, answer):
        self.requests, self.closed = [], False
        self._answer = answer

    async def send(self, request, before_first_byte):
        self.requests.append(request)
        before_first_byte()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    async def close(self):
        self.closed = True


@pytest.fixture
def clock():
    return ManualClock(1_767_225_600 * SECOND + 999_999)


@pytest.fixture
def webhooks(clock):
    return WebhookType(None, clock, slots=7)


def decoded(**members):
    """What a request gives the type, as it comes out of its JSON."""
    return msgspec.json.decode(msgspec.json.encode(members), type=WebhookFields)


async def run(clock, answer, *, number=1, started=lambda: None, signer=None, public_url=None, **members):
    """Make one attempt; return its outcome and the request that was made."""
    client = FakeClient(answer)
    if not {"body", "json", "body_base64", "method"} & members.keys():
        members["body"] = "x"
    webhooks = WebhookType(client, clock, slots=1, signer=signer, public_url=public_url, completion_key=KEY)
    fields = webhooks.prepare(decoded(**{"url": URL, **members}))
    outcome = await webhooks.run(attempt_of(clock, fields, number), fields, started)
    [request] = client.requests
    return outcome, request


def attempt_of(clock, fields, number=1):
    return Attempt(
        task_id=TaskId("019bbade-01c6-7d11-821f-bc1538901f12"),
        type="webhook",
        pool=Pool(1),
        number=number,
        due_at=clock.now(),
        execution_at=clock.now(),
        fence=1,
        node="019bbade-0000-7d11-821f-bc1538901f12",
        payload=msgspec.json.encode(fields),
    )


def refused(webhooks, **members):
    """The webhook is refused; with what."""
    with pytest.raises(InvalidTaskError) as caught:
        webhooks.prepare(decoded(**{"url": "http://h/", "body": "x", **members}))
    error = caught.value
    assert "expected" in error.problem
    assert str(error).isprintable()
    assert len(str(error)) < 250
    assert "p4ss" not in str(error)
    return error


# URLs


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://localhost:9000/hook",
            "https://example.org",
            "http://h",
            "http://h?q",
            "http://h/#part",
            "HTTPS://EXAMPLE.ORG/X",
        ),
        *("http://user:pass@example.org/", "http://user@example.org/", "http://u:p%40ss@example.org/", "http://:p@h/"),
        *(
            "http://127.0.0.1:1/",
            "http://h:65535/",
            "http://[::1]/",
            "http://[::1]:8080/x",
            "http://[fe80::1%25lo]/",
        ),
        *(
            "http://bücher.example/straße?ä=ö",
            "https://例え.テスト/",
            "http://xn--bcher-kva.example/",
            "http://a_b.example/",
        ),
        *(
            "http://h/a%20b?c=%00&d=[1]",
            "http://h/%zz",
            "http://h//a/../b;c,d",
            "http://h/x?to=http://other/",
            "http://h./",
        ),
        "http://h/" + "x" * 65_536,
        "http://h/?" + "ä" * 65_536,
    ],
    ids=lambda url: url[:40],
)
def test_a_usable_url_is_kept_as_it_is(webhooks, url):
    assert webhooks.prepare(decoded(url=url, body="x")) == WebhookFields(url=url, body="x")


@pytest.mark.parametrize(
    "url", ["localhost:9000/x", "example.org", "[::1]:80/", "bücher.example/ä", "h?a=b", "h/x?to=http://other/"]
)
def test_a_url_without_a_scheme_gets_http(webhooks, url):
    assert webhooks.prepare(WebhookFields(url=url, body="x")).url == f"http://{url}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        *(
            (f"{scheme}://h/p4ss", "http or https")
            for scheme in ("ftp", "file", "ws", "javascript", "unix", "httpx", "x" * 9_000)
        ),
        *((f"http://h/a{character}b", "percent-encode") for character in "\0\t\n\r\x1f \x7f\\\x80\x85\xa0\u2028\u2029"),
        *((f"http://a{character}b/", "percent-encode") for character in "\0\n \\"),
        *((url, "percent-encode") for url in (" http://h/", "http://h/ ", "http://us er@h/", "http:\\\\h\\")),
        *(
            (url, "a host")
            for url in ("http://", "http:///p4ss", "//p4ss", "/p4ss", "http://.", "https://..", "http://?p4ss")
        ),
        *(
            (f"http://h:{port}/", "")
            for port in ("0", "65536", "-1", "99999999999999999999", "x", "8080:80", "1.5", "0x50")
        ),
        *(
            (url, "")
            for url in (
                "http://[::1/",
                "http://[zz]/",
                "http://[::1]x/",
                "http://user:p4ss@/",
                "http://[]@/",
                "http://:80/",
            )
        ),
        *(
            (url, "")
            for url in (
                "http://h\uff0fp4ss/",
                "http://h\uff1a80/",
                "http://\u2100.example/",
                "http://" + "ü" * 300 + "/",
            )
        ),
        ("://h/", "http or https"),
        ("user:p4ss@example.org/", "before a URL with a user"),
        ("user:p4ss@://h/", "http or https"),
        ("http://h:/", "no colon"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_an_unusable_url_is_refused_in_a_line_that_says_what_is_right(webhooks, url, expected):
    with pytest.raises(InvalidTaskError) as refused:
        webhooks.prepare(WebhookFields(url=url, body="x"))

    assert refused.value.field == "url"
    assert "expected" in refused.value.problem
    assert expected in refused.value.problem
    assert "p4ss" not in str(refused.value)
    assert len(str(refused.value)) < 200
    assert str(refused.value).isprintable()


# Everything else that a webhook may say


def test_what_is_stored_is_what_was_given(webhooks):
    members = {
        "url": "https://h/x",
        "method": "PUT",
        "headers": {"X-Api-Key": "p4ss", "accept": ""},
        "json": {"a": [1, None]},
        "timeout": 2.5,
        "success": [200, "4xx"],
        "retry": "standard",
        "expires_at": "2126-01-02T00:00:00Z",
        "on_success": "http://h/",
    }

    stored = msgspec.json.decode(msgspec.json.encode(webhooks.prepare(decoded(**members))))

    assert stored == members


def test_json_is_stored_byte_by_byte_as_it_was_given(webhooks):
    text = b'{ "a" : 1.0e0,\n"b":"\\u00e9", "a":2 }'
    request = msgspec.json.decode(b'{"url":"http://h/","json": %b }' % text, type=WebhookFields)

    stored = msgspec.json.encode(webhooks.prepare(request))

    assert bytes(msgspec.json.decode(stored, type=WebhookFields).json) == text


@pytest.mark.parametrize("method", METHODS)
def test_every_method_may_have_a_body_or_none(webhooks, method):
    for members in ({}, {"body": "x"}, {"json": {}}, {"body_base64": "/w=="}):
        request = decoded(url="http://h/", method=method, **members)
        assert webhooks.prepare(request) == request


@pytest.mark.parametrize(
    ("members", "field", "named"),
    [
        ({"body": "x", "json": None}, "json", "body and json"),  # null is JSON, too
        ({"body": "x", "body_base64": "eA=="}, "body_base64", "body and body_base64"),
        ({"json": 1, "body_base64": "eA=="}, "body_base64", "json and body_base64"),
        ({"body": "x", "json": 1, "body_base64": "eA=="}, "body_base64", "body and json and body_base64"),
    ],
)
def test_two_bodies_are_refused(webhooks, members, field, named):
    with pytest.raises(InvalidTaskError) as caught:
        webhooks.prepare(decoded(url="http://h/", **members))

    assert caught.value.field == field
    assert caught.value.problem.endswith(f"got {named}")


@pytest.mark.parametrize(
    "text",
    [
        *("x", "xx", "xxx", "p4ss", "p4ss=", "eA", "eA=", "eA===", "=", "==", "====", "e===", "=eA=", "eA==eA=="),
        *("eA==\n", "eA\n==", " eA==", "_-8=", "eA==\0", "ä===", "\u0661A==", "eHh4eHg"),
    ],
    ids=repr,
)
def test_what_is_no_base64_is_refused_without_being_shown(webhooks, text):
    is_base64 = re.fullmatch(PATTERN_OF_BASE64, text) is not None
    assert is_base64 is (text == "p4ss"), "what the description says is what is taken"
    if is_base64:
        return
    with pytest.raises(InvalidTaskError) as caught:
        webhooks.prepare(decoded(url="http://h/", body_base64=text))

    assert caught.value.field == "body_base64"
    assert text not in str(caught.value) or not text.strip("=x")


@pytest.mark.parametrize("text", [b'"\xff"', b'{"\xff": 1}', b'"\xed\xa0\x80"'])
def test_json_that_is_not_utf_8_is_refused(webhooks, text):
    with pytest.raises(InvalidTaskError, match=r"^json: expected JSON in UTF-8"):
        webhooks.prepare(WebhookFields(url="http://h/", json=msgspec.Raw(text)))


@pytest.mark.parametrize("name", ["X-Api-Key", "a", "!#$%&'*+-.^_`|~09", "authorization", "Cookie", "x" * 1_000])
@pytest.mark.parametrize("value", ["", "x", "a b", '"a, b";c=\\', "\xe9\xa0\xff", "x" * 10_000])
def test_a_header_that_can_be_sent_is_taken(webhooks, name, value):
    assert webhooks.prepare(decoded(url="http://h/", body="x", headers={name: value})).headers == {name: value}


@pytest.mark.parametrize(
    "name",
    [
        *("connection", "Keep-Alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "TE", "trailer"),
        *("transfer-encoding", "Transfer-Encoding", "upgrade", "Host", "content-length", "Content-Length", "expect"),
        *("webhook-id", "Webhook-Timestamp", "WEBHOOK-SIGNATURE"),
        *("webhook_id", "Webhook_Timestamp", "WEBHOOK_SIGNATURE", "webhook.id", "WebHook~Signature"),
        *("Content_Length", "transfer_encoding", "keep_alive", "proxy_authorization"),
    ],
)
def test_a_header_that_tasker_makes_itself_is_refused(webhooks, name):
    assert refused(webhooks, headers={"x": "y", name: "p4ss"}).field == f"headers.{name}"


@pytest.mark.parametrize(
    "name", ["", "a b", "a:", ": x", "ä", "a\0", "a\r\nb: p4ss", "(a)", "a/b", "Key: p4ss", "a" * 9_000 + ":"]
)
def test_a_name_that_is_no_token_is_refused(webhooks, name):
    assert refused(webhooks, headers={name: "p4ss"}).field == "headers"


@pytest.mark.parametrize(
    "value",
    [
        *(f"p4ss{character}x" for character in "\0\t\n\r\x1f\x7f\x80\x9f\u0100\u20ac\U0001f511"),
        " p4ss",
        "p4ss ",
        " ",
        "\xa0",
    ],
)
def test_a_value_that_cannot_be_sent_is_refused_without_being_shown(webhooks, value):
    error = refused(webhooks, headers={"X-Api-Key": value})

    assert error.field == "headers.X-Api-Key"
    assert repr(value)[1:-1] not in str(error) or not value.strip()


def test_a_header_twice_in_two_cases_is_refused(webhooks):
    assert refused(webhooks, headers={"X-Key": "p4ss", "x-kEY": "p4ss"}).field == "headers.x-kEY"


def test_all_headers_together_have_a_limit(webhooks):
    most = {"a": "x" * (HEADERS_LIMIT - 4), "bcd": ""}
    assert webhooks.prepare(decoded(url="http://h/", body="x", headers=most)).headers == most

    assert refused(webhooks, headers=most | {"bcd": "x"}).field == "headers"


@pytest.mark.parametrize("url", ["http://user:p4ss@h/", "http://user@h/", "http://:p4ss@h/"])
def test_a_user_in_the_url_and_an_authorization_header_are_refused_together(webhooks, url):
    assert refused(webhooks, url=url, headers={"Authorization": "Bearer p4ss"}).field == "headers.Authorization"


@pytest.mark.parametrize("url", ["http://h/@", "http://h/?to=a@b", "h/a@b"])
def test_an_at_sign_elsewhere_in_the_url_is_no_user(webhooks, url):
    assert webhooks.prepare(decoded(url=url, body="x", headers={"authorization": "x"})).headers == {
        "authorization": "x"
    }


@pytest.mark.parametrize(
    "status", [199, 600, 0, -200, "1xx", "6xx", "200", "2XX", "xx", "", "2xxx", "ok" * 500, "\u0662xx"]
)
def test_a_success_that_is_no_status_is_refused(webhooks, status):
    assert refused(webhooks, success=[200, status]).field == "success[1]"


# Where it goes


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("localhost:9000/x?y", "http://localhost:9000"),
        ("https://user:p4ss@Example.org/", "https://example.org:443"),
        ("http://[::1]/", "http://[::1]:80"),
        ("https://example.org./", "https://example.org:443"),
    ],
)
def test_the_destination_of_a_webhook_is_its_host_without_userinfo(webhooks, url, name):
    prepared = webhooks.prepare(decoded(url=url, body="x"))

    assert webhooks.destination(prepared) == Destination(GateKind.HOST, name)


def test_the_destination_of_all_hashes_is_their_type():
    hashes = HashType(iterations=1, slots=1)

    assert hashes.destination(hashes.prepare(HashFields(secret="x"))) == Destination(GateKind.TYPE, "hash")


# What is sent


@pytest.mark.anyio
async def test_the_body_goes_to_the_url_with_the_headers_that_tell_receivers_what_it_is(clock):
    _, request = await run(clock, answered(200), body='{"ä": "\0"} \r\n')

    assert (request.method, request.url) == ("POST", URL)
    assert request.body == '{"ä": "\0"} \r\n'.encode()
    assert request.timeout_seconds == 30
    assert request.headers == {
        "content-type": "text/plain; charset=utf-8",
        "user-agent": f"tasker/{__version__}",
        "accept-encoding": "identity",
        "webhook-id": "019bbade-01c6-7d11-821f-bc1538901f12",
        "webhook-timestamp": "1767225600",
    }


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        '{"a": 1}',
        "[]",
        "0",
        "-1.5e3",
        '"x"',
        "null",
        "true",
        ' {"a": "ü"}\r\n',
        '{"a": 1, "a": 2}',
        "1" * 5_000,
        '"\\u0000"',
    ],
)
async def test_a_body_that_is_json_is_declared_so(clock, body):
    _, request = await run(clock, answered(200), body=body)

    assert request.headers["content-type"] == "application/json"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        "x",
        "{",
        "{'a': 1}",
        "{a: 1}",
        "[1,]",
        "01",
        "NaN",
        "Infinity",
        '"a',
        '{"a": 1} x',
        "\0",
        "\ufeff{}",
        " ",
        '"\n"',
        "[" * 100_000,
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_any_other_body_is_declared_to_be_text(clock, body):
    _, request = await run(clock, answered(200), body=body)

    assert request.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.anyio
async def test_every_attempt_carries_the_same_id_and_its_own_time(clock):
    _, first = await run(clock, answered(500))
    await clock.step(3600)
    _, second = await run(clock, answered(200), number=2)

    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 3600


@pytest.mark.anyio
async def test_the_attempt_starts_when_the_client_says_that_its_first_byte_goes_out(clock):
    starts = []

    await run(clock, answered(200), started=lambda: starts.append("started"))

    assert starts == ["started"]


@pytest.mark.anyio
@pytest.mark.parametrize("method", METHODS)
async def test_the_method_and_the_timeout_are_those_of_the_task(clock, method):
    _, request = await run(clock, answered(200), method=method, body="x", timeout=0.5)

    assert (request.method, request.body, request.timeout_seconds) == (method, b"x", 0.5)


@pytest.mark.anyio
@pytest.mark.parametrize("method", METHODS)
async def test_a_webhook_without_a_body_has_no_content_type(clock, method):
    _, request = await run(clock, answered(200), method=method)

    assert request.body is None
    assert "content-type" not in request.headers


@pytest.mark.anyio
@pytest.mark.parametrize("sent", [b"\0", b"\xff\xfe", bytes(range(256)), b"x" * 100_000, b"{}"], ids=len)
async def test_base64_is_sent_as_the_bytes_that_it_stands_for(clock, sent):
    _, request = await run(clock, answered(200), body_base64=base64.b64encode(sent).decode())

    assert re.fullmatch(PATTERN_OF_BASE64, base64.b64encode(sent).decode())
    assert request.body == sent
    assert request.headers["content-type"] == "application/octet-stream"


@pytest.mark.anyio
async def test_bytes_may_have_another_content_type(clock):
    _, request = await run(clock, answered(200), body_base64="iVBORw==", headers={"Content-Type": "image/png"})

    assert request.headers["Content-Type"] == "image/png"
    assert "content-type" not in request.headers


@pytest.mark.anyio
@pytest.mark.parametrize("value", [{"ä": [1.5, None]}, "text", None, 0, []])
async def test_json_is_sent_as_json(clock, value):
    _, request = await run(clock, answered(200), json=value)

    assert request.body == msgspec.json.encode(value)
    assert request.headers["content-type"] == "application/json"


@pytest.mark.anyio
async def test_headers_of_the_task_replace_those_of_tasker_and_come_beside_them(clock):
    own = {"Content-Type": "text/csv", "USER-AGENT": "mine", "accept-encoding": "gzip", "Accept": "*/*", "X-A": "\xe9"}

    _, request = await run(clock, answered(200), headers=own)

    assert request.headers == {
        **own,
        "webhook-id": "019bbade-01c6-7d11-821f-bc1538901f12",
        "webhook-timestamp": "1767225600",
    }


@pytest.mark.anyio
async def test_each_attempt_is_signed_with_its_own_time_over_exactly_what_is_sent(clock):
    signer = Signer(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    for number, members in enumerate(
        ({"body": '{"ä":  1}\r\n'}, {"json": {"b": 1}}, {"body_base64": "/w=="}, {"method": "POST"}, {"method": "GET"}),
        1,
    ):
        _, request = await run(clock, answered(200), number=number, signer=signer, **members)
        headers = request.headers
        assert headers["webhook-timestamp"] == str(clock.now() // SECOND)
        assert headers["webhook-signature"] == signer.signature(
            headers["webhook-id"], headers["webhook-timestamp"], request.body or b""
        )
        await clock.step(3600)


@pytest.mark.anyio
async def test_without_a_signer_nothing_is_signed(clock):
    _, request = await run(clock, answered(200))

    assert "webhook-signature" not in request.headers


# What becomes of it


@pytest.mark.anyio
async def test_2xx_is_success(clock):
    for status in range(200, 300):
        outcome, _ = await run(clock, answered(status))
        assert outcome == Succeeded(exchange=answered(status)), status


@pytest.mark.anyio
async def test_anything_else_is_a_failed_attempt_that_may_be_followed_by_another(clock):
    for status in (101, 199, *range(300, 410), *range(411, 601), 999):
        outcome, _ = await run(clock, answered(status))
        assert isinstance(outcome, Failed)
        assert (outcome.fault.code, outcome.permanent) == (f"status_{status}", False)
        assert outcome.fault.msg.startswith(f"the target answered {status}")
        assert outcome.exchange == answered(status)


@pytest.mark.anyio
async def test_a_task_says_itself_what_success_is(clock):
    success = [204, "3xx", 404, 410, "5xx"]
    expected = {204, *range(300, 400), 404, 410, *range(500, 600)}

    succeeded = set()
    for status in (101, *range(200, 601)):
        outcome, _ = await run(clock, answered(status), success=success)
        if isinstance(outcome, Succeeded):
            succeeded.add(status)

    assert succeeded == expected


@pytest.mark.anyio
async def test_who_answers_is_alive_unless_it_says_that_it_is_not_well(clock):
    for status, is_alive in (
        (302, True),
        (404, True),
        (410, True),
        (429, True),
        (499, True),
        (500, False),
        (503, False),
    ):
        outcome, _ = await run(clock, answered(status))
        assert outcome.is_alive is is_alive, status


@pytest.mark.anyio
async def test_an_attempt_that_cannot_begin_for_lack_of_something_here_has_no_outcome(clock):
    with pytest.raises(AttemptMustNotBeginError, match="this machine is out of memory"):
        await run(clock, OutOfResourcesError("memory"))


@pytest.mark.anyio
async def test_what_is_gone_will_not_come_back(clock):
    outcome, _ = await run(clock, answered(410))

    assert (outcome.fault.code, outcome.permanent) == ("status_410", True)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("86400", 86_400),
        ("9" * 200, 86_400),
        ("Thu, 01 Jan 2026 00:02:00 GMT", 119.000001),
        ("Thursday, 01-Jan-26 00:02:00 GMT", 119.000001),
        ("Thu Jan  1 00:02:00 2026", 119.000001),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Thu, 01 Jan 2026 00:00:00 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None),
        *(
            (value, None)
            for value in ("", "-1", "1.5", "soon", ",", ", ,", "Thu, 32 Jan 2026 00:00:00 GMT", "\u0667", "x" * 256)
        ),
        *((f"Fri, 01 Jan {year} 00:00:00 GMT", None) for year in ("0000", "99999", "9" * 100)),
        ("Fri, 01 Jan 2027 00:00:00 +99999999999999", None),
        *(("7, 8", 8), ("8,7", 8), ("7, soon", 7), ("7, Thu, 01 Jan 2026 00:02:00 GMT", 119.000001)),
        *(
            ("Thursday, 01-Jan-26 00:02:00 GMT, 120 ", 120),
            ("Thu Jan  1 00:02:00 2026, Sun, 06 Nov 1994 08:49:37 GMT", 119.000001),
        ),
    ],
)
async def test_a_target_says_how_long_it_wants_to_be_left_alone_and_the_longest_of_several_counts(
    clock, status, value, seconds
):
    outcome, _ = await run(clock, answered(status, retry_after=value))

    assert outcome.retry_after == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.anyio
async def test_a_date_without_a_zone_is_in_utc_wherever_the_server_stands(clock, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        outcome, _ = await run(clock, answered(503, retry_after="Thu Jan  1 00:02:00 2026"))
    finally:
        monkeypatch.undo()
        time.tzset()

    assert outcome.retry_after == timedelta(seconds=119.000001)


@pytest.mark.anyio
async def test_a_wish_to_be_left_alone_is_heard_from_those_answers_only(clock):
    for status in (302, 404, 500, 502, 504):
        outcome, _ = await run(clock, answered(status, retry_after="7"))
        assert outcome.retry_after is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "msg"),
    [
        (302, "the target answered 302 Found"),
        (404, "the target answered 404 Not Found"),
        (503, "the target answered 503 Service Unavailable"),
        (599, "the target answered 599"),
    ],
)
async def test_a_failed_attempt_says_what_the_status_means(clock, status, msg):
    outcome, _ = await run(clock, answered(status))

    assert outcome.fault == Fault(f"status_{status}", msg)


@pytest.mark.anyio
@pytest.mark.parametrize("permanent", [True, False])
@pytest.mark.parametrize(("is_targets_fault", "is_alive"), [(True, False), (False, None)])
async def test_a_call_without_an_answer_is_a_failed_attempt(clock, permanent, is_targets_fault, is_alive):
    error = DeliveryError("some_code", "in some words", permanent=permanent, is_targets_fault=is_targets_fault)
    error.exchange = Exchange(phases=Phases(dns=0.5, total=1.5))

    outcome, _ = await run(clock, error)

    assert outcome == Failed(
        Fault("some_code", "in some words"), permanent=permanent, is_alive=is_alive, exchange=error.exchange
    )


@pytest.mark.anyio
async def test_the_engine_waits_longer_than_the_client(webhooks):
    _, request = await run(ManualClock(), answered(200), timeout=3600)

    assert webhooks.timeout > timedelta(seconds=request.timeout_seconds)
    assert webhooks.slots == 7


@pytest.mark.anyio
async def test_closing_the_type_closes_its_client(clock):
    client = FakeClient(answered(200))

    await WebhookType(client, clock, slots=1).close()

    assert client.closed


# Completions


@pytest.mark.anyio
async def test_a_receiver_is_told_where_and_with_what_to_report(clock):
    outcome, request = await run(
        clock, answered(202), public_url="https://tasks.example.org/t", completion={"deadline": "30m"}
    )
    assert request.headers["tasker-completion-url"] == "https://tasks.example.org/t/completions"
    named = claim_of(KEY, request.headers["tasker-completion-token"])
    assert named == TokenClaim(TaskId("019bbade-01c6-7d11-821f-bc1538901f12"), 1)
    assert outcome == Accepted(timedelta(minutes=30), counts=True, exchange=answered(202))


@pytest.mark.anyio
@pytest.mark.parametrize("success", [["2xx"], [200], [202], ["5xx"]])
async def test_202_is_accepted_whatever_success_says(clock, success):
    completion = {"deadline": 5, "counts": False}
    outcome, _ = await run(clock, answered(202), public_url="http://h", completion=completion, success=success)
    assert outcome == Accepted(timedelta(seconds=5), counts=False, exchange=answered(202))


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "kind"), [(200, Succeeded), (204, Succeeded), (500, Failed), (302, Failed)])
async def test_any_other_answer_is_as_without_a_completion(clock, status, kind):
    outcome, _ = await run(clock, answered(status), public_url="http://h", completion={"deadline": 5})
    assert isinstance(outcome, kind)


@pytest.mark.anyio
async def test_without_a_completion_202_is_a_success_and_nothing_more_is_sent(clock):
    outcome, request = await run(clock, answered(202), public_url="http://h")
    assert isinstance(outcome, Succeeded)
    assert [name for name in request.headers if name.startswith("tasker-")] == []


def test_where_it_is_reported_stays_with_a_task_that_a_server_without_a_public_url_changes(clock, webhooks):
    kept = {"deadline": 5, "url": "https://tasks.example.org/completions"}
    assert webhooks.prepare(decoded(url="http://h/", completion=kept)).completion.url == kept["url"]
    named = WebhookType(None, clock, slots=1, public_url="http://other")
    assert named.prepare(decoded(url="http://h/", completion=kept)).completion.url == "http://other/completions"


@pytest.mark.parametrize(
    "url", ["x", "http://h/", "http://h/\r\nhost: other/completions", "http://\u4f8b.jp/completions", "h/completions"]
)
def test_where_it_is_reported_is_what_a_server_can_have_made(webhooks, url):
    assert refused(webhooks, completion={"deadline": 5, "url": url}).field == "completion"


@pytest.mark.anyio
async def test_a_target_that_echoes_its_request_has_no_token_kept(clock):
    class Echo(FakeClient):
        async def send(self, request, before_first_byte):
            await super().send(request, before_first_byte)
            token = request.headers["tasker-completion-token"]
            return Exchange(phases=Phases(), status=202, headers={"location": f"/{token}"}, body=f"<{token}>")

    webhooks = WebhookType(Echo(None), clock, slots=1, public_url="http://h", completion_key=KEY)
    fields = webhooks.prepare(decoded(url=URL, completion={"deadline": 5}))
    outcome = await webhooks.run(attempt_of(clock, fields), fields, lambda: None)
    assert (outcome.exchange.headers, outcome.exchange.body) == ({"location": "/***"}, "<***>")
