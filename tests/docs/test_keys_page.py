"""The commands of the page about keys do what it says, in the order in which it says it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pages import DOCS, blocks, code, table

from tasker.callers import GRANTED, Role
from tasker.testing.server import TaskerServer

PAGE = DOCS / "keys.md"
KEY = r"tasker_[0-9a-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}"
ID = r"\b[0-9a-z]{8}\b"
SHOWN_KEY, OLD_ID = "tasker_k3m8x0qz_GlUfzcnjRFLIqXrVR3V5OhViRSjmcFj4L3U54j7bgFZ_3tb4CE", "p07r2hwd"


def kinds(text):
    """Return *text* with what is different each time replaced by what it is, and columns by single blanks."""
    for pattern, kind in (
        (KEY, "a key"),
        (r"(?m)\w{3} \d{4}-.*$", "a time"),
        (r"\d+ (?:ms|s|min) ago|\bnow\b", "a while ago"),
        (r"(?m)^(id +)?[0-9a-z]{8}\b", "an id"),
    ):
        text = re.sub(pattern, kind, text)
    return re.sub(r" +", " ", text).strip()


def test_the_page_can_be_followed_to_its_end(tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("needs curl, which the page uses")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")} | {"PATH": path}
    steps = blocks(PAGE)
    ids, typed = {}, []
    with TaskerServer(tmp_path) as server:
        environment["TASKER_URL"] = server.url
        for (language, text), (next_language, shown) in zip(steps, [*steps[1:], ("", "")], strict=True):
            if language != "sh":
                continue
            if text.startswith("export TASKER_KEY="):
                assert text.strip() == f"export TASKER_KEY={SHOWN_KEY}"
                environment["TASKER_KEY"] = ids["owner"][1]
                continue
            on_a_terminal = " --output table" if next_language == "text" else ""
            here = (
                (text.rstrip() + on_a_terminal)
                .replace(OLD_ID, ids.get("shop", ("",))[0])
                .replace("http://localhost:8080", server.url)
            )
            done = subprocess.run(
                ["sh", "-ec", here],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, (here, done.stderr)
            typed.append(here)
            for made in re.finditer(rf"\bid\W+([0-9a-z]{{8}})\W+name\W+(\w+)\b(?:.|\n)*?\bkey\W+({KEY})", done.stdout):
                ids[made[2]] = (made[1], made[3])
            if "curl" in text:
                assert "lateness_seconds" in json.loads(done.stdout)
            if next_language == "text":
                printed = done.stdout + done.stderr
                used = re.sub(r"(?m)(never|a while ago) owner$", "used owner", kinds(printed))
                assert used == re.sub(r"(?m)(never|a while ago) owner$", "used owner", kinds(shown))
        assert set(ids) == {"owner", "shop", "grafana", "support"}
        listed = subprocess.run(
            ["tasker", "keys", "ls", "--output", "json"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=True,
        )
        assert [key["name"] for key in json.loads(listed.stdout)] == ["owner", "grafana", "support"]
    assert sum("tasker keys" in text or "tasker db keys" in text for text in typed) == 6


def test_every_scope_and_every_role_is_described_with_what_it_has():
    assert [code(row[0])[0] for row in table(PAGE, "## Scopes and roles")] == [scope.value for scope in GRANTED]
    text = PAGE.read_text()
    for role in Role:
        (row,) = re.findall(rf"(?m)^\| `{role.value}` \| ((?:`[a-z:]+`(?:, )?)+|all) \|$", text)
        described = {scope.value for scope in GRANTED} if row == "all" else set(code(row))
        assert described == {scope.value for scope in GRANTED if scope in role.scopes}, role
