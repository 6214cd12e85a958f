"""What a function returns or raises, in the words of the API."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tasker
from tasker.wire.completions import LONGEST_RESULT, Complete, Fail, fault_of, result_of
from tasker.worker import reports


def taken(report):
    """What the server makes of a report, which it must take."""
    members = {name: value for name, value in msgspec.structs.asdict(report).items() if value is not msgspec.UNSET}
    what = members.pop("what")
    if what == "complete":
        body = msgspec.json.encode({"result": report.result} if "result" in members else {})
        return result_of(msgspec.json.decode(body, type=Complete))
    if members["retry_after"] is None:
        del members["retry_after"]
    return fault_of(msgspec.json.decode(msgspec.json.encode(members), type=Fail))


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(), st.lists, max_leaves=9))
def test_what_a_function_returns_is_the_result(value):
    kept = taken(reports.done(value))
    assert value is None if kept is None else msgspec.json.decode(kept) == value


def test_a_result_that_cannot_be_kept_fails_for_good():
    report = reports.done(object())
    assert (report.what, report.code, report.retry) == ("fail", "bad_result", False)
    assert reports.done("x" * (LONGEST_RESULT - 2)).what == "complete"
    report = reports.done("x" * (LONGEST_RESULT - 1))
    assert (report.what, report.code, report.retry) == ("fail", "result_too_large", False)
    taken(report)


class HTTPStatusError(Exception):
    pass


class SpeechlessError(Exception):
    def __str__(self):
        return self.args[0]  # there is none


class Ärger(Exception):  # noqa: N818, PLC2401
    pass


@pytest.mark.parametrize(
    ("error", "code", "msg"),
    [
        (ValueError("no\nline\x00"), "value_error", "ValueError: no line"),
        (HTTPStatusError("502"), "http_status_error", "HTTPStatusError: 502"),
        (KeyError("a"), "key_error", "KeyError: 'a'"),
        (RuntimeError(), "runtime_error", "RuntimeError"),
        (SystemExit(3), "system_exit", "SystemExit: 3"),
        (SpeechlessError(), "speechless_error", "SpeechlessError: <exception str() failed>"),
        (Ärger("x"), "exception", "Ärger: x"),
        (ValueError("x" * 5000), "value_error", "ValueError: " + "x" * 988),
    ],
)
def test_what_a_function_raises_fails_the_attempt(error, code, msg):
    report = reports.raised(error)
    assert (report.code, report.msg, report.retry, report.retry_after) == (code, msg, True, None)
    fault = taken(report)
    details = msgspec.json.decode(bytes(fault.details))
    assert details["exception"].endswith(type(error).__name__)
    assert details["traceback"]


@given(st.text())
def test_whatever_text_an_exception_has_the_server_takes_it(text):
    assert taken(reports.raised(ValueError(text + "\ud800")))
    assert taken(reports.raised(tasker.Fail(text, code=text)))
    assert taken(reports.raised(tasker.Retry(text)))


def test_a_long_traceback_of_odd_characters_fits():
    def deep(n):
        if n == 0:
            raise ValueError("\x01" * 40_000)
        deep(n - 1)

    with pytest.raises(ValueError, match="\x01") as raised:
        deep(300)
    assert taken(reports.raised(raised.value))


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        (None, None),
        (30, 30),
        ("10m", 600),
        (timedelta(hours=1), 3600),
        ("soon", None),
        (timedelta(seconds=-1), None),
        (["10m"], None),
    ],
)
def test_a_retry_says_when(after, seconds):
    report = reports.raised(tasker.Retry("busy", after=after))
    assert (report.code, report.msg, report.retry, report.retry_after) == ("retry", "busy", True, seconds)
    taken(report)


def test_a_failure_that_no_attempt_helps_with_is_final():
    report = reports.raised(tasker.Fail("no such customer", code="no_customer"))
    assert (report.code, report.msg, report.retry) == ("no_customer", "no such customer", False)
    report = reports.raised(tasker.Fail("no such page", code=404))
    assert (report.code, report.msg, report.retry) == ("failed", "no such page", False)


def test_bad_arguments_are_final():
    report = reports.raised(tasker.BadArgumentsError("f", "missing"))
    assert (report.code, report.retry) == ("bad_arguments", False)
