"""How tasks, schedules, operations and all else look as a table: their columns and words."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from tasker.cli import clocks
from tasker.cli.clocks import Zone
from tasker.cli.printing import Column, shown, value_of
from tasker.model import instants, time_words
from tasker.model.instants import Instant

Facts = Mapping[str, Any]
"""What the API shows of one thing."""

_SIGNS: Final = {"todo": "○", "in_progress": "◐", "done": "●", "failed": "✗", "cancelled": "⊘"}
_STYLES: Final = {"in_progress": "cyan", "done": "green", "failed": "bold red", "cancelled": "dim"}
"""Colours that can be read on dark and on light ground. Beside each stands the word."""
_MANY: Final = 10_000


def flat(wrapped: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task without the name of its type around it, which is its member ``type``."""
    ((type_, task),) = wrapped.items()
    return {"id": task.get("id"), "type": type_, **task}


def state(name: str) -> Callable[[Facts], str]:
    """Return what shows the state that a member has."""
    return lambda row: f"{_SIGNS.get(row[name], ' ')} {row[name]}"


def style(name: str) -> Callable[[Facts], str]:
    """Return what gives a state its colour."""
    return lambda row: _STYLES.get(row[name], "")


def gist(task: Facts) -> str:
    """Return what a task does, in a line."""
    if "type" not in task:  # it is gone
        return ""
    match task["type"]:
        case "webhook":
            method = task.get("method") or "POST"
            return str(task["url"]) if method == "POST" else f"{method} {task['url']}"
        case "job":
            return f"job in {task['queue']}"
        case other:
            arguments = task.get("args")
            return f"{other} {json.dumps(arguments, ensure_ascii=False)}" if arguments else str(other)


def moment(path: str, zone: Zone) -> Callable[[Facts], str]:
    """Return what shows a moment of the API to the second, in local time."""
    return lambda row: _moment_text(value_of(row, path), zone)


def away(path: str, now: Instant) -> Callable[[Facts], str]:
    """Return what shows how far away a moment is."""
    return lambda row: (
        time_words.apart(at, now, is_brief=True) if (at := _instant(value_of(row, path))) is not None else ""
    )


def clock_time(text: object, zone: Zone) -> str:
    """Return what the clocks show at a moment of the API: the time of day, to the millisecond."""
    at = _instant(text)
    return "" if at is None else f"{clocks.in_short(at, zone)[11:]}.{at // 1_000 % 1_000:03d}"


def event_columns() -> Sequence[Column]:
    """Return the columns of events in CSV."""
    names = ("at", "event", "state", "id", "type", "key", "tags", "group", "destination", "due_at", "attempt", "code")
    return [Column(name, "") for name in (*names, "change", "schedule", "action", "status", "matched", "changed")]


def _moment_text(text: object, zone: Zone) -> str:
    at = _instant(text)
    return "" if at is None else clocks.in_short(at, zone)


def _instant(text: object) -> Instant | None:
    try:
        return instants.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def task_columns(zone: Zone, now: Instant) -> Sequence[Column]:
    """Return the columns of a list of tasks."""
    return (
        Column("id", "ID"),
        Column("state", "STATE", state("state"), style("state")),
        Column("execution_time", "DUE", away("execution_time", now), rank=2),
        Column("at", "AT", moment("execution_time", zone), rank=5, in_csv=False),
        Column("attempts", "TRIES", lambda row: shown(row.get("attempts") or None), rank=6),
        Column("last_error.code", "ERROR", rank=1),
        Column("key", "KEY", rank=3),
        Column("tags", "TAGS", rank=7),
        Column("group", "GROUP", rank=8),
        Column("type", ""),
        Column("created_at", ""),
        Column("started_at", ""),
        Column("ended_at", ""),
        Column("url", ""),
        Column("queue", ""),
        Column("last_error.msg", ""),
        Column("gist", "TASK", gist, in_csv=False),
    )


def task_pairs(task: Facts, zone: Zone) -> Iterator[tuple[str, str]]:
    """Return what a single task shows, as words: what it is first, then all the rest that it has."""
    yield "id", task["id"]
    yield "task", gist(task)
    yield "state", state("state")(task)
    for name, value in task.items():
        if name in ("id", "type", "state", "url", "method", "queue") or value is None:
            continue
        yield name, pair(name, value, zone)


