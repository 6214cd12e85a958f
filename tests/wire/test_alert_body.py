"""The body of an alert: chats show its text, programs read the rest."""

import json

import pytest

from tasker.model.alerts import Cause, Message, Trouble
from tasker.model.instants import SECOND
from tasker.wire.alerts import alert_body, sample_body

CHATS_READ = {
    *("attachments", "blocks", "channel", "icon_emoji", "icon_url", "link_names", "mrkdwn", "parse", "priority"),
    *("props", "thread_ts", "type", "unfurl_links", "unfurl_media", "username"),
}
"""Members that incoming webhooks of Slack and Mattermost give a meaning to."""


def a_trouble(name="http://a.example:80", **what):
    return Trouble(**({"id": name, "name": name, "since": 0, "note": "so it is"} | what))


def body(**what):
    return json.loads(
        alert_body(Message(**({"id": "m", "at": SECOND, "cause": Cause.LATE, "node": "http://n:1"} | what)))
    )


def test_programs_read_what_began_and_ended_and_when():
    shown = body(
        cause=Cause.CIRCUIT_OPEN, began=[a_trouble("a", facts={"destination": 3})], ended=[a_trouble("b")], lasting=4
    )
    assert shown["alert"] == {
        "id": "m",
        "at": "1970-01-01T00:00:01.000000Z",
        "cause": "circuit_open",
        "node": "http://n:1",
        "began": [{"name": "a", "since": "1970-01-01T00:00:00.000000Z", "facts": {"destination": 3}}],
        "ended": [{"name": "b", "since": "1970-01-01T00:00:00.000000Z", "facts": {}}],
        "lasting": 4,
    }
    assert shown["text"].splitlines() == [
        "tasker: a destination has failed for more than 10 minutes: `a` (so it is).",
        "tasker: over: `b` (so it is). It began at 1970-01-01T00:00:00Z. It is not over for 3 more.",
    ]


def test_chats_find_nothing_that_they_have_a_meaning_for_but_the_text():
    for shown in (body(began=[a_trouble()]), json.loads(sample_body("m", 0))):
        assert set(shown) == {"text", "alert"}
        assert CHATS_READ.isdisjoint(shown)


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_its_words(cause):
    began, ended = (body(cause=cause, **{which: [a_trouble()]})["text"] for which in ("began", "ended"))
    assert began.startswith("tasker: ")
    assert ended.startswith("tasker: over: ")
    assert "\n" not in began + ended


def test_of_many_the_text_names_ten():
    text = body(cause=Cause.NODE_GONE, began=[a_trouble(f"n{number:02}") for number in range(12)])["text"]
    assert text.startswith("tasker: 12 nodes are gone: `n00` (so it is), ")
    assert text.endswith("`n09` (so it is) and 2 more.")


def test_a_name_calls_nobody_and_stays_in_its_backticks():
    text = body(cause=Cause.CIRCUIT_OPEN, began=[a_trouble("http://<!channel>`&\n\u202ex:80")])["text"]
    assert "`http://?!channel?????x:80`" in text
