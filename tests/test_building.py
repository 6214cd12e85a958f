"""What becomes of a request: the checks that all task types share, and where errors say they are."""

import msgspec
import pytest

from tasker.building import Asked, build_task
from tasker.errors import InvalidTaskError
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import SECOND, parse
from tasker.task_types.hash import HashType
from tasker.task_types.webhook import WebhookType
from tasker.wire.fields import CallbackFields, HashFields, RequestFields, RetryFields, WebhookFields

NOW = parse("2027-01-15T08:00:00Z")
LATER = "2027-01-15T09:00:01+01:00"
WEBHOOKS = WebhookType(None, None, slots=1)
HASHES = HashType(iterations=1, slots=1)


def built(task_type=HASHES, fields=None, execution_time=LATER, webhooks=WEBHOOKS, **more):
    asked = Asked(task_type, fields or HashFields(secret="x", **more), RequestFields(execution_time=execution_time))
    return build_task(asked, now=NOW, webhooks=webhooks)


def refused(*args, **more):
    with pytest.raises(InvalidTaskError) as caught:
        built(*args, **more)
    assert "expected" in caught.value.problem
    assert "p4ss" not in str(caught.value)
    return caught.value.field


def test_a_task_has_all_that_its_request_says():
    fields = WebhookFields(url="h/x", body="b", retry=RetryFields(max_attempts=2), expires_at="2027-01-16T00:00:00Z")

    task = built(WEBHOOKS, fields)

    assert (task.type, task.pool, task.execution_time) == ("webhook", 1, LATER)
    assert (task.execution_at, task.due_at) == (NOW + SECOND, NOW + SECOND)
    assert task.expires_at == parse("2027-01-16T00:00:00Z")
    assert task.destination == Destination(GateKind.HOST, "http://h:80")
    stored = msgspec.json.decode(task.payload, type=WebhookFields)
    assert stored == msgspec.structs.replace(fields, url="http://h/x", expires_at=msgspec.UNSET)


@pytest.mark.parametrize("execution_time", ["2027-01-15T08:00:00Z", "2027-01-15T07:59:59.999999Z", "tomorrow", ""])
def test_an_execution_time_that_is_not_in_the_future_is_refused(execution_time):
    assert refused(execution_time=execution_time) == "hash.execution_time"
    assert built(execution_time="2027-01-15T08:00:00.000001Z").execution_at == NOW + 1


@pytest.mark.parametrize("expires_at", ["2027-01-15T08:00:01Z", "2027-01-15T08:00:00Z", "soon"])
def test_a_task_that_would_expire_before_it_starts_is_refused(expires_at):
    assert refused(expires_at=expires_at) == "hash.expires_at"
    assert built(expires_at="2027-01-15T08:00:01.000001Z").expires_at == NOW + SECOND + 1


def test_what_the_type_refuses_is_named_by_its_whole_path():
    assert refused(fields=HashFields(secret="x" * 4_097)) == "hash.secret"
    assert refused(WEBHOOKS, WebhookFields(url="http://h/", body="x", headers={"Host": "x"})) == "webhook.headers.Host"


def test_a_type_may_refuse_a_request_as_a_whole():
    class Moody(HashType):
        def prepare(self, request):
            raise InvalidTaskError("", "expected another day")

    assert refused(Moody(iterations=1, slots=1)) == "hash"


def test_a_task_with_a_group_waits_at_the_gate_of_the_group_and_knows_its_host():
    task = built(WEBHOOKS, WebhookFields(url="h/x", body="b", group="customer 42"))
    assert task.destination == Destination(GateKind.GROUP, "customer 42")
    assert task.host == Destination(GateKind.HOST, "http://h:80")
    assert built(group="g").host == Destination(GateKind.TYPE, "hash")
    assert built().host is None


@pytest.mark.parametrize("group", ["a\x00", "\n", "a\u200b"])
def test_a_group_that_cannot_be_printed_is_refused(group):
    assert refused(group=group) == "hash.group"


# Callbacks


