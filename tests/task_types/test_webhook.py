"""Webhooks: which URLs are taken, what is sent, and what becomes of an answer."""

from datetime import timedelta

import msgspec
import pytest

from tasker import __version__
from tasker.egress.http_client import DeliveryError, Response
from tasker.errors import InvalidTaskError
from tasker.model.attempt import Attempt, Failed, Succeeded
from tasker.model.instants import SECOND
from tasker.model.task import Pool, TaskFault, TaskId
from tasker.task_types.webhook import WebhookType
from tasker.timing.clock import ManualClock
from tasker.wire import RetryFields, WebhookFields


class FakeClient:
    """Keeps the requests it is given, and answers with what it is told to."""

    def __init__(self, answer):
        self.requests, self.closed = [], False
        self._answer = answer

    async def post(self, request, before_first_byte):
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


async def run(clock, answer, *, body="x", number=1, started=lambda: None):
    """Make one attempt; return its outcome and the request that was made."""
    client = FakeClient(answer)
    attempt = Attempt(
        task_id=TaskId("019bbade-01c6-7d11-821f-bc1538901f12"),
        type="webhook",
        pool=Pool(1),
        number=number,
        due_at=clock.now(),
        claim=1,
        fields=msgspec.json.encode(WebhookFields(url="http://user:p4ss@localhost:9000/hook?t0ken", body=body)),
    )
    outcome = await WebhookType(client, clock, slots=1).run(attempt, started)
    [request] = client.requests
    return outcome, request


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
            "http://h:/",
            "http://[::1]/",
            "http://[::1]:8080/x",
            "http://[fe80::1%25lo]/",
        ),
        *("http://bücher.example/straße?ä=ö", "https://例え.テスト/", "http://xn--bcher-kva.example/", "http://a_b.example/"),
        *("http://h/a%20b?c=%00&d=[1]", "http://h/%zz", "http://h//a/../b;c,d", "http://h/x?to=http://other/", "http://h./"),
        "http://h/" + "x" * 65_536,
        "http://h/?" + "ä" * 65_536,
    ],
    ids=lambda url: url[:40],
)
def test_a_usable_url_is_kept_as_it_is(webhooks, url):
    request = WebhookFields(url=url, body="x", retry=RetryFields(max_attempts=2))

    assert webhooks.prepare(request) == request


@pytest.mark.parametrize(
    "url", ["localhost:9000/x", "example.org", "user:pass@example.org/", "[::1]:80/", "bücher.example/ä", "h?a=b"]
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
        *((url, "a host") for url in ("http://", "http:///p4ss", "//p4ss", "/p4ss", "http://.", "https://..", "http://?p4ss")),
        *((f"http://h:{port}/", "") for port in ("0", "65536", "-1", "99999999999999999999", "x", "8080:80", "1.5", "0x50")),
        *((url, "") for url in ("http://[::1/", "http://[zz]/", "http://[::1]x/", "http://user:p4ss@/", "http://:80/")),
        *(
            (url, "")
            for url in ("http://h\uff0fp4ss/", "http://h\uff1a80/", "http://\u2100.example/", "http://" + "ü" * 300 + "/")
        ),
        ("://h/", "http or https"),
        ("localhost:9000/x?to=http://other/", "http or https"),
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


# What is sent


@pytest.mark.anyio
async def test_the_body_goes_to_the_url_with_the_headers_that_tell_receivers_what_it_is(clock):
    _, request = await run(clock, Response(200), body='{"ä": "\0"} \r\n')

    assert request.url == "http://user:p4ss@localhost:9000/hook?t0ken"
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
    ['{"a": 1}', "[]", "0", "-1.5e3", '"x"', "null", "true", ' {"a": "ü"}\r\n', '{"a": 1, "a": 2}', "1" * 5_000, '"\\u0000"'],
)
async def test_a_body_that_is_json_is_declared_so(clock, body):
    _, request = await run(clock, Response(200), body=body)

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
    _, request = await run(clock, Response(200), body=body)

    assert request.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.anyio
async def test_every_attempt_carries_the_same_id_and_its_own_time(clock):
    _, first = await run(clock, Response(500))
    await clock.step(3600)
    _, second = await run(clock, Response(200), number=2)

    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 3600


@pytest.mark.anyio
async def test_the_attempt_starts_when_the_client_says_that_its_first_byte_goes_out(clock):
    starts = []

    await run(clock, Response(200), started=lambda: starts.append("started"))

    assert starts == ["started"]


# What becomes of it


@pytest.mark.anyio
async def test_2xx_is_success(clock):
    for status in range(200, 300):
        outcome, _ = await run(clock, Response(status))
        assert outcome == Succeeded(), status


@pytest.mark.anyio
async def test_anything_else_is_a_failed_attempt_that_may_be_followed_by_another(clock):
    for status in (101, 199, *range(300, 601), 999):
        outcome, _ = await run(clock, Response(status))
        assert isinstance(outcome, Failed)
        assert (outcome.fault.code, outcome.permanent) == (f"status_{status}", False)
        assert outcome.fault.msg.startswith(f"the target answered {status}")


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
    outcome, _ = await run(clock, Response(status))

    assert outcome.fault == TaskFault(f"status_{status}", msg)


@pytest.mark.anyio
@pytest.mark.parametrize("permanent", [True, False])
async def test_a_call_without_an_answer_is_a_failed_attempt(clock, permanent):
    outcome, _ = await run(clock, DeliveryError("some_code", "in some words", permanent=permanent))

    assert outcome == Failed(TaskFault("some_code", "in some words"), permanent=permanent)


@pytest.mark.anyio
async def test_the_engine_waits_longer_than_the_client(webhooks):
    _, request = await run(ManualClock(), Response(200))

    assert webhooks.timeout > timedelta(seconds=request.timeout_seconds)
    assert webhooks.slots == 7


@pytest.mark.anyio
async def test_closing_the_type_closes_its_client(clock):
    client = FakeClient(Response(200))

    await WebhookType(client, clock, slots=1).close()

    assert client.closed
