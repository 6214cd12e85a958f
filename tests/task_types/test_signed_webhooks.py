"""Signed webhooks from end to end: a receiver checks what a real client sent."""

import json

import msgspec
import pytest
from standardwebhooks import Webhook

from tasker.egress.pooled_client import PooledClient
from tasker.egress.signing import Signer
from tasker.model.attempt import Attempt, Succeeded
from tasker.model.task import Pool, TaskId
from tasker.task_types.webhook import WebhookType
from tasker.testing.webhook_receiver import WebhookReceiver
from tasker.timing.clock import SystemClock
from tasker.wire.fields import WebhookFields

pytestmark = pytest.mark.anyio

OLD, NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def anyio_backend():
    return ("asyncio", {"use_uvloop": True})


@pytest.fixture
async def send(anyio_backend):
    """Makes one attempt of a webhook with these fields."""
    webhooks = WebhookType(PooledClient(), SystemClock(), slots=1, signer=Signer([NEW, OLD]))

    async def send(**fields):
        prepared = webhooks.prepare(WebhookFields(**fields))
        attempt = Attempt(
            task_id=TaskId("019bbade-01c6-7d11-821f-bc1538901f12"),
            type="webhook",
            pool=Pool(1),
            number=1,
            due_at=0,
            execution_at=0,
            fence=1,
            node="019bbade-0000-7d11-821f-bc1538901f12",
            payload=msgspec.json.encode(prepared),
        )
        return await webhooks.run(attempt, prepared, lambda: None)

    yield send
    await webhooks.close()


@pytest.mark.parametrize(
    "what",
    [
        {"body": '{"ä":  "\\u0000"}\r\n'},
        {"json": msgspec.Raw(b'{ "a" : 1.00 }')},
        {"body": "[1]", "method": "PUT", "headers": {"Content-Type": "text/plain", "user-agent": "x"}},
    ],
)
async def test_a_receiver_with_either_secret_accepts_what_it_was_sent(send, what):
    with WebhookReceiver() as receiver:
        assert isinstance(await send(url=receiver.url("/hook?a=b"), **what), Succeeded)
        [delivery] = receiver.deliveries()

    for secret in (OLD, NEW):
        assert Webhook(secret).verify(delivery.body, dict(delivery.headers)) == json.loads(delivery.body)


@pytest.mark.parametrize(("method", "length"), [("GET", None), ("DELETE", None), ("POST", "0"), ("PUT", "0")])
async def test_a_webhook_without_a_body_is_sent_and_signed_as_an_empty_one(send, method, length):
    with WebhookReceiver() as receiver:
        await send(url=receiver.url(), method=method)
        [delivery] = receiver.deliveries()

    headers = delivery.headers
    assert delivery.body == b""
    assert headers.get("content-length") == length
    assert "content-type" not in headers
    expected = Signer([NEW, OLD]).signature(headers["webhook-id"], headers["webhook-timestamp"], b"")
    assert headers["webhook-signature"] == expected


async def test_bytes_are_signed_as_they_are_sent(send):
    with WebhookReceiver() as receiver:
        await send(url=receiver.url(), body_base64="AP/+Cg==")
        [delivery] = receiver.deliveries()

    headers = delivery.headers
    assert delivery.body == b"\0\xff\xfe\n"
    assert (headers["content-length"], headers["content-type"]) == ("4", "application/octet-stream")
    expected = Signer([NEW, OLD]).signature(headers["webhook-id"], headers["webhook-timestamp"], delivery.body)
    assert headers["webhook-signature"] == expected


async def test_each_attempt_of_a_task_in_a_trace_has_a_span_of_its_own_there(send):
    trace = "0af7651916cd43dd8448eb211c80319c"
    given = f"00-{trace}-b7ad6b7169203331-01"
    with WebhookReceiver() as receiver:
        for more in ({"traceparent": given}, {"traceparent": given}, {"headers": {"TraceParent": "own"}}, {}):
            await send(url=receiver.url(), **more)
        await send(url=receiver.url(), traceparent=given, headers={"TraceParent": "own"})
        sent = [delivery.headers.get("traceparent") for delivery in receiver.deliveries()]

    spans = {each.removeprefix(f"00-{trace}-").removesuffix("-01") for each in sent[:2]}
    assert len(spans) == 2
    assert all(len(span) == 16 and span != "b7ad6b7169203331" for span in spans)
    assert sent[2:] == ["own", None, "own"]
