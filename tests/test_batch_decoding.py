"""A batch is taken apart into its tasks."""

import json

import pytest
from msgspec import UNSET

from tasker.api.batch import Batch
from tasker.api.new_task import NewTaskDecoder
from tasker.errors import InvalidTaskError
from tasker.task_types.hash import HashType
from tasker.task_types.registry import Registry
from tasker.task_types.webhook import WebhookType

DECODER = NewTaskDecoder(Registry([WebhookType(None, None, slots=1), HashType(iterations=1, slots=1)]))
HASH = {"hash": {"delay": "1h", "secret": "x"}}
WEBHOOK = {"webhook": {"delay": "1h", "url": "h.example", "body": "x"}}


def nested(value):
    return {"webhook": {"delay": "1h", "url": "h.example", "json": value}}


LOOKALIKES = [
    [{"a": {"b": 1}}, {"webhook": {"c": 2}}],
    '}}, {"webhook": }},{"webhook":',
    "\\",
    [[]],
    [1, 2, 3],
    "x" * 70_000,
    [{"a": {"b": place}} for place in range(7_000)],
]


@pytest.mark.parametrize("form", [json.dumps, lambda tasks: json.dumps(tasks, indent=1)], ids=["line", "indented"])
@pytest.mark.parametrize("at_first", LOOKALIKES, ids=lambda value: repr(value)[:20])
def test_an_array_is_taken_apart_where_its_elements_end_whatever_they_say(form, at_first):
    tasks = [nested(at_first), HASH, *map(nested, LOOKALIKES), WEBHOOK] * 3 + [nested(place) for place in range(2_000)]

    body = form(tasks).encode()
    asked = [*Batch(DECODER, body, task_limit=1 << 20).asked()]

    sent = [task["webhook"].get("json") for task in tasks if "webhook" in task]
    webhooks = [each.fields for each in asked if each.type.name == "webhook"]
    assert len(asked) == len(tasks)
    assert [None if each.json is UNSET else json.loads(bytes(each.json)) for each in webhooks] == sent


@pytest.mark.parametrize("wrong", [b"]", b'"', b"[", b"x", b",", b"\xff", b""])
def test_what_is_wrong_in_the_middle_of_an_array_is_found(wrong):
    task = json.dumps(WEBHOOK).encode()
    body = b"[%b, %b%b, %b]" % (b", ".join([task] * 500), task[:-1], wrong, b", ".join([task] * 500))

    assert "expected" in first_refusal(body).problem


def first_refusal(body):
    try:
        return next(
            each for each in Batch(DECODER, body, task_limit=1 << 20).asked() if isinstance(each, InvalidTaskError)
        )
    except InvalidTaskError as error:
        return error
