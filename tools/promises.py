"""What a release promises to stay, as a list of lines: see *What is promised to stay* in the changelog.

``tools/database_samples.py`` keeps the list of each version, and a test compares what there is now.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

import tasker
from tasker.api.metrics.table import METRICS
from tasker.api.problems import PROBLEMS
from tasker.cli import output
from tasker.cli.root import tasker as root
from tasker.cli.server.settings import SETTINGS
from tasker.model.task import STATES

DOCS: Final = Path(__file__).parents[1] / "docs"


def promises() -> dict[str, list[str]]:
    """Return what there is now, by what it belongs to."""
    return {
        "REST": sorted({*_calls(), *(f"code {code}" for _, code in PROBLEMS.values())}),
        "commands": sorted({*_commands(root, "tasker"), *_exit_codes()}),
        "settings": sorted(_settings()),
        "states": sorted(state.word for state in STATES),
        "metrics": sorted(f"{each.name} {' '.join(sorted(each.labels or ()))}".strip() for each in METRICS),
        "Python": sorted({*(f"tasker.{name}" for name in tasker.__all__), *_reference()}),
    }


def _calls() -> Iterator[str]:
    described = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    for path, item in described["paths"].items():
        shared = item.get("parameters", [])
        for method, call in item.items():
            if method != "parameters":
                name = f"{method.upper()} {path}"
                yield name
                yield from (f"{name} answers {status}" for status in call["responses"] if status < "400")
                for each in (*shared, *call.get("parameters", ())):
                    yield f"{name} takes {each['in']} {each['name']}"
    for name, shape in described["components"]["schemas"].items():
        yield from _members(name, shape)


def _members(name: str, shape: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Return the members that a shape has, and the values that they may have."""
    for member, value in shape.get("properties", {}).items():
        yield f"{name}.{member}"
        yield from (f"{name}.{member} is {each}" for each in value.get("enum", ()))


def _commands(command: click.Command, name: str) -> Iterator[str]:
    yield name
    for parameter in command.params:
        yield from (f"{name} {option}" for option in (*parameter.opts, *parameter.secondary_opts))
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            if below is not None and not below.hidden:
                yield from _commands(below, f"{name} {each}")


def _exit_codes() -> Iterator[str]:
    for code in output.TITLES:
        names = [name for name, value in vars(output).items() if value == code and name.isupper()]
        yield f"exit code {code} {names[0]}"


def _settings() -> Iterator[str]:
    for setting in SETTINGS:
        yield f"{setting.name} {setting.flag} {' '.join(setting.variables)} = {setting.default}".rstrip()


def _reference() -> Iterator[str]:
    text = (DOCS / "python-reference.md").read_text(encoding="utf-8")
    yield from re.findall(r"^#{2,3} (\S+)$", text, re.MULTILINE)
