"""The rooms are the same in the code, in the layers that the linter checks, and in CONTRIBUTING."""

import re
import tomllib

from pages import ROOT, code, table

PACKAGE = ROOT / "src" / "tasker"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
OUTSIDE = {"testing"}
"""Rooms that the layers leave out: production code never imports them."""


def rooms():
    """The modules and packages of tasker, without the two files that only make it a package and a program."""
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    return modules | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def test_the_table_of_rooms_has_each_of_them_once():
    names = [name for row in table(ROOT / "CONTRIBUTING.md", "## Where things are") for name in code(row[0])]
    assert sorted(names) == sorted(f"{room}/" if (PACKAGE / room).is_dir() else f"{room}.py" for room in rooms())


def test_the_layers_have_each_of_them_once_and_contributing_draws_them():
    layers = [re.findall(r"\w+", layer) for layer in CONTRACTS[0]["layers"]]
    assert sorted(room for layer in layers for room in layer) == sorted(rooms() - OUTSIDE)
    drawn = re.search(r"```text\n(cli -> .*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)[1]
    assert [re.findall(r"\w+", layer) for layer in drawn.split("->")] == layers


def test_no_room_of_production_code_is_forgotten_where_the_test_helpers_are_forbidden():
    assert {module.removeprefix("tasker.") for module in CONTRACTS[1]["source_modules"]} == rooms() - OUTSIDE
