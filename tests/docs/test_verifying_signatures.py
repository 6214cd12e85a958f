"""Receivers that verify signatures as the page shows accept what tasker signs, and nothing else."""

import base64
import json
import shutil
import subprocess
import time

import django.conf
import httpx2
import pytest
from django.test import RequestFactory
from pages import DOCS, blocks

from tasker.egress.signing import Signer

PAGE = DOCS / "verifying-signatures.md"
SECRET, OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_" + base64.b64encode(bytes(range(40))).decode()
ID = "019bbade-01c6-7d11-821f-bc1538901f12"


def examples(language):
    return [text for found, text in blocks(PAGE) if found == language]


def call(body, *, secrets=(SECRET,), at=0, **changed):
    """A call that came some seconds after now: its headers and its body."""
    timestamp = str(int(time.time()) + at)
    headers = {
        "webhook-id": ID,
        "webhook-timestamp": timestamp,
        "webhook-signature": Signer(secrets).signature(ID, timestamp, body),
    }
    return headers | {name.replace("_", "-"): value for name, value in changed.items()}, body


def genuine():
    """Calls to be believed, made now: they grow old."""
    return {
        "JSON": call(b'{"a":  "\xc3\xa9"}\r\n'),
        "text": call(b"hello"),
        "no body": call(b""),
        "with the old secret, too": call(b"x", secrets=(OLD, SECRET)),
        "a minute old": call(b"x", at=-60),
        "from a clock that is a minute ahead": call(b"x", at=60),
        "with a scheme of tomorrow": call(b"x", webhook_signature="v2,eHh4 " + call(b"x")[0]["webhook-signature"]),
    }


def forged():
    return {
        "another body": (call(b"x")[0], b"y"),
        "another id": call(b"x", webhook_id="x"),
        "another time": call(b"x", webhook_timestamp=str(int(time.time()) - 30)),
        "another secret": call(b"x", secrets=(OLD,)),
        "ten minutes old": call(b"x", at=-600),
        "from a clock that is ten minutes ahead": call(b"x", at=600),
        "no signature": call(b"x", webhook_signature=""),
        "half a signature": call(b"x", webhook_signature="v1,g0hM"),
        "a signature without a scheme": call(
            b"x", webhook_signature=call(b"x")[0]["webhook-signature"].removeprefix("v1,")
        ),
        "garbage for a signature": call(b"x", webhook_signature="\xe9 , ,, v1"),
        "no time": call(b"x", webhook_timestamp=""),
        "no number for a time": call(b"x", webhook_timestamp="now"),
        "a number that is no time": call(b"x", webhook_timestamp="9" * 5_000),
        "no headers": ({}, b"x"),
    }


def calls_and_verdicts():
    calls = [*genuine().values(), *forged().values()]
    return calls, [True] * len(genuine()) + [False] * len(forged())


@pytest.fixture
def asked():
    """All calls, as JSON for programs in other languages, and what is to be said of each."""
    made, verdicts = calls_and_verdicts()
    calls = [{"headers": headers, "body": base64.b64encode(body).decode()} for headers, body in made]
    return json.dumps({"secret": SECRET, "calls": calls}), verdicts


@pytest.mark.parametrize("number", [3, 4], ids=["with the library of the standard", "without any"])
def test_the_receivers_in_python(number):
    namespace = {}
    exec(examples("python")[number], namespace)

    calls, verdicts = calls_and_verdicts()
    assert [namespace["is_genuine"](SECRET, headers, body) for headers, body in calls] == verdicts


def receiver(number, monkeypatch):
    """What an example with a framework defines, with the secret in its environment."""
    monkeypatch.setenv("WEBHOOK_SECRETS", f"{SECRET},{OTHER}")
    namespace = {"__name__": "receiver"}
    exec(compile(examples("python")[number], "receiver", "exec", dont_inherit=True), namespace)
    return namespace


def sendable():
    """The calls that can be sent as HTTP, and what is to be said of each."""
    calls, verdicts = calls_and_verdicts()
    return [(headers, body, verdict) for (headers, body), verdict in zip(calls, verdicts, strict=True)]


@pytest.mark.anyio
async def test_the_receiver_in_fastapi(monkeypatch):
    app = receiver(0, monkeypatch)["app"]
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://receiver") as client:
        for headers, body, verdict in sendable():
            raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            answer = await client.post("/hook", headers=raw, content=body)
            assert answer.status_code == (200 if verdict else 401)
            assert not verdict or answer.json() == {"handled": ID}


def test_the_receiver_in_django(monkeypatch):
    if not django.conf.settings.configured:
        django.conf.settings.configure(ALLOWED_HOSTS=["*"])
    hook = receiver(1, monkeypatch)["hook"]
    for headers, body, verdict in sendable():
        answer = hook(RequestFactory().post("/hook", body, content_type="application/json", headers=headers))
        assert answer.status_code == (200 if verdict else 401)
        assert not verdict or answer.content == ID.encode()


def test_the_receiver_in_flask(monkeypatch):
    client = receiver(2, monkeypatch)["app"].test_client()
    for headers, body, verdict in sendable():
        answer = client.post("/hook", headers=headers, data=body)
        assert answer.status_code == (200 if verdict else 401)
        assert not verdict or answer.text == ID


def test_the_receiver_in_node(tmp_path, asked):
    if shutil.which("node") is None:
        pytest.skip("needs node")
    (tmp_path / "receiver.js").write_text(*examples("js"))
    asking = """
        const { isGenuine } = require("./receiver.js");
        const { secret, calls } = JSON.parse(require("node:fs").readFileSync(0));
        const said = calls.map((call) => isGenuine(secret, call.headers, Buffer.from(call.body, "base64")));
        console.log(JSON.stringify(said));
    """
    said = subprocess.run(
        ["node", "-e", asking], cwd=tmp_path, input=asked[0], stdout=subprocess.PIPE, text=True, check=True
    )

    assert json.loads(said.stdout) == asked[1]


def test_the_receiver_in_go(tmp_path, asked):
    if shutil.which("go") is None:
        pytest.skip("needs go")
    (tmp_path / "go.mod").write_text("module example.org/webhooks\n\ngo 1.20\n")
    (tmp_path / "receiver.go").write_text(*examples("go"))
    (tmp_path / "asking").mkdir()
    (tmp_path / "asking" / "main.go").write_text("""package main

import (
	"encoding/json"
	"net/http"
	"os"

	"example.org/webhooks"
)

func main() {
	var asked struct {
		Secret string
		Calls  []struct {
			Headers map[string]string
			Body    []byte
		}
	}
	json.NewDecoder(os.Stdin).Decode(&asked)
	said := []bool{}
	for _, call := range asked.Calls {
		header := http.Header{}
		for name, value := range call.Headers {
			header.Set(name, value)
		}
		said = append(said, webhooks.IsGenuine(asked.Secret, header, call.Body))
	}
	json.NewEncoder(os.Stdout).Encode(said)
}
""")
    said = subprocess.run(
        ["go", "run", "./asking"], cwd=tmp_path, input=asked[0], stdout=subprocess.PIPE, text=True, check=True
    )

    assert json.loads(said.stdout) == asked[1]


def test_the_command_that_makes_a_secret_makes_one():
    (command,) = examples("sh")
    made = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    Signer([made])
