"""The merge patch between two versions, and what is copied."""

import shlex

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasker.dashboard.edits import merge_patch
from tasker.dashboard.snippets import snippets_of
from tasker.testing.task_factory import a_task

json_values = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text(max_size=3),  # no null: in a patch it takes away
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from("abcd"), json_values, max_size=4)


def applied(patch, target):
    """RFC 7396, section 2, word by word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = applied(value, result.get(name))
    return result


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(objects, objects)
def test_a_patch_makes_the_one_of_the_other(before, after):
    assert applied(merge_patch(before, after), before) == after


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(objects)
def test_what_is_the_same_needs_no_patch(value):
    assert merge_patch(value, value) == {}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(objects, objects)
def test_what_is_the_same_is_not_in_a_patch(before, after):
    patch = merge_patch(before, after)

    assert not any(name in patch for name in before if name in after and repr(before[name]) == repr(after[name]))


def test_a_masked_value_is_a_variable_in_every_shell():
    payload = b'{"url":"http://me:***@h/x?a=b c","headers":{"x-key":"***","x-plain":"it\'s"},"json":{"a":"$b `c`"}}'

    made = snippets_of(a_task(due_at=1, payload=payload))

    words = shlex.split(made.curl.replace("\\\n", " "))
    assert words[:4] == ["curl", "-X", "POST", "http://me:$PASSWORD@h/x?a=b c"]
    assert words[4:8] == ["-H", "x-key: $X_KEY", "-H", "x-plain: it's"]
    assert words[-2:] == ["--data-raw", '{"a":"$b `c`"}']
    compile(made.python, "snippet", "exec")
    assert "os.environ['X_KEY']" in made.python
