"""Type checkers know the parameters of functions: each line marked ``# wrong`` is an error, and no other is."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """\
from datetime import datetime, timedelta, timezone
from typing import assert_type

import tasker

app = tasker.App()


@app.task("report.build", retry={"max_attempts": 3}, timeout="10m")
async def build(customer: int, layout: str = "pdf") -> dict[str, int]:
    return {"pages": customer}


@app.task("mail.send", retry="standard", timeout=timedelta(minutes=1))
def send(to: str, *, text: str) -> None:
    context = tasker.context()
    context.heartbeat(0.5, "half")
    context.heartbeat("half")  # wrong
    raise tasker.Retry("busy", after="5m")


async def good() -> None:
    made = await build.schedule(42)
    assert_type(made.id, str)
    await build.schedule(customer=42, layout="csv")
    options = build.options(at=datetime.now(timezone.utc), key="k", tags=["a"], retry={"max_attempts": 1}, timeout=3)
    await options.schedule(42)
    assert_type(await build(42), dict[str, int])
    assert_type(send("a", text="b"), None)
    send.options(delay="3d").schedule_sync("a@example.org", text="b")
    send.schedule_sync("a@example.org", text="b")
    build.fields(customer=42)


async def bad() -> None:
    await build.schedule("42")  # wrong
    await build.schedule()  # wrong
    await build.schedule(42, "pdf", 3)  # wrong
    await build.schedule(42, colour="red")  # wrong
    await build.options(delay="1h").schedule("42")  # wrong
    send.schedule_sync("a@example.org", "b")  # wrong
    send.options(key="k").schedule_sync(to="a@example.org")  # wrong
    build.fields(customer=None)  # wrong
    build.options(dealy="1h")  # wrong
    build.options(key=3)  # wrong
    await build("42")  # wrong


app.task(3)  # wrong
app.task("a", timeout=[])  # wrong
app.task("a", retry="often")  # wrong
"""

WRONG = {number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# wrong")}


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def run(*command, cwd):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    return done.stdout


def test_mypy_finds_the_wrong_calls_and_no_others(program):
    said = run("mypy", "--strict", "--config-file", "", "--no-incremental", str(program), cwd=ROOT / "src")
    found = {int(number) for number in re.findall(rf"{re.escape(program.name)}:(\d+): error", said)}
    assert found == WRONG, said


def test_pyright_finds_the_wrong_calls_and_no_others(program, tmp_path):
    settings = {"include": [str(program)], "extraPaths": [str(ROOT / "src")], "typeCheckingMode": "strict"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    said = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(tmp_path), cwd=tmp_path))
    errors = [each for each in said["generalDiagnostics"] if each["severity"] == "error"]
    found = {each["range"]["start"]["line"] + 1 for each in errors}
    assert found == WRONG, errors
