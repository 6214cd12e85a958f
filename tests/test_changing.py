"""What a task becomes by a merge patch."""

import itertools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from tasker.api.new_task import NewTaskDecoder
from tasker.api.patches import PatchDecoder
from tasker.building import build_task
from tasker.changing import Patch, changed
from tasker.errors import (
    HeadersNeededError,
    InvalidTaskError,
    MaskedValueError,
    TaskEndedError,
    TaskNotWaitingError,
    TaskRunningError,
)
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import SECOND, parse, text
from tasker.model.task import State
from tasker.task_types.hash import HashType
from tasker.task_types.registry import Registry
from tasker.task_types.webhook import WebhookType
from tasker.wire.fields import BODIES

NOW = parse("2027-01-15T08:00:00Z")
LATER, LATEST = "2027-01-15T09:00:01+01:00", "2027-01-15T10:00:00Z"
WEBHOOKS = WebhookType(None, None, slots=1)
REGISTRY = Registry([WEBHOOKS, HashType(iterations=1, slots=1)])
DECODE = NewTaskDecoder(REGISTRY).decode
READ = PatchDecoder(REGISTRY).decode
WEBHOOK = {"execution_time": LATER, "url": "https://a.example/x?q=1", "body": "b"}


def a_task(type_="webhook", /, **members):
    asked = {"webhook": WEBHOOK, "hash": {"execution_time": LATER, "secret": "s"}}[type_] | members
    asked = {name: value for name, value in asked.items() if value is not None}
    task = build_task(DECODE(json.dumps({type_: asked}).encode()), now=NOW, webhooks=WEBHOOKS)
    return replace(task, revision=7, tags=(), destination=None)  # as the store reads it


def change(task, patch, *, now=NOW, type_=None):
    body = patch if isinstance(patch, bytes) else json.dumps({type_ or task.type: patch}).encode()
    return changed(task, READ(body), now=now, decode=DECODE, webhooks=WEBHOOKS)


def shown(task):
    return json.loads(task.payload)


def after(task, patch, **how):
    """What the task has been given, after a change."""
    return shown(change(task, patch, **how).task)


def refused(error, task, patch, **how):
    with pytest.raises(error) as caught:
        change(task, patch, **how)
    return caught.value


# Members


def test_a_member_that_is_given_replaces_the_old_one_and_the_others_stay():
    change_ = change(a_task(timeout=5, tags=["a"]), {"body": "new", "tags": ["b", "c", "b"]})
    assert shown(change_.task) == {"url": WEBHOOK["url"], "body": "new", "timeout": 5.0, "tags": ["b", "c", "b"]}
    assert (change_.task.tags, change_.revision, change_.has_new_payload) == (("b", "c"), 7, True)


def test_null_removes_a_member_and_objects_are_merged():
    task = a_task(retry={"max_attempts": 3, "factor": 2}, timeout=5, keep="7d", expires_at=LATEST)
    patch = {"retry": {"factor": None, "jitter": 0}, "timeout": None, "keep": None, "expires_at": None, "method": None}
    new = change(task, patch).task
    assert shown(new) == {"url": WEBHOOK["url"], "body": "b", "retry": {"max_attempts": 3, "jitter": 0.0}}
    assert (new.keep, new.expires_at) == (None, None)
    assert after(a_task(retry="standard"), {"retry": {"max_attempts": 2}})["retry"] == {"max_attempts": 2}


@pytest.mark.parametrize(("old", "new"), [*itertools.permutations(BODIES, 2)])
def test_what_is_sent_is_replaced_in_whichever_form(old, new):
    task = a_task(**{"body": None, old: "AAAA"})
    assert after(task, {new: "BBBB"}) == {"url": WEBHOOK["url"], new: "BBBB"}
    assert after(task, {new: None, old: "CCCC"}) == {"url": WEBHOOK["url"], old: "CCCC"}
    assert after(task, {old: None}) == {"url": WEBHOOK["url"]}
    assert refused(InvalidTaskError, task, {old: "AAAA", new: "BBBB"}).field in (f"webhook.{old}", f"webhook.{new}")


