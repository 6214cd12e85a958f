"""Alerts go out to the operator's own address, signed, and say nothing of it whatever happens."""

import json
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from tasker.config import Settings
from tasker.node import make_alert_sender
from tasker.testing.webhook_receiver import WebhookReceiver, answer
from tasker.timing.clock import SystemClock

pytestmark = pytest.mark.anyio

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"text": "x"}'


@pytest.fixture
async def send(anyio_backend):
    """Sends an alert with such settings: ``await send(url, ...)``."""
    senders = []

    async def send(url, **settings):
        sender = make_alert_sender(Settings(alert_url=url, **settings), SystemClock())
        senders.append(sender)
        return await sender.send("alert-1", BODY)

    yield send
    for sender in senders:
        await sender.close()


async def test_it_is_a_post_of_json_that_a_receiver_can_verify(send, sink):
    reception = await send(sink.url("/services/T0/canary-path"), webhook_secrets=(SECRET,))
    assert (reception.status, reception.problem) == (200, "")
    (delivery,) = sink.deliveries()
    assert (delivery.method, delivery.body) == ("POST", BODY)
    assert delivery.headers["content-type"] == "application/json"
    assert delivery.headers["webhook-id"] == "alert-1"
    assert Webhook(SECRET).verify(delivery.body, delivery.headers) == json.loads(BODY)


async def test_without_secrets_it_is_not_signed(send, sink):
    await send(sink.url())
    assert "webhook-signature" not in sink.deliveries()[0].headers


@pytest.mark.parametrize("level", ["public", "lan", "any"])
async def test_the_operators_address_is_allowed_at_every_level_and_whatever_tasks_may_not_call(send, sink, level):
    assert (await send(sink.url(), egress=level, deny_targets=("127.0.0.0/8",))).problem == ""


@pytest.mark.parametrize("address", ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "169.254.1.1"])
async def test_a_metadata_or_link_local_address_is_not_called(send, address):
    reception = await send(f"http://{address}/canary-path", egress="any")
    assert reception.status is None
    assert reception.problem.startswith("the receiver is a ")
    assert "never called unless an --allow-target names it" in reception.problem


async def test_no_redirect_is_followed(send):
    def respond(delivery):
        return answer(302, headers="location: http://127.0.0.1:9/\r\n")

    with WebhookReceiver(respond) as elsewhere:
        reception = await send(elsewhere.url())
        assert len(elsewhere.deliveries()) == 1
    assert (reception.status, reception.problem) == (302, "the receiver answered 302 Found")


@pytest.mark.parametrize("status", [400, 401, 404, 410, 500])
async def test_whatever_is_not_2xx_is_a_problem_that_does_not_show_the_url_nor_the_answer(send, status):
    with WebhookReceiver(lambda delivery: answer(status, b"no such path " + delivery.path.encode())) as receiver:
        reception = await send(receiver.url("/canary-path?canary-query"))
    assert reception.status == status
    assert reception.problem.startswith(f"the receiver answered {status}")
    assert "canary" not in str(reception)


async def test_how_long_a_receiver_asks_to_be_left_alone_is_heard(send):
    with WebhookReceiver(lambda _: answer(429, headers="retry-after: 30\r\n")) as receiver:
        assert (await send(receiver.url())).retry_after == timedelta(seconds=30)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/canary-path", "http://canary-host.invalid/", "https://127.0.0.1:{port}/canary-path"]
)
async def test_a_receiver_that_cannot_be_reached_is_a_problem_that_does_not_show_the_url(send, sink, url):
    reception = await send(url.format(port=sink.port))
    assert reception.status is None
    assert reception.problem
    assert "canary" not in str(reception)


async def test_it_goes_through_the_proxy_that_all_goes_through(send):
    reception = await send("http://canary-host.invalid/", egress_proxy="http://127.0.0.1:9")
    assert "proxy" in reception.problem
