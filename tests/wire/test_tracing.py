"""``traceparent`` as W3C Trace Context has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasker.wire.tracing import child_of, read_traceparent, traceparent_in

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{PARENT}-01"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (GOOD, GOOD),
        (f"00-{TRACE}-{PARENT}-00", f"00-{TRACE}-{PARENT}-00"),
        (f"00-{TRACE}-{PARENT}-03", f"00-{TRACE}-{PARENT}-03"),
        (f"00-{TRACE}-{PARENT}-ff", f"00-{TRACE}-{PARENT}-03"),
        (f"01-{TRACE}-{PARENT}-01", GOOD),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like", GOOD),
    ],
)
def test_what_is_one_is_read_as_version_00(text, read):
    assert read_traceparent(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01-",
        f"01-{TRACE}-{PARENT}-01.more",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00_{TRACE}-{PARENT}-01",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD},{GOOD}",
        f"00-{TRACE}-{PARENT}-é1",
    ],
)
def test_what_is_none_is_refused_and_a_header_with_it_is_ignored(text):
    with pytest.raises(ValueError, match="expected a traceparent"):
        read_traceparent(text)
    assert traceparent_in([(b"host", b"x"), (b"traceparent", text.encode())]) is None


def test_a_header_counts_if_there_is_one():
    assert traceparent_in([(b"host", b"x"), (b"traceparent", GOOD.encode())]) == GOOD
    assert traceparent_in([(b"traceparent", GOOD.encode())] * 2) is None
    assert traceparent_in([]) is None


@given(st.integers(0, 2**64 - 1))
def test_a_call_in_a_trace_has_a_span_of_its_own(span):
    made = child_of(GOOD, span)
    assert read_traceparent(made) == made
    assert made.split("-")[1::2] == [TRACE, "01"]
    assert made.split("-")[2] == f"{span or 1:016x}"
