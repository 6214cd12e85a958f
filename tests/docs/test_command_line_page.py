"""The command line: its page does what it says, and its reference has everything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from pages import DOCS, blocks, table

from tasker.cli import output
from tasker.cli.root import tasker
from tasker.cli.server.settings import SETTINGS
from tasker.testing.server import TaskerServer

PAGE = DOCS / "command-line.md"
REFERENCE = (DOCS / "command-reference.md").read_text()


def commands(group=tasker, before="tasker"):
    for name, command in group.commands.items():
        yield f"{before} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")


COMMANDS = dict(commands())


def section(name):
    return REFERENCE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


SHARED = section("Options of every command that asks a server") + section("Filters")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_is_in_the_reference_and_says_what_it_does(name):
    command, text = COMMANDS[name], section(name)
    assert text, "a section of its own"
    assert command.help
    assert command.get_short_help_str(), "a first line for the list"
    for option in command.params:
        if not isinstance(option, click.Option):
            continue
        assert option.help, option.opts
        settings = {setting.flag for setting in SETTINGS}
        described = f"`{', '.join(option.opts)}"
        assert (
            described in text
            or described in SHARED
            or f"`{option.opts[0]}`" in text
            or (option.opts[0] in settings and name == "tasker serve")
            or option.opts[0] == "--config"
        ), option.opts


def test_the_first_line_of_each_command_fits_the_list_of_commands():
    shown = subprocess.run(
        [sys.executable, "-m", "tasker", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "..." not in shown.partition("Commands:")[2].partition("Options:")[0]


def test_every_exit_code_is_described():
    codes = {value for name, value in vars(output).items() if name.isupper() and isinstance(value, int)}
    assert {int(row[0]) for row in table(PAGE, "## Exit codes")} == {0, *codes}


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if not isinstance(command, click.Group)])
def test_exit_codes_that_a_help_names_are_those_of_the_page(name):
    codes = re.findall(r"^ +(\d+) ", (COMMANDS[name].help or "").partition("Exit codes:")[2], re.MULTILINE)
    assert set(map(int, codes)) <= {int(row[0]) for row in table(PAGE, "## Exit codes")}


def test_the_page_can_be_followed_to_its_end(tmp_path):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}
    (tmp_path / "password.txt").write_text("correct-horse")
    (tmp_path / "tasks.ndjson").write_text('{"webhook": {"delay": "30d", "url": "http://localhost:9000/hook"}}\n' * 3)
    with TaskerServer(tmp_path) as server:
        environment = {
            **clean, "PATH": path, "TASKER_URL": server.url, "XDG_CONFIG_HOME": str(tmp_path / "config"), "TZ": "UTC",
        }  # fmt: skip
        typed = [text for language, text in blocks(PAGE) if language == "sh" and "make run" not in text]
        for text in typed:
            here = text.replace("http://localhost:8080", server.url)
            done = subprocess.run(
                ["sh", "-ec", here],
                cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            assert done.returncode == 0, (here, done.stdout, done.stderr)
    assert len(typed) > 10