def test_a_json_is_replaced_whole_as_it_was_written():
    patch = b'{"webhook": {"json": {"a": null,  "n": 1e999, "b": {"c": 1.0}}}}'
    new = change(a_task(body=None, json={"a": 1, "b": {"d": 2}}), patch).task
    assert b'"json":{"a": null,  "n": 1e999, "b": {"c": 1.0}}' in new.payload


def test_what_comes_out_is_checked_as_a_new_task_is():
    task = a_task(expires_at=LATEST)
    for patch, field in (
        ({"url": "ftp://x/"}, "url"),
        ({"url": None}, "url"),
        ({"body": ""}, "body"),
        ({"timeout": "long"}, "timeout"),
        ({"retry": {"max_attempts": 0}}, "retry.max_attempts"),
        ({"headers": {"host": "x"}}, "headers.host"),
        ({"on_failure": {"method": "PUT"}}, "on_failure.url"),
        ({"execution_time": None}, "execution_time"),
        ({"execution_time": LATER, "delay": 1}, "delay"),
        ({"execution_time": text(NOW)}, "execution_time"),
        ({"execution_time": LATEST}, "expires_at"),
        ({"delay": "3d"}, "expires_at"),
        ({"expires_at": LATER}, "expires_at"),
        ({"state": "done"}, "state"),
    ):
        assert refused(InvalidTaskError, task, patch).field == f"webhook.{field}", patch


@pytest.mark.parametrize(
    "body",
    [
        b'{"webhook": {"retry": {"max_delay": 1e999}}}',
        b'{"webhook": {"retry": {"\\ud800": 1}}}',
        b'{"webhook": {"headers": {"\xff": "x"}}}',
        b'{"webhook": {"on_failure": {"\xff": "x"}}}',
        b'{"webhook": {"url": "\\ud800"}}',
        b'{"webhook": {"url": 1}}',
        b'{"webhook": {"body": "\xff"}}',
        b'{"webhook": {"json": "\xff"}}',
    ],
)
def test_what_is_no_usable_json_inside_is_refused(body):
    refused(InvalidTaskError, a_task(headers={"a": "b"}, on_failure={"url": "http://a/"}), body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", ""),
        (b'{"webhook": {}, "hash": {}}', ""),
        (b"[]", ""),
        (b"", ""),
        (b'{"delay": 1}', ""),
        (b'{"secret": "x"}', ""),
        (b'{"hush": {"delay": 1}}', "hush"),
        (b'{"webhook": 1}', "webhook"),
        (b'{"webhook": {"json": %s1%s}}' % (b"[" * 199, b"]" * 199), ""),
    ],
)
def test_what_is_no_change_is_refused(body, field):
    with pytest.raises(InvalidTaskError) as caught:
        READ(body)
    assert caught.value.field == field


@pytest.mark.parametrize("member", ["id", "type", "key"])
def test_what_a_task_keeps_is_refused(member):
    error = refused(InvalidTaskError, a_task(), {member: "x"})
    assert (error.field, "a task keeps" in error.problem) == (f"webhook.{member}", True)


@pytest.mark.parametrize("member", ["on_conflict", "max_wait"])
def test_what_is_for_new_tasks_is_refused(member):
    error = refused(InvalidTaskError, a_task(), {member: None})
    assert (error.field, "for a new task" in error.problem) == (f"webhook.{member}", True)


def test_the_type_has_to_be_that_of_the_task_in_any_spelling():
    assert change(a_task(), {"body": "x"}, type_="WebHook").task.type == "webhook"
    error = refused(InvalidTaskError, a_task(), {"secret": "x"}, type_="hash")
    assert (error.field, "expected webhook" in error.problem) == ("hash", True)


# Time


def test_a_new_time_is_when_it_is_due():
    for patch, at in (
        ({"execution_time": LATEST}, parse(LATEST)),
        ({"delay": 0}, NOW),
        ({"delay": "1d", "execution_time": None}, NOW + 86_400 * SECOND),
    ):
        change_ = change(a_task(), patch)
        assert (change_.task.due_at, change_.task.execution_at, parse(change_.task.execution_time)) == (at, at, at)
        assert not change_.has_new_payload
    assert change(a_task(), {"execution_time": LATEST}).task.execution_time == LATEST


