"""``tasker edit``: changes one task in an editor. Only what was changed is sent."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from tasker.cli import clocks, saying, views
from tasker.cli.clocks import Zone
from tasker.cli.connecting import Session, calls_server, path_of
from tasker.cli.finding import task_path
from tasker.cli.output import FAILED, MISUSED, CommandError
from tasker.cli.printing import talk

_WHOLE: Final = ("json", "args")
"""Members that are replaced whole, though they may be objects."""

_TIMES: Final = ("local_time", "time_zone", "execution_time")


@click.command("edit")
@click.argument("ids", metavar="[ID]", nargs=-1)
@click.option("--key", metavar="KEY", help="The task that holds the key.")
@saying.tz_option
@calls_server()
def edit_command(session: Session, ids: Sequence[str], key: str | None, zone: Zone) -> None:
    """Change what a task was given, in $VISUAL or $EDITOR.

    It shows the members of the task as JSON. Only those that you change are sent; those that you remove
    are taken away. If somebody else has written the task meanwhile, nothing is changed. With an empty
    file, or without a change, neither.
    """
    path = task_path(ids, key)
    if not (os.environ.get("VISUAL") or os.environ.get("EDITOR") or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise CommandError(
            MISUSED,
            "no_terminal",
            "an editor needs a terminal; elsewhere, VISUAL or EDITOR names a program without one",
        )
    task = session.client.by_key(key).get() if key is not None else session.client.get(ids[0])
    path = path_of("tasks", task.id)  # a key may go to another task meanwhile
    before = _editable(task)
    text = json.dumps({task.type: before}, ensure_ascii=False, indent=2) + "\n"
    while True:
        written = click.edit(text, extension=".json")
        if written is None or not written.strip():
            talk("nothing was changed")
            return
        try:
            patch = _patch(task.type, before, written)
            break
        except ValueError as error:
            _again(str(error))
            text = written
    if not patch:
        talk("nothing was changed")
        return
    talk(f"changes {', '.join(sorted(patch))}")
    changed = views.flat(
        session.client.request("PATCH", path, json={task.type: patch}, headers={"If-Match": task.etag or "*"})
    )
    session.printer.one(changed, views.task_pairs(changed, zone), views.task_columns(zone, clocks.now()))


def _editable(task: Any) -> dict[str, Any]:  # noqa: ANN401 - a client.Task
    """Return what can be changed of a task, as its request has it: the time first."""
    when = {name: value for name in _TIMES if isinstance(value := getattr(task, name, None), str)}
    if "local_time" in when:
        del when["execution_time"]
    fields = dict(task.fields)
    if isinstance(task.expires_at, str):
        fields.setdefault("expires_at", task.expires_at)
    return {**when, **fields}


def _patch(type_: str, before: Mapping[str, Any], written: str) -> dict[str, Any]:
    """Return the merge patch (RFC 7396) that makes *before* what was *written*.

    Raises:
        ValueError: that is no task of this type.
    """
    try:
        after = saying.parsed(written)
    except ValueError as error:
        raise ValueError(f"expected JSON; {error}") from None
    if not isinstance(after, dict) or set(after) != {type_} or not isinstance(after[type_], dict):
        raise ValueError(f"expected an object with the member {type_}, as it was: the type of a task stays")
    return difference(before, after[type_], whole=_WHOLE)


def difference(before: Mapping[str, Any], after: Mapping[str, Any], *, whole: Sequence[str] = ()) -> dict[str, Any]:
    """Return the merge patch that makes *after* of *before*: changed members, and null for those that are gone.

    Args:
        whole: members that are sent whole if they have changed.

    >>> difference({"a": 1, "b": {"c": 1, "d": 2}, "e": 3}, {"a": 1, "b": {"c": 5, "d": 2}})
    {'b': {'c': 5}, 'e': None}
    """
    patch: dict[str, Any] = {}
    for name, value in after.items():
        if name in before and _same(before[name], value):
            continue
        old = before.get(name)
        if isinstance(old, dict) and isinstance(value, dict) and name not in whole:
            patch[name] = difference(old, value)
        else:
            patch[name] = value
    for name in before.keys() - after.keys():
        patch[name] = None
    return patch


def _same(one: object, other: object) -> bool:
    """Return whether both are the same JSON: 1 and true are not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _again(problem: str) -> None:
    """Ask whether to go back to the editor.

    Raises:
        CommandError: no, or nobody can be asked.
    """
    if not sys.stdin.isatty():
        raise CommandError(MISUSED, "usage", f"the file: {problem}")
    talk(problem)
    if not click.confirm("edit again?", default=True, err=True):
        raise CommandError(FAILED, "not_changed", "nothing was changed")
