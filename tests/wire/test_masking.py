"""What is shown of a task to those who may not see its secrets."""

import msgspec
import pytest

from tasker.testing.task_factory import a_task
from tasker.wire.masking import masked


def shown(payload):
    task = a_task(due_at=0, payload=msgspec.json.encode(payload))
    return msgspec.json.decode(masked(task).payload)


def test_headers_and_passwords_are_masked_those_of_callbacks_too():
    secret = {"url": "https://me:pa:ss@h/x?y=@", "headers": {"authorization": "p4ss", "x-empty": ""}}
    masked_one = {"url": "https://me:***@h/x?y=@", "headers": {"authorization": "***", "x-empty": "***"}}

    assert shown(secret | {"on_success": secret, "on_failure": secret["url"]}) == masked_one | {
        "on_success": masked_one,
        "on_failure": masked_one["url"],
    }


@pytest.mark.parametrize(
    "payload",
    [
        {"url": "http://h/", "body": "x"},
        {"url": "http://me@h/?mail=a:b@c", "json": {"url": "http://me:pw@h/", "headers": {"a": "b"}}},
        {"url": ["http://me:pw@h/"], "headers": ["a"], "on_success": None},
    ],
    ids=str,
)
def test_all_else_is_shown_as_it_is(payload):
    assert shown(payload) == payload


def test_what_is_not_masked_stays_byte_by_byte():
    task = a_task(due_at=0, payload=b'{"url":"http://a:b@h/","json": { "n" : 1.0e0 } }')

    assert b'"json":{ "n" : 1.0e0 }' in masked(task).payload
