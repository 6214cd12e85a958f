"""A receiver believes the calls that are signed and recent, and no others."""

from datetime import UTC, datetime, timedelta

import pytest

from tasker import webhooks
from tasker.egress.signing import Signer

# The example that all libraries of Standard Webhooks test themselves with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
SENT_AT = datetime.fromtimestamp(TIMESTAMP, UTC)

HEADERS = {"webhook-id": ID, "webhook-timestamp": str(TIMESTAMP), "webhook-signature": SIGNATURE}


def verified(headers=HEADERS, body=BODY, secrets=SECRET, *, now=SENT_AT, **options):
    return webhooks.verify(body, headers, secrets, now=now, **options)


def refusal(*arguments, **options):
    with pytest.raises(webhooks.InvalidSignature) as error:
        verified(*arguments, **options)
    assert error.value.code == "invalid_signature"
    return str(error.value)


def test_the_example_of_the_standard_is_genuine():
    assert verified() == webhooks.Webhook(ID, SENT_AT)


def test_the_names_of_headers_may_have_any_case():
    assert verified({name.title(): value for name, value in HEADERS.items()}).id == ID


@pytest.mark.parametrize("body", [b"", b"x", BODY + b"\n"])
def test_another_body_is_not_genuine(body):
    assert "no signature is right" in refusal(body=body)


@pytest.mark.parametrize(
    ("name", "value"), [("webhook-id", "msg"), ("webhook-timestamp", str(TIMESTAMP + 1)), ("webhook-signature", "v1,")]
)
def test_another_header_is_not_genuine(name, value):
    assert "no signature is right" in refusal({**HEADERS, name: value})


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_missing_or_empty_or_not_ascii_is_named(name):
    for headers in (
        {each: value for each, value in HEADERS.items() if each != name},
        {**HEADERS, name: ""},
        {**HEADERS, name: "\xe9"},
        {**HEADERS, name: "\udce9"},
        {**HEADERS, name.upper(): HEADERS[name]},
    ):
        assert f"the header {name} once" in refusal(headers)


@pytest.mark.parametrize("timestamp", ["now", "-1", "1e9", "1614265330.0", "²", "9" * 12, " 1614265330"])
def test_a_time_that_is_none_is_not_genuine(timestamp):
    assert "webhook-timestamp" in refusal({**HEADERS, "webhook-timestamp": timestamp})


def test_a_call_is_genuine_for_five_minutes_and_not_a_microsecond_longer():
    edge, beyond = timedelta(minutes=5), timedelta(minutes=5, microseconds=1)
    assert verified(now=SENT_AT + edge) == verified(now=SENT_AT - edge)
    assert "300 s away" in refusal(now=SENT_AT + beyond)
    assert "300 s away" in refusal(now=SENT_AT - beyond)


def test_a_receiver_may_be_stricter_or_more_lenient():
    an_hour = timedelta(hours=1)
    assert verified(now=SENT_AT + an_hour, tolerance=an_hour).id == ID
    assert "away" in refusal(now=SENT_AT + timedelta(seconds=2), tolerance=timedelta(seconds=1))


def test_the_time_is_that_of_this_machine_if_nobody_says():
    timestamp = str(int(datetime.now(UTC).timestamp()))
    signature = Signer([SECRET]).signature(ID, timestamp, BODY)
    headers = {**HEADERS, "webhook-timestamp": timestamp, "webhook-signature": signature}
    assert webhooks.verify(BODY, headers, SECRET).id == ID
    with pytest.raises(webhooks.InvalidSignature):
        webhooks.verify(BODY, HEADERS, SECRET)


@pytest.mark.parametrize("receivers", [[SECRET], [OTHER], [OTHER, SECRET], (SECRET, OTHER)])
def test_while_secrets_change_any_of_those_of_both_sides_is_enough(receivers):
    both = Signer([SECRET, OTHER]).signature(ID, str(TIMESTAMP), BODY)
    assert verified({**HEADERS, "webhook-signature": both}, secrets=receivers).id == ID


def test_a_secret_that_is_gone_is_not_believed():
    assert "no signature is right" in refusal(secrets=[OTHER])


@pytest.mark.parametrize("also", ["v1a,tQ9V2XOqn7jL", "v2," + SIGNATURE[3:], "garbage", ",", ""])
def test_signatures_of_other_schemes_are_passed_over(also):
    assert verified({**HEADERS, "webhook-signature": f"{also} {SIGNATURE}"}).id == ID
    assert "no signature is right" in refusal({**HEADERS, "webhook-signature": f"{also} v1,x"})


def test_the_signature_counts_with_its_scheme():
    assert "no signature is right" in refusal({**HEADERS, "webhook-signature": SIGNATURE.removeprefix("v1,")})


@pytest.mark.parametrize("secrets", ["canary-secret", ["canary-secret"], [SECRET, "canary-secret"]])
def test_what_is_no_secret_is_refused_and_not_shown(secrets):
    with pytest.raises(ValueError, match="whsec_") as error:
        verified(secrets=secrets)
    assert "canary" not in str(error.value)


@pytest.mark.parametrize("secrets", [[], ()])
def test_without_a_secret_nothing_is_genuine(secrets):
    with pytest.raises(ValueError, match="at least one"):
        verified(secrets=secrets)


def test_a_body_that_was_decoded_is_a_mistake():
    with pytest.raises(TypeError, match="bytes as they arrived"):
        verified(body=BODY.decode())
