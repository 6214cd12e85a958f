"""The command itself: what it imports, how commands are found, and what it says without the server."""

import ast
import importlib
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from command import refusal, run

import tasker as package
from tasker.cli import root

WITHOUT_THE_SERVER = "import sys; sys.modules['tasker.cli.server'] = None; from tasker.cli import main; main()"


def imported_by(tmp_path, *arguments):
    """Return the modules that the command imports until it ends."""
    asks = (
        "import atexit, json, sys; "
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr)); "
        "from tasker.cli import main; main()"
    )
    done = run(tmp_path, *arguments, command=[sys.executable, "-c", asks])
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def without_the_server(tmp_path, *arguments):
    return run(tmp_path, *arguments, command=[sys.executable, "-c", WITHOUT_THE_SERVER])


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version_is_that_of_the_package(tmp_path, option):
    done = run(tmp_path, option)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"tasker {version('tasker-server')}\n", "")
    assert run(tmp_path, "--listen-port", "1", option).stdout == done.stdout


def test_the_installed_command_is_this_one(tmp_path):
    done = run(tmp_path, "-V", command=[Path(sys.executable).with_name("tasker")])
    assert done.stdout == f"tasker {version('tasker-server')}\n"


def test_the_version_takes_no_import_but_that_of_the_first_steps(tmp_path):
    asks = "import atexit, json, signal, sys, typing; print(json.dumps(sorted(sys.modules)))"
    bare = set(json.loads(run(tmp_path, command=[sys.executable, "-c", asks]).stdout))
    assert imported_by(tmp_path, "--version") - bare == {"tasker", "tasker.cli", "tasker.cli.process"}


def test_help_imports_nothing_that_only_a_server_needs(tmp_path):
    assert not imported_by(tmp_path, "db", "--help") & {"asyncpg", "tasker.node", "tasker.service", "uvicorn"}


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_lists_every_command_and_says_where_the_options_of_the_server_are(tmp_path, option):
    done = run(tmp_path, option)
    assert (done.returncode, done.stderr) == (0, "")
    commands, _, options = done.stdout.partition("\n\nOptions:\n")
    listed = [line.split()[0] for line in commands.partition("Commands:\n")[2].splitlines()]
    assert listed == sorted(root.COMMANDS)
    _, title, shown = options.partition("\n\nOptions of the server (all of them: tasker serve --help):\n")
    assert title
    assert re.findall(r"^  (--\S+)", shown, re.MULTILINE) == ["--database-url", "--listen-ip", "--listen-port"]
    for variable in ("DATABASE_URL", "LISTEN_IP", "LISTEN_PORT"):
        assert variable in shown


@pytest.mark.parametrize("name", root.COMMANDS)
def test_every_line_of_the_table_of_commands_leads_to_a_command_of_that_name(name):
    module, _, attribute = root.COMMANDS[name].partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.get_short_help_str()


def test_the_table_of_commands_is_in_order():
    assert list(root.COMMANDS) == sorted(root.COMMANDS)


@pytest.mark.parametrize(
    "arguments", [[], ["serve"], ["serve", "--listen-port", "0"], ["db", "migrate"], ["serve", "--help"]]
)
def test_without_the_server_its_commands_say_what_to_install(tmp_path, arguments):
    assert "pip install tasker-server" in refusal(without_the_server(tmp_path, *arguments), 2)


def test_without_the_server_its_options_are_refused_with_what_to_install(tmp_path):
    assert "pip install tasker-server" in refusal(without_the_server(tmp_path, "--listen-port", "0"), 2)


def test_without_the_server_help_and_version_work(tmp_path):
    done = without_the_server(tmp_path, "--help")
    assert done.returncode == 0
    assert "serve" in done.stdout
    assert without_the_server(tmp_path, "--version").stdout == run(tmp_path, "--version").stdout


def test_without_click_the_command_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['click'] = None; from tasker.cli import main; main()"
    line = refusal(run(tmp_path, "ls", command=[sys.executable, "-c", code]), 2)
    assert "pip install 'tasker-client[cli]'" in line


def test_what_the_package_exports_is_what_type_checkers_read():
    block = next(node for node in ast.parse(Path(package.__file__).read_text()).body if isinstance(node, ast.If))
    read = {alias.name: node.module for node in block.body for alias in node.names}
    assert sorted(package.__all__) == sorted([*read, "__version__"])
    for name, module in read.items():
        assert getattr(package, name) is getattr(importlib.import_module(module), name)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        package.Nothing  # noqa: B018 - looking is the test
