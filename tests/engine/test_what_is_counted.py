"""Which moves count as which outcome of an attempt."""

import pytest

from tasker.engine.aftermath import _OUTCOMES
from tasker.model.lifecycle import MOVES, Move
from tasker.model.task import State


@pytest.mark.parametrize(("state", "outcome"), [(State.DONE, "succeeded"), (State.FAILED, "failed")])
def test_every_move_that_leads_to_an_end_is_counted_as_it(state, outcome):
    leads_there = {move for move, step in MOVES.items() if step.target is state}
    assert leads_there == {move for move, counted in _OUTCOMES.items() if counted == outcome}


def test_of_cancels_only_that_of_a_running_attempt_is_counted_here():
    """Others are counted by whoever cancels: no attempt ends by them."""
    leads_there = {move for move, step in MOVES.items() if step.target is State.CANCELLED}
    assert {move for move, counted in _OUTCOMES.items() if counted == "cancelled"} == leads_there - {Move.CANCEL}