def test_while_a_retry_is_waited_for_a_new_time_is_that_of_the_next_attempt():
    later = NOW + 3_600 * SECOND
    task = replace(a_task(expires_at="2027-01-16T00:00:00Z"), attempts=1, due_at=later + SECOND)
    new = change(task, {"delay": 5}, now=later).task
    assert (new.due_at, new.execution_time, new.execution_at) == (later + 5 * SECOND, LATER, task.execution_at)
    assert refused(InvalidTaskError, task, {"delay": "1d"}, now=later).field == "webhook.expires_at"


def test_a_time_that_stays_may_have_passed():
    task = replace(a_task(), attempts=1, due_at=NOW + 9_000 * SECOND)
    new = change(task, {"body": "x", "execution_time": LATER, "delay": None}, now=NOW + 8_000 * SECOND).task
    assert (new.due_at, new.execution_time, new.execution_at) == (task.due_at, LATER, task.execution_at)


def test_a_time_of_expiry_that_has_passed_may_stay_but_is_not_taken_anew():
    now = NOW + 86_400 * SECOND
    task = replace(a_task(expires_at=LATEST), state=State.FAILED)
    assert change(task, {"body": "x", "expires_at": LATEST}, now=now).task.expires_at == parse(LATEST)
    assert refused(InvalidTaskError, task, {"expires_at": "2027-01-15T11:00:00Z"}, now=now).field.endswith("expires_at")


def test_what_has_been_waited_is_that_of_the_new_policy():
    retry = {"initial_delay": 1, "factor": 2, "jitter": 0, "max_attempts": 5}
    task = replace(a_task(retry=retry), attempts=6, retried_after=3)
    change_ = change(task, {"retry": {"initial_delay": 10}})
    assert (change_.waited, change_.task.patience) == (70 * SECOND, 150 * SECOND)
    assert change(task, {"body": "x"}).waited == 7 * SECOND


# States


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_an_ended_task_can_be_mended_but_has_no_time_to_change(state):
    task = replace(a_task(), state=state, attempts=1, ended_at=NOW, due_at=NOW - 1)
    new = change(task, {"url": "https://a.example/y", "execution_time": LATER}).task
    assert (new.state, new.ended_at, new.due_at) == (state, NOW, NOW - 1)
    for patch in ({"delay": 1}, {"execution_time": LATEST}, {"execution_time": None}):
        assert state.word in str(refused(TaskNotWaitingError, task, patch))


def test_a_running_task_and_one_that_is_done_are_not_changed():
    refused(TaskRunningError, replace(a_task(), state=State.IN_PROGRESS), {"body": "x"})
    assert "is done" in str(refused(TaskEndedError, replace(a_task(), state=State.DONE), {"body": "x"}))


# What changes nothing


@pytest.mark.parametrize(
    "patch",
    [
        {},
        {"body": "b"},
        {"json": None, "method": None},
        {"execution_time": LATER},
        {"delay": None},
        {"headers": {"A": "1", "c": None}},
        {"url": "https://a.example/x?q=1"},
        {"retry": {}},
        {"keep": "7d", "tags": ["t"], "timeout": 5, "expires_at": "2027-01-15T11:00:00+01:00"},
        {"on_failure": {"url": "http://b.example/"}},
    ],
)
def test_what_is_as_it_was_is_no_change(patch):
    task = a_task(
        headers={"A": "1"}, keep="7d", tags=["t"], timeout=5, expires_at=LATEST, retry={"max_attempts": 3},
        on_failure={"url": "http://b.example/", "headers": {"x": "y"}},
    )  # fmt: skip
    assert change(task, patch) is None


def test_the_same_moment_in_other_words_is_a_change_of_what_is_shown():
    new = change(a_task(), {"execution_time": "2027-01-15T08:00:01Z"}).task
    assert (new.execution_time, new.due_at) == ("2027-01-15T08:00:01Z", NOW + SECOND)


