"""What is said about a request that has the wrong shape."""

import json

import pytest

from tasker.api.new_task import NESTED_LIMIT, NewTaskDecoder
from tasker.errors import InvalidTaskError
from tasker.task_types.hash import HashType
from tasker.task_types.registry import Registry
from tasker.task_types.webhook import WebhookType
from tasker.wire.fields import WebhookFields

GOOD = {"execution_time": "2126-01-01T00:00:00Z", "url": "http://h/", "body": "x"}


@pytest.fixture(scope="module")
def decoder():
    return NewTaskDecoder(Registry([WebhookType(None, None, slots=1), HashType(iterations=1, slots=1)]))


@pytest.mark.parametrize(
    "members",
    [
        {},
        {
            "method": "GET",
            "headers": {"a": "b"},
            "json": [1],
            "timeout": 0.1,
            "success": [200, "3xx"],
            "retry": "standard",
        },
        {
            "on_success": "h/x",
            "on_failure": {"url": "h", "method": "PUT", "retry": {"max_attempts": 1}},
            "expires_at": "x",
        },
        {"headers": {}, "timeout": 3600, "retry": {}},
    ],
)
def test_a_webhook_may_say_all_this_and_needs_none_of_it(decoder, members):
    asked = decoder.decode(json.dumps({"webhook": GOOD | members}).encode())

    fields = asked.fields
    assert (asked.type.name, type(fields)) == ("webhook", WebhookFields)
    assert asked.request.execution_time == GOOD["execution_time"]
    for name in members.keys() - {"json", "retry", "on_failure"}:
        assert getattr(fields, name) == members[name]


RETRY = "max_attempts, initial_delay, factor, max_delay, jitter, max_age"
CALLBACK = "url, method, headers, timeout, success, retry"


@pytest.mark.parametrize(
    ("members", "field", "problem"),
    [
        ({"url": 5}, "url", "expected text in quotes, got a whole number"),
        (
            {"method": "PSOT"},
            "method",
            "expected one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, got something else",
        ),
        (
            {"method": "post"},
            "method",
            "expected one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, got something else",
        ),
        ({"method": None}, "method", "expected text in quotes, got null"),
        ({"headers": ["a"]}, "headers", "expected an object, got an array"),
        ({"headers": {"a": 1}}, "headers", "expected text in quotes for each value, got a whole number"),
        ({"headers": {"a": "b", "c": None}}, "headers", "expected text in quotes for each value, got null"),
        ({"headers": {str(n): "" for n in range(51)}}, "headers", "expected an object of length <= 50"),
        ({"body": ""}, "body", "expected a value that is not empty"),
        ({"timeout": 0}, "timeout", "expected a number >= 0.1"),
        ({"timeout": 3601}, "timeout", "expected a number <= 3600.0"),
        ({"timeout": "30"}, "timeout", "expected a number, got text in quotes"),
        ({"success": []}, "success", "expected a value that is not empty"),
        ({"success": 200}, "success", "expected an array, got a whole number"),
        ({"success": [200, 1.5]}, "success[1]", "expected a whole number or text in quotes, got a number"),
        ({"success": [True]}, "success[0]", "expected a whole number or text in quotes, got true or false"),
        ({"success": [None]}, "success[0]", "expected a whole number or text in quotes, got null"),
        ({"retry": 5}, "retry", "expected text in quotes or an object, got a whole number"),
        ({"retry": None}, "retry", "expected text in quotes or an object, got null"),
        ({"retry": "fast"}, "retry", "expected one of standard, an object, got something else"),
        ({"retry": "x" * 9_000}, "retry", "expected one of standard, an object, got something else"),
        ({"retry": {"jiter": 1}}, "retry.jiter", f"expected one of {RETRY}, got a name that is unknown here"),
        ({"retry": {"max_attempts": 0}}, "retry.max_attempts", "expected a whole number >= 1"),
        ({"on_success": 5}, "on_success", "expected text in quotes or an object, got a whole number"),
        ({"on_success": ""}, "on_success", "expected a value that is not empty"),
        ({"on_success": {}}, "on_success.url", "expected a value, it is missing"),
        ({"on_success": {"url": ""}}, "on_success.url", "expected a value that is not empty"),
        (
            {"on_failure": {"url": "h", "body": "x"}},
            "on_failure.body",
            f"expected one of {CALLBACK}, got a name that is unknown here",
        ),
        (
            {"on_failure": {"url": "h", "method": "GET"}},
            "on_failure.method",
            "expected one of PATCH, POST, PUT, got something else",
        ),
        ({"on_success": {"url": "h", "headers": {"a": 1}}}, "on_success.headers", "for each value"),
        (
            {"on_success": {"url": "h", "retry": {"jiter": 1}}},
            "on_success.retry.jiter",
            f"expected one of {RETRY}, got a name that is unknown here",
        ),
        (
            {"on_success": {"url": "h", "retry": "x"}},
            "on_success.retry",
            "expected one of standard, an object, got something else",
        ),
        ({"expires_at": 5}, "expires_at", "expected an RFC 3339 time, such as 2126-02-10T16:30:00+01:00, got: '5'"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_has_the_wrong_shape_is_refused_in_words_that_say_what_is_right(decoder, members, field, problem):
    with pytest.raises(InvalidTaskError) as refused:
        decoder.decode(json.dumps({"webhook": GOOD | members}).encode())

    assert refused.value.field == f"webhook.{field}"
    assert problem in refused.value.problem
    assert "`" not in str(refused.value)
    assert len(str(refused.value)) < 250


def nested(levels, innermost):
    """Return a webhook's body in which arrays and objects stand in each other, those of the body itself among them."""
    value = b"[" * (levels - 2) + innermost + b"]" * (levels - 2)
    return b'{"webhook":{"execution_time":"2126-01-01T00:00:00Z","url":"http://h/","json":%b}}' % value


def test_json_may_be_nested_so_deeply_and_no_deeper(decoder):
    decoder.decode(nested(NESTED_LIMIT, b"1"))
    for levels in (NESTED_LIMIT + 1, 900, 100_000):
        with pytest.raises(InvalidTaskError, match=f"nested at most {NESTED_LIMIT} deep"):
            decoder.decode(nested(levels, b"1"))


def test_brackets_in_text_and_beside_each_other_are_not_nested(decoder):
    decoder.decode(nested(NESTED_LIMIT, b'"' + b"[{" * 500 + b'\\"[\\\\"'))
    decoder.decode(nested(NESTED_LIMIT - 1, b",".join([b"[]", b'{"[":"]"}'] * 500)))


def test_a_hash_has_callbacks_and_retries_too_and_nothing_of_a_webhook(decoder):
    good = {"execution_time": "2126-01-01T00:00:00Z", "secret": "x"}
    decoder.decode(json.dumps({"hash": good | {"on_success": "h/x", "retry": "standard"}}).encode())

    with pytest.raises(InvalidTaskError) as refused:
        decoder.decode(json.dumps({"hash": good | {"on_success": {"url": "h", "jsno": 1}}}).encode())
    assert refused.value.field == "hash.on_success.jsno"
    assert CALLBACK in refused.value.problem
    with pytest.raises(InvalidTaskError) as refused:
        decoder.decode(json.dumps({"hash": good | {"method": "GET"}}).encode())
    assert refused.value.field == "hash.method"
    assert "secret" in refused.value.problem
