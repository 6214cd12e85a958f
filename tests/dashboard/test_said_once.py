"""What pages repeat of other rooms is all that these have."""

from typing import get_args, get_type_hints

from tasker.api.new_schedule import ScheduleFields
from tasker.dashboard import words
from tasker.dashboard.screens import new_task, schedules
from tasker.explaining import Reason
from tasker.model.task import State
from tasker.wire.fields import WebhookFields


def test_each_state_and_each_reason_has_its_words():
    assert set(words.STATES) == {state.word for state in State}
    assert set(words.REASONS) == {reason for part in get_args(Reason) for reason in get_args(part) or (part,)}


def test_the_form_of_a_schedule_has_all_that_says_when():
    assert set(schedules._PLAN) == set(ScheduleFields.__struct_fields__) - {"paused"}, "a button pauses it"


def test_the_form_of_a_webhook_offers_all_methods():
    methods, _ = get_args(get_type_hints(WebhookFields)["method"])

    assert set(new_task.METHODS) == set(get_args(methods))