def test_a_callback_that_is_a_url_gets_its_scheme():
    task = built(on_success="localhost:9000/x")

    assert msgspec.json.decode(task.payload, type=HashFields).on_success == "http://localhost:9000/x"


def test_a_callback_that_is_a_webhook_is_kept_with_the_scheme_of_its_url():
    callback = CallbackFields(url="h/x", method="PUT", headers={"a": "b"}, timeout=5.0, success=[202], retry="standard")

    task = built(on_failure=callback)

    stored = msgspec.json.decode(task.payload, type=HashFields)
    assert stored == HashFields(secret="x", on_failure=msgspec.structs.replace(callback, url="http://h/x"))


@pytest.mark.parametrize(
    ("callback", "field"),
    [
        ("ftp://user:p4ss@h/", ""),
        (CallbackFields(url="http://user:p4ss@/"), ".url"),
        (CallbackFields(url="http://h/", headers={"X-Key": "p4ss\n"}), ".headers.X-Key"),
        (CallbackFields(url="http://user:p4ss@h/", headers={"authorization": "x"}), ".headers.authorization"),
        (CallbackFields(url="http://h/", success=["all"]), ".success[0]"),
    ],
)
def test_a_callback_that_cannot_be_sent_is_refused_with_its_place(callback, field):
    assert refused(on_success=callback) == f"hash.on_success{field}"


def test_without_a_type_that_sends_them_callbacks_are_refused():
    assert refused(on_success="http://h/", webhooks=None) == "hash.on_success"


@pytest.mark.parametrize(
    ("retry", "seconds"), [(msgspec.UNSET, 9841), (RetryFields(max_attempts=1), 0), ("standard", 272_105)]
)
def test_a_task_has_the_patience_of_its_retry_policy(retry, seconds):
    assert built(retry=retry).patience == seconds * SECOND


@pytest.mark.parametrize(
    ("delay", "seconds"), [(0, 0), (1.5, 1.5), ("90s", 90), ("3d", 259_200), ("36500d", 3_153_600_000)]
)
def test_a_delay_counts_from_now(delay, seconds):
    task = build_task(Asked(HASHES, HashFields(secret="x"), RequestFields(delay=delay)), now=NOW, webhooks=None)

    assert (task.execution_at, task.due_at) == (NOW + seconds * SECOND,) * 2
    assert parse(task.execution_time) == task.execution_at


@pytest.mark.parametrize(
    "delay", [-1, 3_153_600_001, "3", "d", "-3d", "1.5h", "3 d", "36501d", "9999999999d", "3153600001s", float("1e300")]
)
def test_a_delay_that_is_none_is_refused(delay):
    with pytest.raises(InvalidTaskError) as caught:
        build_task(Asked(HASHES, HashFields(secret="x"), RequestFields(delay=delay)), now=NOW, webhooks=None)

    assert (caught.value.field, caught.value.problem[:8]) == ("hash.delay", "expected")


def test_a_time_is_needed_and_one_is_enough():
    for request, field in (
        (RequestFields(), "execution_time"),
        (RequestFields(execution_time=LATER, delay=1), "delay"),
    ):
        with pytest.raises(InvalidTaskError) as caught:
            build_task(Asked(HASHES, HashFields(secret="x"), request), now=NOW, webhooks=None)
        assert caught.value.field == f"hash.{field}"


@pytest.mark.parametrize(("keep", "microseconds"), [("7d", 7 * 86_400 * SECOND), (0, 0), (0.5, SECOND // 2), ("0s", 0)])
def test_a_task_says_how_long_it_is_kept(keep, microseconds):
    task = built(keep=keep)
    assert task.keep == microseconds
    assert msgspec.json.decode(task.payload)["keep"] == keep
    assert built(keep="forever").keep < 0
    assert built().keep is None


@pytest.mark.parametrize("keep", ["", "soon", "7 d", "-1s", -1, 1e300, "36501d", "Forever"])
def test_a_time_to_keep_a_task_that_is_none_is_refused(keep):
    assert refused(keep=keep) == "hash.keep"