def pairs(facts: Facts, zone: Zone) -> Iterator[tuple[str, str]]:
    """Return what anything shows, as words."""
    for name, value in facts.items():
        if value is not None:
            yield name, pair(name, value, zone)


def pair(name: str, value: object, zone: Zone) -> str:
    """Return the value of a member as words: a moment in local time and in UTC, an object a member a line."""
    if isinstance(value, dict) and value:
        if set(value) >= {"code", "msg"}:
            return f"{value['code']}: {value['msg']}"
        return "\n".join(f"{inner}: {pair(inner, each, zone)}" for inner, each in value.items())
    at = _instant(value)
    if at is not None and (
        name.endswith(("_at", "_time", "_until", "_for", "_run", "_since")) or name in ("deadline", "at")
    ):
        return clocks.in_full(at, zone)
    if name.endswith("_seconds") and isinstance(value, int | float):
        return f"{value:g} s"
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return "\n".join(json.dumps(each, ensure_ascii=False) for each in value)
    return shown(value)


def schedule_columns(zone: Zone, now: Instant) -> Sequence[Column]:
    """Return the columns of a list of schedules."""
    return (
        Column("name", "NAME"),
        Column("next_run", "NEXT", lambda row: "paused" if row["paused"] else away("next_run", now)(row) or "ended"),
        Column("at", "AT", moment("next_run", zone), rank=2, in_csv=False),
        Column("type", "TYPE", rank=3),
        Column("started", "STARTED", rank=4),
        Column("paused", ""),
        Column("cron", ""),
        Column("every", ""),
        Column("time_zone", "ZONE", rank=1),
        Column("words", "WHEN"),
    )


def operation_columns(zone: Zone, now: Instant) -> Sequence[Column]:
    """Return the columns of a list of operations."""
    return (
        Column("id", "ID"),
        Column("action", "ACTION", lambda row: f"{row['action']}{' (dry run)' if row['dry_run'] else ''}"),
        Column("state", "STATE", style=lambda row: "cyan" if row["state"] == "running" else ""),
        Column("matched", "MATCHED", rank=3),
        Column("changed", "CHANGED"),
        Column("refused", "REFUSED", rank=1),
        Column("dry_run", ""),
        Column("created_at", "BEGUN", away("created_at", now), rank=2),
        Column("at", "AT", moment("created_at", zone), rank=4, in_csv=False),
        Column("ended_at", ""),
    )


def destination_columns() -> Sequence[Column]:
    """Return the columns of a list of destinations."""
    return (
        Column("id", "ID"),
        Column("kind", "KIND", rank=3),
        Column("paused", "STANDS", _standing, lambda row: "green" if _standing(row) == "ok" else "bold red"),
        Column("running", "RUNNING", rank=2),
        Column("held", "HELD", lambda row: f"{_MANY}+" if row["held"] >= _MANY else str(row["held"]), rank=1),
        Column("max_running", "AT ONCE", rank=4),
        Column("max_per_second", "PER SECOND", rank=5),
        Column("circuit.state", ""),
        Column("circuit.open_until", ""),
        Column("name", "NAME"),
    )


def _standing(destination: Facts) -> str:
    """Say whether tasks of a destination start."""
    if destination["paused"]:
        return "paused"
    circuit = destination["circuit"]["state"]
    return {"closed": "ok", "open": "failing", "half_open": "probing"}.get(circuit, str(circuit))


def key_columns(now: Instant) -> Sequence[Column]:
    """Return the columns of a list of API keys."""
    return (
        Column("id", "ID"),
        Column("role", "MAY", lambda row: row["role"] or " ".join(row["scopes"])),
        Column("created_at", "CREATED", away("created_at", now), rank=3),
        Column("expires_at", "EXPIRES", lambda row: away("expires_at", now)(row) or "never", rank=2),
        Column("used_at", "USED", lambda row: away("used_at", now)(row) or "never", rank=1),
        Column("scopes", ""),
        Column("name", "NAME"),
    )


def node_columns(zone: Zone, now: Instant) -> Sequence[Column]:
    """Return the columns of a list of nodes."""
    return (
        Column("address", "ADDRESS"),
        Column("version", "VERSION", rank=2),
        Column("started_at", "STARTED", away("started_at", now)),
        Column("at", "AT", moment("started_at", zone), rank=3, in_csv=False),
        Column("running", "RUNNING"),
        Column("lease_until", ""),
        Column("id", "ID", rank=1),
    )