def test_where_it_goes_is_found_anew_and_said_even_if_it_stays():
    host = Destination(GateKind.HOST, "https://a.example:443")
    assert change(a_task(), {"body": "x"}).task.destination == host
    assert change(a_task(), {"url": "b.example/"}).task.destination == Destination(GateKind.HOST, "http://b.example:80")
    assert change(a_task("hash"), {"secret": "x"}).task.destination == Destination(GateKind.TYPE, "hash")


# Headers


def test_headers_are_merged_by_name_in_upper_or_lower_case():
    task = a_task(headers={"Authorization": "x", "X-A": "1", "X-B": "2"})
    patch = {"headers": {"authorization": "y", "x-a": None, "X-C": "3"}, "url": "https://A.example:443/other"}
    assert after(task, patch)["headers"] == {"X-B": "2", "authorization": "y", "X-C": "3"}
    assert "headers" not in after(task, {"headers": None})
    assert refused(InvalidTaskError, task, {"headers": {"x-d": "1", "X-D": "2"}}).field.startswith("webhook.headers.")


@pytest.mark.parametrize(
    "url", ["https://b.example/", "http://a.example/x", "https://a.example:444/", "a.example", "https://u@b.example/"]
)
def test_headers_do_not_travel_to_another_origin(url):
    task = a_task(headers={"Authorization": "s3cret", "X-A": "1"})
    error = refused(HeadersNeededError, task, {"url": url})
    assert (error.field, "s3cret" in str(error)) == ("webhook.headers", False)
    for headers in ({}, {"x-new": "n"}, {"X-A": "2", "Authorization": None}):
        given_ = {name: value for name, value in headers.items() if value is not None}
        assert after(task, {"url": url, "headers": headers}).get("headers") == given_
    assert "headers" not in after(task, {"url": url, "headers": None})
    assert "headers" not in after(a_task(), {"url": url})
    assert after(a_task(headers={}), {"url": url})["url"].endswith(url)


def test_the_headers_of_a_callback_do_not_travel_either():
    old = {"url": "https://a.example/", "headers": {"x": "s3cret"}, "method": "PUT"}
    task = a_task("hash", on_failure=old)
    assert refused(HeadersNeededError, task, {"on_failure": {"url": "https://b.example/"}}).field == (
        "hash.on_failure.headers"
    )
    refused(HeadersNeededError, task, {"on_failure": "https://b.example/"})
    moved = after(task, {"on_failure": {"url": "https://b.example/", "headers": {"y": "z"}}})["on_failure"]
    assert moved == {"url": "https://b.example/", "headers": {"y": "z"}, "method": "PUT"}
    assert after(task, {"on_failure": {"url": "https://a.example/y"}})["on_failure"]["headers"] == {"x": "s3cret"}
    assert after(task, {"on_failure": "https://a.example/y"})["on_failure"] == "https://a.example/y"
    assert "on_failure" not in after(task, {"on_failure": None})


def test_a_callback_that_is_a_text_becomes_an_object_with_its_url():
    task = a_task("hash", on_failure="https://a.example/")
    new = after(task, {"on_failure": {"headers": {"x": "y"}}})["on_failure"]
    assert new == {"url": "https://a.example/", "headers": {"x": "y"}}
    new = after(task, {"on_failure": {"url": "https://b.example/", "timeout": 5}})["on_failure"]
    assert new == {"url": "https://b.example/", "timeout": 5.0}


@pytest.mark.parametrize(
    ("type_", "patch", "field"),
    [
        ("webhook", {"headers": {"x": "***"}}, "headers.x"),
        ("webhook", {"url": "https://me:***@a.example/"}, "url"),
        ("webhook", {"on_cancel": {"url": "https://a.example/", "headers": {"x": "***"}}}, "on_cancel.headers.x"),
        ("hash", {"secret": "***"}, "secret"),
    ],
)
def test_a_mask_is_no_secret(type_, patch, field):
    assert refused(MaskedValueError, a_task(type_), patch).field == f"{type_}.{field}"


