"""The commands of the page about moving house do what it says, in the order in which it says it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import DOCS, blocks

from databases import new_database, query
from tasker.testing.server import TaskerServer

PAGE = DOCS / "moving-house.md"
SHOWN, FOLDER = "postgresql://tasker@db1.example.org:5432/tasker", "/var/lib/tasker"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A folder with the database of a server that was stopped."""
    folder = tmp_path_factory.mktemp("house")
    with TaskerServer(folder) as server:
        server.client.schedule("http://localhost:9000/remind", delay="1d", key="order-17")
        server.stop()
    return folder


@pytest.fixture
def shell(house):
    """Runs a line of a shell in the folder, and returns what it prints."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}
    clean["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def run(line, code=0, **variables):
        done = subprocess.run(
            ["sh", "-ec", line],
            cwd=house,
            env=clean | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done
        return (done.stdout + done.stderr).strip()

    return run


def test_the_page_can_be_followed_to_its_end(house, shell):
    url = new_database()
    place = re.sub("//.*@", "//", url)
    commands = [text.strip() for language, text in blocks(PAGE) if text.startswith("tasker db")]
    copy, back, again, unmark = (text.replace(SHOWN, url) for text in commands)
    outputs = [text.strip() for language, text in blocks(PAGE) if language == "text"]
    moved, refused = (
        text.replace(SHOWN.replace("tasker@", ""), place).replace(FOLDER, str(house)) for text in outputs[:2]
    )

    assert re.sub(r"in all: \d+", "", shell(copy)) == re.sub(r"in all: \d+", "", moved)
    serve = next(text for language, text in blocks(PAGE) if "serve" in text and SHOWN in text)
    assert serve.split()[:3] == ["tasker", "serve", "--database-url"]
    with TaskerServer(house, "--database-url", url) as server:
        assert server.client.by_key("order-17").get().state == "todo"
        server.stop()
    serve = next(text for language, text in blocks(PAGE) if text.startswith("tasker serve --database-url sqlite:"))
    assert shell(serve.strip(), code=1).splitlines()[-1] == refused
    assert again == copy
    shell(back)
    with TaskerServer(house, "--database-url", "sqlite:back.db") as server:
        assert server.client.by_key("order-17").get().state == "todo"
        server.stop()
    assert shell(f"{unmark} --yes").endswith("is no longer marked moved: servers start on it again")
    with TaskerServer(house) as server:
        server.stop()
    with pytest.raises(Exception, match="this_database_has_moved"):
        query(url, "INSERT INTO tasker_inbox (id, request) VALUES (gen_random_uuid(), '{}')")


def test_what_is_exported_looks_as_the_page_says_and_can_be_imported(tmp_path, shell, house):
    export, import_ = (text for language, text in blocks(PAGE) if re.match("tasker (export|import)", text))
    shown = next(json.loads(text) for language, text in blocks(PAGE) if language == "json")
    with TaskerServer(tmp_path) as server:
        server.client.request("POST", "/tasks/new", json=shown)
        shell(export, TASKER_URL=server.url)
        assert [json.loads(line) for line in (house / "waiting.ndjson").read_text().splitlines()] == [shown]
        server.client.by_key("order-17").delete()
        shell(import_, TASKER_URL=server.url)
        assert server.client.by_key("order-17").get().state == "todo"