def audit_columns(zone: Zone, now: Instant) -> Sequence[Column]:
    """Return the columns of a list of changes."""
    return (
        Column("id", ""),
        Column("at", "AT", moment("at", zone)),
        Column("ago", "AGO", away("at", now), rank=3, in_csv=False),
        Column("by.id", ""),
        Column("by.name", "BY", lambda row: row["by"].get("name") or row["by"]["id"], rank=2),
        Column("action", "ACTION"),
        Column("kind", "KIND"),
        Column("subject", "SUBJECT", lambda row: row.get("name") or row.get("subject") or ""),
        Column("changes", "MEMBERS", lambda row: ", ".join(row.get("changes") or ()), rank=1),
    )


def inbox_columns(zone: Zone, now: Instant) -> Sequence[Column]:
    """Return the columns of a list of rows of the inbox."""
    return (
        Column("id", "ID"),
        Column("state", "STATE", style=lambda row: "bold red" if row["state"] == "refused" else ""),
        Column("inserted_at", "INSERTED", away("inserted_at", now), rank=1),
        Column("at", "AT", moment("inserted_at", zone), rank=2, in_csv=False),
        Column("error", "ERROR"),
    )


def attempt_columns(zone: Zone) -> Sequence[Column]:
    """Return the columns of a list of attempts."""
    return (
        Column("number", "NO"),
        Column(
            "outcome", "OUTCOME", style=lambda row: {"succeeded": "green", "failed": "bold red"}.get(row["outcome"], "")
        ),
        Column("started_at", "STARTED", moment("started_at", zone)),
        Column("lateness_seconds", "LATE", lambda row: f"{row['lateness_seconds']:.3f} s", rank=2),
        Column("phases_seconds.total", "TOOK", _took, rank=1),
        Column("status", "STATUS", rank=1),
        Column("ended_at", ""),
        Column("node", ""),
        Column("error.code", ""),
        Column("error.msg", "ERROR"),
    )


def _took(attempt: Facts) -> str:
    total = value_of(attempt, "phases_seconds.total")
    return "" if total is None else f"{total:.3f} s"


def history_columns(zone: Zone) -> Sequence[Column]:
    """Return the columns of what happened to a task."""
    return (
        Column("at", "AT", moment("at", zone)),
        Column("event", "EVENT"),
        Column("change.by.name", "BY", lambda row: shown(value_of(row, "change.by.name") or value_of(row, "by.name"))),
        Column("what", "WHAT", _what_happened, in_csv=False),
        Column("attempt.outcome", ""),
        Column("change.action", ""),
    )


def _what_happened(entry: Facts) -> str:
    attempt, change = entry.get("attempt"), entry.get("change")
    if attempt:
        why = f": {attempt['error']['msg']}" if attempt.get("error") else ""
        return f"attempt {attempt['number']} {attempt['outcome']}{why}"
    if change:
        if change["kind"] != "task":
            return f"{change['action']} {change['kind']} {change['subject']}"
        members = ", ".join(change.get("changes") or ())
        return f"{change['action']}{f' of {members}' if members else ''}"
    return ""


def explanation_pairs(told: Facts, zone: Zone) -> Iterator[tuple[str, str]]:
    """Return why a task is where it is, as words: the reason first."""
    yield "why", told["msg"]
    for name, value in told.items():
        if name == "destination" and value:
            yield (
                "destination",
                f"{value['name']}: {_standing(value)}, {value['running']} running, {value['held']} held",
            )
        elif name not in ("msg", "due_in_seconds") and value is not None:
            yield name, pair(name, value, zone)


def schedule_pairs(schedule: Facts, zone: Zone) -> Iterator[tuple[str, str]]:
    """Return what a single schedule shows, as words: its next times and its latest runs a line each."""
    yield "name", schedule["name"]
    yield "when", schedule["words"]
    for name, value in schedule.items():
        if name in ("name", "words", "next_run") or value is None:
            continue
        if name == "next_runs":
            yield name, "\n".join(clocks.in_full(_instant(run["scheduled_for"]) or 0, zone) for run in value) or "none"
        elif name == "last_runs":
            yield name, "\n".join(_run_line(run, zone) for run in value) or "none"
        else:
            yield name, json.dumps(value, ensure_ascii=False) if name == "task" else pair(name, value, zone)


def _run_line(run: Facts, zone: Zone) -> str:
    return f"{_moment_text(run['scheduled_for'], zone)}  {state('state')(run)}  {run['id']}"