def test_a_secret_that_was_three_stars_may_stay():
    assert after(a_task("hash", secret="***"), {"timeout": None, "tags": ["a"]})["secret"] == "***"


CANARY = "canary"
URLS = st.sampled_from(
    ["http://a.example/", "http://a.example/y", "https://a.example/", "http://b.example/", "a.example/z"]
)
HEADERS = st.dictionaries(st.sampled_from(["x", "X", "y", "z"]), st.none() | st.just("new"), max_size=3)
REQUESTS = st.fixed_dictionaries({}, optional={"url": URLS, "headers": HEADERS | st.none()})
OLD = st.fixed_dictionaries({"url": URLS, "headers": st.dictionaries(st.sampled_from(["x", "Y"]), st.just(CANARY))})
PATCHES = st.builds(
    lambda own, callbacks: {**own, **callbacks},
    REQUESTS,
    st.dictionaries(st.sampled_from(["on_success", "on_failure"]), REQUESTS | URLS | st.none()),
)


def scheme_and_host(url):
    return (url if "://" in url else f"http://{url}").split("/")[:3]


@given(OLD, OLD | URLS, st.lists(PATCHES, max_size=4))
def test_no_series_of_changes_moves_a_header_to_another_origin(own, callback, patches):
    task = a_task(**own, on_failure=callback)
    given_for = {"": own["url"], "on_failure": callback["url"] if isinstance(callback, dict) else None}
    for patch in patches:
        try:
            change_ = change(task, patch)
        except InvalidTaskError:
            continue
        task = task if change_ is None else replace(change_.task, revision=task.revision + 1)
    fields = shown(task)
    for place in ("", "on_success", "on_failure"):
        request = fields if place == "" else fields.get(place, {})
        if isinstance(request, dict) and CANARY in request.get("headers", {}).values():
            assert scheme_and_host(request["url"]) == scheme_and_host(given_for[place])


def merge_patch(target, patch):
    """RFC 7396, section 2, word by word."""
    if isinstance(patch, dict):
        if not isinstance(target, dict):
            target = {}
        for name, value in patch.items():
            if value is None:
                target.pop(name, None)
            else:
                target[name] = merge_patch(target.get(name), value)
        return target
    return patch


RETRIES = st.just("standard") | st.dictionaries(
    st.sampled_from(["max_attempts", "factor", "jitter"]), st.just(1) | st.none(), max_size=3
)
PLAIN = st.fixed_dictionaries(
    {},
    optional={
        "retry": RETRIES | st.none(),
        "method": st.sampled_from(["PUT", "DELETE", None]),
        "timeout": st.sampled_from([5, 7.5, None]),
        "success": st.sampled_from([[200], ["2xx", 409], None]),
        "tags": st.sampled_from([["a"], [], None]),
        "keep": st.sampled_from(["7d", 5, None]),
        "headers": st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(["1", "2", None])) | st.none(),
        "expires_at": st.sampled_from([LATEST, None]),
    },
)


def without_nulls(value):
    return merge_patch(None, value)


@given(PLAIN, PLAIN)
def test_a_change_is_the_merge_patch_of_the_request(old, patch):
    task = a_task(**without_nulls(old))
    expected = a_task(**merge_patch(without_nulls(old), patch))
    change_ = change(task, patch)
    found = task if change_ is None else change_.task
    assert (shown(found), found.expires_at, found.keep) == (shown(expected), expected.expires_at, expected.keep)
    if change_ is None:
        assert (task.expires_at, shown(task)) == (expected.expires_at, shown(expected))
    else:
        assert change(change_.task, patch) is None, "twice is as good as once"


def test_a_payload_in_another_order_of_members_is_the_same():
    task = a_task(timeout=5)
    members = msgspec.json.decode(task.payload, type=dict[str, Raw])
    turned = replace(task, payload=msgspec.json.encode(dict(reversed(members.items()))))
    assert changed(turned, Patch("webhook", {"timeout": Raw(b"5")}), now=NOW, decode=DECODE, webhooks=WEBHOOKS) is None
