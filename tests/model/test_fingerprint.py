"""What makes two failures the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasker.model.failures import FailureGroups
from tasker.model.fingerprint import LENGTH, fingerprint_of, gist
from tasker.model.task import Fault


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the target did not answer within 30 s", "the target did not answer within 2.5 s"),
        ("no order 'a b'", "no order 'c'"),
        ('no "x"', 'no "y z"'),
        ("no user 01a20f5f-cad1-7ddf-9a84-7874a503bf14", "no user 01A20F63-2F5B-7BD0-A33E-6C8A3D0A1C52"),
        ("no user 01a20f5fcad17ddf9a847874a503bf14", "no user 01a20f632f5b7bd0a33e6c8a3d0a1c52"),
        ("no invoice in_1Kx8a2eZvKYlo2C", "no invoice in_99x8a2eZvKYlo3D"),
        ("at 2026-11-24T21:04:31Z", "at 2027-01-01T00:00:00Z"),
        ("10.0.0.1:80 is away", "10.0.0.17:8080 is away"),
        ("no  row", "no row"),
    ],
)
def test_messages_that_differ_in_numbers_quoted_text_and_ids_are_alike(one, other):
    assert gist(one) == gist(other)
    assert fingerprint_of("webhook", "x", None, one) == fingerprint_of("webhook", "x", None, other)


@pytest.mark.parametrize(
    "other",
    [
        ("hash", "status_500", 500, "it broke"),
        ("webhook", "status_503", 500, "it broke"),
        ("webhook", "status_500", 503, "it broke"),
        ("webhook", "status_500", None, "it broke"),
        ("webhook", "status_500", 500, "it is broken"),
    ],
)
def test_another_type_code_status_or_wording_is_another_failure(other):
    assert fingerprint_of("webhook", "status_500", 500, "it broke") != fingerprint_of(*other)


def test_a_fingerprint_is_the_same_in_every_version():
    assert fingerprint_of("webhook", "status_500", 500, "the target answered 500 Internal Server Error") == (
        "08d231369a63304f"
    )


@given(st.text(max_size=2_000))
def test_any_message_has_a_gist_without_ids(msg):
    assert len(fingerprint_of("webhook", "x", None, msg)) == LENGTH
    assert "01a20f5f-cad1" not in gist(msg + "01a20f5f-cad1-7ddf-9a84-7874a503bf14 ")


def test_failures_are_counted_by_fingerprint_with_the_first_the_last_and_an_example():
    groups = FailureGroups()
    for at, task_id in ((7, "a"), (9, "b")):
        groups.attempt_failed(task_id, "webhook", Fault("x", "no 17", "f1"), status=None, at=at)
    groups.attempt_failed("c", "webhook", Fault("x", "else", "f2"), status=500, at=8)
    groups.ended("expired", "too late", 3, at=5)
    first, second, third = groups.groups
    assert (first.code, first.count, first.fingerprint, first.type) == ("expired", 3, None, None)
    assert (second.count, second.first_at, second.last_at, second.example.task_id) == (2, 7, 9, "b")
    assert (second.msg, second.example.msg) == ("no #", "no 17")
    assert (third.status, third.count) == (500, 1)
    assert len(groups.drain()) == 3
    assert not groups


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 9)), max_size=30), st.integers(0, 30))
def test_counts_are_the_same_in_parts_and_as_a_whole(failures, cut):
    whole, parts = FailureGroups(), [FailureGroups(), FailureGroups()]
    for place, (fingerprint, at) in enumerate(sorted(failures, key=lambda each: each[1])):
        for groups in (whole, parts[place >= cut]):
            groups.attempt_failed("t", "webhook", Fault("x", "y", fingerprint), status=None, at=at)
    added = FailureGroups(most=None)
    for part in parts:
        added.add(part.drain())
    assert added.groups == whole.groups


def test_beyond_so_many_kinds_failures_are_told_apart_by_type_and_code_alone():
    groups = FailureGroups(most=2)
    for number in range(10):
        groups.attempt_failed(
            "t", "webhook", Fault("x", f"word {'abcdefghij'[number]}", f"f{number}"), status=None, at=1
        )
    groups.attempt_failed("t", "webhook", Fault("x", "word a", "f0"), status=None, at=1)
    assert [(group.fingerprint, group.count, group.msg) for group in groups.groups] == [
        (None, 8, ""),
        ("f0", 2, "word a"),
        ("f1", 1, "word b"),
    ]
