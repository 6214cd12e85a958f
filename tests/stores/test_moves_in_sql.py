"""What the queries of both engines do to the state of a task is what the table of moves allows."""

import re

import pytest

from tasker.model.lifecycle import MOVES, Move
from tasker.model.task import State
from tasker.stores import queries

QUERIES = {engine: queries.load(f"tasker.stores.{engine}") for engine in ("sqlite", "postgres")}

WRITES = {
    "create_tasks": {Move.CREATE},
    "claim": {Move.CLAIM},
    "claim_held": {Move.CLAIM},
    "claim_strict": {Move.CLAIM},
    "pull": {Move.PULL},
    "settle": {Move.ACCEPT, Move.COMPLETE, Move.BACK_OFF, Move.FAIL, Move.STOP},
    "complete": {Move.COMPLETE},
    "settle_waiting": {Move.COMPLETE, Move.BACK_OFF, Move.FAIL},
    "accept": {Move.ACCEPT, Move.STOP},
    "give_back": {Move.GIVE_BACK, Move.STOP},
    "give_back_unknown": {Move.GIVE_BACK},
    "give_back_pulled": {Move.GIVE_BACK},
    "give_back_unknown_pulled": {Move.GIVE_BACK},
    "keep_run_back": {Move.GIVE_BACK, Move.STOP},
    "keep_runs_back": {Move.GIVE_BACK, Move.STOP},
    "take_back": {Move.TAKE_BACK, Move.QUARANTINE, Move.STOP},
    "end_leases": {Move.TAKE_BACK, Move.QUARANTINE},
    "expire": {Move.EXPIRE, Move.GIVE_UP},
    "cancel": {Move.CANCEL},
    "cancel_waiting": {Move.CANCEL},
    "retry": {Move.RETRY},
    "delete": {Move.DELETE},
    "remove_queued_runs": {Move.DELETE},
    "prune": {Move.DELETE},
    "prune_kept": {Move.DELETE},
}
"""The queries that change states, or make and delete tasks, and the moves that each makes."""

STARTS = {
    ("sqlite", "keep_run_back"): {State.IN_PROGRESS},
    ("postgres", "keep_runs_back"): {State.IN_PROGRESS},
    ("sqlite", "settle"): {State.IN_PROGRESS},
    ("sqlite", "complete"): {State.IN_PROGRESS},
    ("sqlite", "settle_waiting"): {State.WAITING},
    ("sqlite", "give_back"): {State.IN_PROGRESS},
    ("sqlite", "give_back_pulled"): {State.WAITING},
    ("postgres", "give_back_unknown"): {State.IN_PROGRESS},
    ("postgres", "give_back_unknown_pulled"): {State.WAITING},
    ("sqlite", "take_back"): {State.IN_PROGRESS},
    ("postgres", "take_back"): {State.IN_PROGRESS},
    ("sqlite", "end_leases"): {State.WAITING},
    ("postgres", "end_leases"): {State.WAITING},
    ("sqlite", "cancel"): {State.TODO},
    ("postgres", "cancel"): {State.TODO},
    ("sqlite", "cancel_waiting"): {State.WAITING},
    ("postgres", "cancel_waiting"): {State.WAITING},
}
"""Where those queries start that make their moves from some of the states only from which they may be made."""
TOLD = ("prune", "prune_kept", "remove_queued_runs")
"""Those that delete what has ended, and are told which, or only what waits."""

PARTS = re.compile(r"\)\s*,\s*\w+ AS (?:MATERIALIZED )?\(|\bRETURNING\b[^)]*")
LITERALS = re.compile(r"\bstate (?:= (\d)|IN \(([\d, ]+)\))")


def parts(text):
    """The statements that *text* has in its WITH, and the one below it."""
    return [" ".join(part.split()) for part in PARTS.split(text)]


def states(text):
    """The states that *text* asks for by number."""
    return {State(int(number)) for match in LITERALS.finditer(text) for number in re.findall(r"\d", match[0])}


def change(text):
    """What *text* sets of a task, and its condition; None if it changes no state."""
    match = re.search(r"UPDATE task SET (.*?) (?:FROM|WHERE) (.*)|DELETE FROM task\b(.*)", text)
    if match is None or (match[1] is not None and not re.search(r"(?:^|,) *state =", match[1])):
        return None
    return match[1] or "", match[2] or match[3] or ""


def set_to(assignments):
    """The states that *assignments* set; empty if the caller says which."""
    match = re.search(r"\bstate = (CASE .*? END|\d)", assignments)
    if match is None or re.search(r"ELSE (?::|ended\.)state", match[1]):  # the caller says which, but for one
        return set()
    return {State(int(number)) for number in re.findall(r"(?:THEN|ELSE|^) ?(\d)", match[1])}


def sources(text, condition):
    """The states that a change starts from: by its own condition, or by that of the rows that it locked before."""
    locked = [part for part in parts(text) if re.search(r"FOR (?:NO KEY )?UPDATE", part)]
    return states(condition) or set().union(*map(states, locked))


WRITING = [(engine, name) for engine, texts in QUERIES.items() for name in WRITES if name in texts]


@pytest.mark.parametrize("engine", QUERIES)
def test_every_query_that_moves_a_task_is_named_after_its_move(engine):
    moving = {name for name, text in QUERIES[engine].items() if any(change(part) for part in parts(text))}
    creating = {name for name, text in QUERIES[engine].items() if "INSERT INTO task " in text}
    assert moving | creating == {name for name in WRITES if name in QUERIES[engine]}
    made = set().union(*(WRITES[name] for name in moving | creating))
    assert made == set(Move), "every move is made"


@pytest.mark.parametrize(("engine", "name"), WRITING)
def test_a_query_leads_where_its_moves_lead_and_starts_where_they_may(engine, name):
    text = QUERIES[engine][name]
    targets = {MOVES[move].target for move in WRITES[name]} - {None}
    allowed = set().union(*(MOVES[move].sources for move in WRITES[name])) - {None}
    for assignments, condition in filter(None, map(change, parts(text))):
        if written := set_to(assignments):
            assert targets <= written <= targets | allowed, "what does not move stays where it was"
        found = sources(text, condition)
        assert found <= allowed
        if name not in TOLD:
            assert found in (STARTS.get((engine, name), allowed), set())
        assert found or engine == "postgres", "states are named, or the next one would be among them"
        assert found or not re.search(r"\bstate <>", condition), "the same"


@pytest.mark.parametrize("engine", QUERIES)
def test_queries_that_make_a_move_together_start_wherever_it_may(engine):
    together = (
        ("settle", "settle_waiting"),
        ("cancel", "cancel_waiting"),
        ("give_back", "give_back_pulled"),
        ("take_back", "end_leases"),
    )
    for names in together:
        present = [name for name in names if name in QUERIES[engine]]
        starts = [STARTS.get((engine, name)) for name in present]
        allowed = set().union(*(MOVES[move].sources for name in present for move in WRITES[name]))
        assert None in starts or set().union(*starts) == allowed
