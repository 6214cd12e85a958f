"""What the audit log keeps of a change."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasker.model.operation import Action, Asked, Operation
from tasker.model.task import TaskId
from tasker.testing.task_factory import a_task
from tasker.wire.changes import operation_changes, task_changes

MINUTE = 60_000_000


def shown(before, after):
    return json.loads(msgspec.json.encode(task_changes(before, after)))


def task(**members):
    return a_task(due_at=MINUTE, payload=json.dumps(members).encode())


def test_what_stays_is_not_there():
    assert shown(task(url="a", keep="1d"), task(url="a", keep="1d")) == {}
    assert shown(task(url="a", keep="1d"), task(url="a", keep="2d")) == {"keep": {"before": "1d", "after": "2d"}}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({}, {"keep": "1d"}, {"after": "1d"}),
        ({"keep": "1d"}, {}, {"before": "1d"}),
        ({"keep": None}, {"keep": 0}, {"before": None, "after": 0}),
        ({"keep": "x" * 2_000}, {"keep": "1d"}, {"after": "1d"}),
        ({"keep": "x" * 2_000}, {"keep": "y" * 2_000}, {}),
    ],
)
def test_a_member_says_what_it_was_and_what_it_is(old, new, said):
    assert shown(task(**old), task(**new)) == {"keep": said}


def test_a_new_time_is_named_as_it_was_given():
    old = task()
    later = replace(old, due_at=2 * MINUTE)
    moved = replace(later, execution_at=2 * MINUTE, execution_time="1970-01-01T01:02:00+01:00")
    assert shown(old, moved) == {
        "execution_time": {"before": "1970-01-01T00:01:00.000000Z", "after": "1970-01-01T01:02:00+01:00"}
    }
    assert shown(old, later) == {
        "due_at": {"before": "1970-01-01T00:01:00.000000Z", "after": "1970-01-01T00:02:00.000000Z"}
    }
    assert shown(old, replace(old, expires_at=MINUTE)) == {"expires_at": {"after": "1970-01-01T00:01:00.000000Z"}}
    assert shown(replace(old, expires_at=MINUTE), old) == {"expires_at": {"before": "1970-01-01T00:01:00.000000Z"}}


SECRET = st.text("abc", min_size=8, max_size=12).map(lambda text: f"geheim-{text}")


@given(SECRET, SECRET)
def test_neither_secrets_nor_bodies_are_in_it(one, other):
    def with_secret(secret, url):
        return {
            "url": f"http://me:{secret}@{url}/",
            "headers": {"X-Token": secret},
            "secret": secret,
            "body": secret,
            "json": {"token": secret},
            "body_base64": secret,
            "on_success": f"http://me:{secret}@{url}/",
            "on_failure": {"url": f"http://me:{secret}@{url}/", "headers": {"X-Token": secret}},
        }

    old, new = with_secret(one, "a"), with_secret(other, "b")
    said = shown(task(**old), task(**new))
    assert set(said) == set(new) - {name for name in new if old[name] == new[name]}
    change = msgspec.Raw(json.dumps({"webhook": new}).encode())
    operation = Operation(id=TaskId("x"), action=Action.CHANGE, asked=Asked(change=change))
    asked = msgspec.json.encode(operation_changes(operation)).decode()
    assert "geheim" not in json.dumps(said) + asked
    assert '"url":"http://me:***@b/"' in asked
