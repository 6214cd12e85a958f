"""Everything that a user can meet has its place in the documentation, and nothing else has."""

import ast
import json
import re

import pytest
from pages import DOCS, ROOT, blocks, code, table

from tasker.api.problems import PROBLEMS
from tasker.cli.root import COMMANDS, SERVER, tasker
from tasker.cli.server.settings import API_KEYS_VARIABLE, SETTINGS
from tasker.cli.server.sources import CONFIG_FILE, CONFIG_VARIABLE
from tasker.model.circuit import FIRST_WAIT, LONGEST_WAIT, RECOVERY, THRESHOLD
from tasker.model.lifecycle import MAX_CRASHES, MOVES
from tasker.model.retry import STANDARD
from tasker.model.task import STATES, State
from tasker.stores.postgres import url
from tasker.stores.postgres.connection import SESSION

CONFIGURATION = DOCS / "configuration.md"
LIFECYCLE = DOCS / "concepts" / "lifecycle.md"
REST = DOCS / "rest"
TASKS = REST / "tasks.md"
ERRORS = REST / "retries-and-errors.md"
OPENAPI = json.loads((DOCS / "openapi.json").read_text())


def texts_handed_to(*functions):
    """Return the texts that calls of *functions* in the source begin with, each call as a list of its arguments."""
    calls = [
        node
        for path in (ROOT / "src" / "tasker").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions
    ]
    assert calls
    return [
        [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        for call in calls
    ]


def test_every_setting_is_described_with_its_flag_variables_and_key():
    rows = {code(row[2])[0]: row for row in table(CONFIGURATION, "## Every setting")}
    assert list(rows) == [setting.name for setting in SETTINGS]
    for setting in SETTINGS:
        flag, variables, *_ = rows[setting.name]
        assert code(flag) == [f"{setting.flag} {setting.metavar}".strip()]
        assert tuple(code(variables)) == setting.variables
        assert setting.default in " ".join(rows[setting.name])


def test_every_parameter_of_a_postgresql_url_is_described():
    names = (*url._READ_BY_ASYNCPG, *url._READ_HERE, *url._DROPPED, *url._UNSUPPORTED)
    described = [code(row[0]) for row in table(CONFIGURATION, "## Parameters of a PostgreSQL URL")]
    assert sorted(name for row in described for name in row) == sorted(names)


def test_every_command_that_needs_no_server_is_described():
    def names(command, before):
        for name, each in command.commands.items():
            yield f"{before} {name}"
            if hasattr(each, "commands"):
                yield from names(each, f"{before} {name}")

    here = {name for name, place in COMMANDS.items() if place.startswith(SERVER)}
    text = CONFIGURATION.read_text()
    assert [name for name in names(tasker, "tasker") if name.split()[1] in here and f"`{name}`" not in text] == []


def test_what_a_pooler_does_not_let_through_is_given_to_the_role():
    page = (DOCS / "from-one-node-to-three.md").read_text()
    given = dict(re.findall(r"^ALTER ROLE tasker SET (\w+) = '?(\w+)'?;$", page, re.MULTILINE))
    assert SESSION.items() <= given.items()


@pytest.mark.parametrize(
    "word", [API_KEYS_VARIABLE, CONFIG_VARIABLE, CONFIG_FILE, "--config", "-V", "--version", "-h", "--help"]
)
def test_what_is_no_row_of_the_table_is_described_too(word):
    assert re.search(rf"`{re.escape(word)}[` ]|^## {re.escape(word)}$", CONFIGURATION.read_text(), re.MULTILINE)


def test_every_error_is_described_with_its_status():
    described = {(int(status), code(word)[0]) for status, word, _ in table(ERRORS, "## Errors")}
    written = {texts[0] for texts in texts_handed_to("_response", "Refusal") if texts}
    assert set(PROBLEMS.values()) <= described
    assert {word for _, word in described} == {word for _, word in PROBLEMS.values()} | written


def test_every_reason_for_which_an_attempt_fails_is_described():
    described = {word for row in table(ERRORS, "### Why attempts fail") for word in code(row[0])}
    written = {texts[0] for texts in texts_handed_to("Fault", "_failed", "DeliveryError") if texts}
    statuses = {word for word in described if word.startswith("status_")}
    assert statuses
    assert described - statuses == written


def test_every_reason_of_an_explanation_is_described():
    reasons = OPENAPI["components"]["schemas"]["Explanation"]["properties"]["reason"]["enum"]
    described = [code(row[0])[0] for row in table(TASKS, "## Explain a task")]
    assert sorted(described) == sorted(reasons)


def test_the_standard_schedule_is_described():
    waits = [row[2] for row in table(DOCS / "retries.md", "## Choose a policy") if '"standard"' in row[1]]
    in_seconds = {"s": 1, "min": 60, "h": 3600}
    assert [int(number) * in_seconds[unit] for number, unit in re.findall(r"(\d+) (s|min|h)", waits[0])] == [
        wait.total_seconds() for wait in STANDARD.schedule
    ]


def test_the_numbers_of_a_circuit_are_described():
    text = (DOCS / "a-dead-endpoint.md").read_text()
    assert (THRESHOLD, FIRST_WAIT.total_seconds(), LONGEST_WAIT.total_seconds(), RECOVERY) == (10, 5, 300, 10)
    assert "After ten failures in a row" in text
    assert "for 5 seconds none" in text
    assert "up to 5 minutes" in text
    assert "The circuit is `recovering` then, for 10 seconds." in text


def test_every_state_is_described():
    assert [code(row[0])[0] for row in table(TASKS, "### States")] == [state.word for state in STATES]


def test_every_move_is_described():
    assert [code(row[0])[0] for row in table(LIFECYCLE, "# Lifecycle")] == [move.value for move in MOVES]
    word, ordinal = {2: ("two", "second"), 3: ("three", "third"), 4: ("four", "fourth")}[MAX_CRASHES]
    assert f"the {ordinal} crash in a row" in LIFECYCLE.read_text()
    assert f"The server died {word} times in a row" in ERRORS.read_text()


def test_the_diagram_of_the_lifecycle_is_the_table_of_moves():
    ((language, diagram),) = blocks(LIFECYCLE)
    first, *lines = diagram.splitlines()
    assert (language, first) == ("mermaid", "stateDiagram-v2")
    drawn = [re.fullmatch(r" {4}(\S+) --> (\S+): (\w+)", line).groups() for line in lines]
    word = {None: "[*]"} | {state: state.name.lower() for state in State}
    allowed = {(word[source], word[step.target], move.value) for move, step in MOVES.items() for source in step.sources}
    assert len(drawn) == len(allowed)
    assert set(drawn) == allowed


def test_every_call_is_described_with_its_refusals():
    overview = REST / "index.md"
    always = re.search(r"may also be refused with (.*?);", overview.read_text())[1]
    common = {int(status) for status in re.findall(r"\d+", always)}
    described = {
        code(call)[0]: {int(status) for status in re.findall(r"\b[45]\d\d\b", refusals)}
        for call, _, _, _, refusals in table(overview, "# REST")
    }
    assert described == {
        f"{method.upper()} {path}": {int(status) for status in operation["responses"] if status >= "400"} - common
        for path, item in OPENAPI["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def test_every_member_of_a_request_or_an_answer_is_described():
    text = "".join(page.read_text() for page in REST.iterdir())
    for shape in OPENAPI["components"]["schemas"].values():
        for member in shape.get("properties", {}):
            assert f"`{member}`" in text or f'"{member}"' in text, member


def test_the_bounds_and_defaults_of_retries_are_those_of_the_description():
    described = {}
    for member, value, default, _ in table(ERRORS, "## Retries"):
        numbers = re.findall(r"[\d.]+", re.sub(r"\(.*?\)", "", f"{value} {default}"))
        described[code(member)[0]] = [float(number) for number in numbers]
    assert described == {
        member: [shape[bound] for bound in ("minimum", "maximum", "default") if bound in shape]
        for member, shape in OPENAPI["components"]["schemas"]["RetryFields"]["properties"].items()
    }
