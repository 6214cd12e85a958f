"""The options that say what a task is, and the members of the task that they become.

``tasker add`` and ``tasker schedule add`` have them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import click

from tasker.cli import saying
from tasker.cli.clocks import Zone
from tasker.cli.output import MISUSED, CommandError
from tasker.model import lengths

C = TypeVar("C", bound=Callable[..., object])

_TYPE: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*", re.ASCII)
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def task_options(command: C) -> C:
    """Give a command the options that say what a task is; ``task_members`` reads them."""
    for option in reversed(
        (
            click.option(
                "--method",
                metavar="METHOD",
                type=click.Choice(_METHODS, case_sensitive=False),
                help="Of a URL.  [default: POST]",
            ),
            click.option(
                "--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="Of a URL. May be repeated."
            ),
            click.option("--json", "json_text", metavar="JSON|@FILE", help="JSON to send to a URL, or to give a job."),
            click.option(
                "--data", metavar="TEXT|@FILE", help="The body to send to a URL, as it is; @- is standard input."
            ),
            click.option(
                "--arg",
                "arguments",
                metavar="NAME=VALUE",
                multiple=True,
                help="An argument of a function; the value is JSON, or else a text. May be repeated.",
            ),
            click.option("--queue", metavar="NAME", help="Of a job: where workers claim it."),
            click.option(
                "--set",
                "settings",
                metavar="MEMBER=VALUE",
                multiple=True,
                help="Any other member of the task, by its name in the API; the value is JSON, or else a text, "
                "and @FILE is read. May be repeated.",
            ),
            click.option("--tag", "tags", metavar="TAG", multiple=True, help="A label of your own. May be repeated."),
            click.option("--group", metavar="NAME", help="The tasks of a group share its pause, limits and rate."),
            click.option("--timeout", metavar="LENGTH", help="How long an attempt may take."),
            click.option(
                "--max-attempts",
                metavar="NUMBER",
                type=click.IntRange(1, 1_000),
                help="Attempts in total; 1 means never retry.",
            ),
            click.option("--keep", metavar="LENGTH", help="How long it is kept after its end, or forever."),
            click.option("--on-success", metavar="URL", help="Called once it is done."),
            click.option("--on-failure", metavar="URL", help="Called once it has failed."),
            click.option("--on-cancel", metavar="URL", help="Called once it is cancelled."),
        )
    ):
        command = option(command)
    return command


def task_members(target: str, zone: Zone, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the type of the task that is asked for, and its members but for its time.

    Args:
        target: a URL or a type.
        zone: whose clocks times mean.
        given: the options by parameter; those that are there.

    Raises:
        CommandError: an option cannot be used, or not with this type.
    """
    type_ = target if _TYPE.fullmatch(target) else "webhook"
    if target == type_ == "webhook":
        raise saying.misused(
            "URL", "expected one in place of webhook, as in: tasker add https://example.org/hook --in 10m"
        )
    members: dict[str, Any] = {"url": target} if type_ == "webhook" else {}
    _check_fit(type_, target, given)
    for name, (option, make) in _OPTIONS.items():
        if given.get(name) not in (None, ()):
            members |= make(option, given[name], zone)
    return type_, {**members, **saying.assignments("--set", given["settings"])}


_Made: TypeAlias = Callable[[str, Any, Zone], Mapping[str, Any]]


def _length(member: str) -> _Made:
    return lambda option, said, _: {member: saying.length_text(saying.length_of(option, said))}


def _as_it_is(member: str) -> _Made:
    return lambda _option, said, _zone: {member: said}


def _keep(option: str, said: str, zone: Zone) -> Mapping[str, Any]:
    return {"keep": said} if said == lengths.FOREVER else _length("keep")(option, said, zone)


_OPTIONS: Final[Mapping[str, tuple[str, _Made]]] = {
    "method": ("--method", lambda _option, said, _zone: {"method": said.upper()}),
    "headers": ("--header", lambda option, said, _: {"headers": saying.headers_of(option, said)}),
    "json_text": ("--json", lambda option, said, _: {"json": saying.json_value(option, said)}),
    "data": ("--data", lambda option, said, _: saying.body_members(option, said)),
    "arguments": ("--arg", lambda option, said, _: {"args": saying.assignments(option, said)}),
    "queue": ("--queue", _as_it_is("queue")),
    "key": ("--key", _as_it_is("key")),
    "on_conflict": ("--on-conflict", _as_it_is("on_conflict")),
    "max_wait": ("--max-wait", _length("max_wait")),
    "tags": ("--tag", lambda _option, said, _zone: {"tags": list(said)}),
    "group": ("--group", _as_it_is("group")),
    "timeout": (
        "--timeout",
        lambda option, said, _: {"timeout": saying.length_of(option, said).total_seconds()},
    ),
    "max_attempts": ("--max-attempts", lambda _option, said, _zone: {"retry": {"max_attempts": said}}),
    "expires_at": ("--expires-at", lambda option, said, zone: {"expires_at": saying.moment_text(option, said, zone)}),
    "keep": ("--keep", _keep),
    "on_success": ("--on-success", _as_it_is("on_success")),
    "on_failure": ("--on-failure", _as_it_is("on_failure")),
    "on_cancel": ("--on-cancel", _as_it_is("on_cancel")),
}
"""By parameter: the option, and what makes members of the task of what it says."""


OPTION_OF: Final = {name: option for name, (option, _) in _OPTIONS.items()}
"""What is typed for each parameter."""


def _check_fit(type_: str, target: str, given: Mapping[str, Any]) -> None:
    """Refuse what the type of the task has no place for, where the answer of the server would puzzle."""
    if given["json_text"] is not None and given["data"] is not None:
        raise CommandError(MISUSED, "usage", "--json, --data: expected one of them, got both")
    if type_ == "webhook":
        return
    for name, option in (("method", "--method"), ("headers", "--header"), ("data", "--data")):
        if given[name]:
            raise saying.misused(option, f"expected it with a URL, which has a colon or a slash; {target!r} is a type")
