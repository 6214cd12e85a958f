"""Signatures: the standard's own examples, checked by its own library, and secrets that are none."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tasker.egress.signing import Signer
from tasker.wire.signatures import key_of

# The example that all libraries of Standard Webhooks test themselves with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = "1614265330"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def secret_of(length):
    return "whsec_" + base64.b64encode(bytes(range(length))).decode()


def headers(signature, *, webhook_id=ID, timestamp):
    return {"webhook-id": webhook_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def now():
    return str(int(datetime.now(UTC).timestamp()))


def test_the_example_of_the_standard_is_signed_as_the_standard_says():
    assert Signer([SECRET]).signature(ID, TIMESTAMP, BODY) == SIGNATURE


@pytest.mark.parametrize("body", [BODY, b"{}", '{"ä": "\\u0000"}\r\n'.encode(), b'"' + b"x" * 100_000 + b'"'])
@pytest.mark.parametrize("length", [24, 32, 64])
def test_the_library_of_the_standard_accepts_what_is_signed(body, length):
    timestamp = now()
    signature = Signer([secret_of(length)]).signature(ID, timestamp, body)

    assert Webhook(secret_of(length)).verify(body, headers(signature, timestamp=timestamp)) == json.loads(body)


@pytest.mark.parametrize(
    "changed",
    [
        {"body": BODY + b" "},
        {"webhook_id": "msg_q5jXN8AQM9LWM0D4loKWxJek"},
        {"timestamp": str(int(now()) - 60)},
        {"secret": secret_of(24)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_signature_covers_the_body_the_id_and_the_time(changed):
    given = {"body": BODY, "webhook_id": ID, "timestamp": now(), "secret": SECRET}
    signature = Signer([SECRET]).signature(ID, given["timestamp"], BODY)
    given |= changed

    with pytest.raises(WebhookVerificationError):
        Webhook(given["secret"]).verify(
            given["body"], headers(signature, webhook_id=given["webhook_id"], timestamp=given["timestamp"])
        )


def test_while_secrets_are_exchanged_receivers_with_either_accept():
    old, new = SECRET, secret_of(32)
    timestamp = now()

    signature = Signer([new, old]).signature(ID, timestamp, BODY)

    assert len(signature.split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers(signature, timestamp=timestamp))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(33)).verify(BODY, headers(signature, timestamp=timestamp))


@pytest.mark.parametrize("length", [24, 25, 26, 63, 64])
def test_a_secret_has_24_to_64_bytes(length):
    assert key_of(secret_of(length)) == bytes(range(length))


@pytest.mark.parametrize(
    "secret",
    [
        *("", "whsec_", "p4ss", secret_of(23), secret_of(65), secret_of(32).removeprefix("whsec_")),
        *("WHSEC_" + secret_of(32)[6:], "whsk_" + secret_of(32)[6:], "whsec_" + secret_of(32), secret_of(32) + "p4ss"),
        *(
            secret_of(32)[:-1],
            secret_of(32).replace("A", "-"),
            secret_of(32).replace("A", " "),
            secret_of(32) + "\n",
            "whsec_ä",
        ),
    ],
)
def test_what_is_no_secret_is_refused_without_being_shown(secret):
    with pytest.raises(ValueError, match=r"^not a signing secret$"):
        Signer([SECRET, secret])
