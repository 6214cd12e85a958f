"""The pages about schedules: their commands work, and answer what is shown."""

import json
import re
import subprocess

import pytest
from pages import DOCS, blocks, name_of

from tasker.testing.server import TaskerServer

PAGES = (DOCS / "recurring-tasks.md", DOCS / "rest" / "schedules.md")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d\S*)")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_commands_of_a_page_about_schedules_answer_what_it_shows(tmp_path, page):
    (tmp_path / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
    with TaskerServer(tmp_path) as server:
        steps = blocks(page)
        typed = 0
        for (language, text), (next_language, shown) in zip(steps, [*steps[1:], ("", "")], strict=True):
            if language != "sh" or "curl" not in text:
                continue
            typed += 1
            command = text.replace("http://localhost:8080", server.url)
            answer = subprocess.run(
                ["sh", "-c", command],
                env={"CURL_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert answer.returncode == 0, (command, answer.stdout, answer.stderr)
            if next_language == "json":
                assert missing(json.loads(shown), json.loads(answer.stdout)) == []
        assert typed


def missing(shown, answer, place=""):
    """What is shown and not answered, by its place. Lists may be longer; of moments only the kind is looked at."""
    if isinstance(shown, dict):
        gone = [f"{place}.{name}" for name in shown if name not in answer]
        there = [name for name in shown if name in answer]
        return gone + [each for name in there for each in missing(shown[name], answer[name], f"{place}.{name}")]
    if isinstance(shown, list):
        pairs = enumerate(zip(shown, answer, strict=False))
        return [each for number, pair in pairs for each in missing(*pair, f"{place}[{number}]")]
    for kind in (MOMENT, UUID):
        if isinstance(shown, str) and kind.fullmatch(shown):
            return [] if kind.fullmatch(answer) else [f"{place}: {answer}"]
    return [] if shown == answer else [f"{place}: {answer}"]
