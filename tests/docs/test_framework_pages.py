"""The pages on Django and FastAPI show the projects in ``examples/``, and have all that there is."""

import ast
import asyncio
import re
import time

import httpx2
import pytest
from pages import DOCS, ROOT, blocks, code, table

from tasker.egress.signing import Signer
from tasker.fastapi import LONGEST_BODY, VerifiedWebhook
from tasker.testing.server import TaskerServer
from tasker.wire.completions import LONGEST_RESULT

DJANGO, FASTAPI = DOCS / "django.md", DOCS / "fastapi.md"
SOURCES = ROOT / "src" / "tasker" / "django"


def shown(page):
    return [text for language, text in blocks(page) if language == "python"]


def files(name):
    return [path.read_text() for path in (ROOT / "examples" / name).rglob("*.py")]


def parsed(name):
    return ast.parse((SOURCES / name).read_text()).body


def named(name, kind):
    return next(node for node in parsed(name) if isinstance(node, ast.ClassDef) and node.name == kind)


@pytest.mark.parametrize("page", [DJANGO, FASTAPI], ids=lambda page: page.stem)
def test_the_code_of_the_page_is_that_of_the_example(page):
    others = [text for text in shown(page) if not any(text in file for file in files(page.stem))]
    if page is DJANGO:
        assert [text.partition(" ")[0] for text in others] == ["OPTIONS"]
    else:
        assert len(others) == 2, "they are run below"


def test_each_option_of_the_backend_is_described():
    options = [
        node.target.id.upper() for node in named("options.py", "Options").body if isinstance(node, ast.AnnAssign)
    ]
    assert [name for row in table(DJANGO, "## Options") for name in code(row[0])] == options


def test_each_option_of_the_worker_is_described():
    command = (SOURCES / "management" / "commands" / "tasker_worker.py").read_text()
    options = re.findall(r'add_argument\(\s*"(--\w+)"', command)
    assert [code(row[0])[0].split()[0] for row in table(DJANGO, "## Run the worker")] == options


def test_each_class_that_stands_for_a_failure_is_described():
    classes = {node.name for node in parsed("exceptions.py") if isinstance(node, ast.ClassDef)}
    assert set(re.findall(r"^\| `(\w+Error)` \|", DJANGO.read_text(), re.MULTILINE)) == classes


def test_the_numbers_of_the_pages_are_those_of_the_code():
    running = (SOURCES / "running.py").read_text()
    assert "LONGEST_TRACEBACK: Final = 12_000" in running
    assert LONGEST_RESULT == 64 * 1024
    assert LONGEST_BODY == 16 * 1024 * 1024
    members = {name.removesuffix("()") for row in table(FASTAPI, "## Be called back") for name in code(row[0])}
    assert members == {*VerifiedWebhook._fields, "json"}


def test_the_applications_of_the_page_run(tmp_path, monkeypatch):
    own, starlette = ({} for _ in range(2))
    lifespan, application = [text for text in shown(FASTAPI) if not any(text in file for file in files("fastapi"))]
    with TaskerServer(tmp_path) as server:
        monkeypatch.setenv("TASKER_URL", server.url)
        exec(compile(lifespan.replace("http://tasker.internal:8080", server.url), FASTAPI, "exec"), own)
        exec(compile(application, FASTAPI, "exec"), starlette)

        async def run():
            outer, app = own["FastAPI"](lifespan=own["my_lifespan"]), starlette["app"]
            async with outer.router.lifespan_context(outer):
                assert outer.state.tasker.url == server.url
            timestamp = str(int(time.time()))
            signature = Signer((starlette["SECRETS"],)).signature("an-id", timestamp, b"")
            signed = {"webhook-id": "an-id", "webhook-timestamp": timestamp, "webhook-signature": signature}
            calling = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://app")
            async with app.router.lifespan_context(app), calling:
                created = await calling.post("/orders")
                assert (await calling.post("/hook", headers=signed)).json() == {"handled": "an-id"}
                assert (await calling.post("/hook")).status_code == 401
            return created.json()["task"]

        assert server.call("GET", f"/tasks/{asyncio.run(run())}")["webhook"]["state"] == "todo"
