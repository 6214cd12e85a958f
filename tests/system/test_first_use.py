"""Nothing is loaded for the first time while a server serves: what cannot be loaded then is missing for ever."""

import contextlib
import json
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest

from databases import new_database
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver, answer

WATCHING = """
import os, sys
_log = os.open(os.environ["LOADED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
_CERTIFICATES = (".pem", ".crt", ".cer")

def _watch(event, arguments):
    if event == "import" or (event == "open" and str(arguments[0]).endswith((".py", ".pyc", *_CERTIFICATES))):
        os.write(_log, f"{event} {arguments[0]}\\n".encode())

sys.addaudithook(_watch)
"""
"""Is run before everything else in the server: notes each module that is looked for, and not there
yet."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def secure(tmp_path, monkeypatch):
    """The port of a target on 127.0.0.1 with a certificate that the server trusts."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate),
            *("-days", "2", "-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def respond(delivery):
    """Answer as the path says."""
    return {
        "/later": answer(503, headers=f"retry-after: {formatdate(time.time() + 3_600, usegmt=True)}\r\n"),
        "/bad": b"no HTTP\r\n\r\n",
        "/strange": answer(418, b"\xff\xfe", headers="content-type: text/plain\r\nserver: \xe9\r\n"),
    }.get(delivery.path, answer(200))


def make_everything(server, plain, secure):
    """Create one task of each kind; return their ids."""

    def soon():
        return (datetime.now(UTC) + timedelta(seconds=0.3)).isoformat()

    once = {"retry": {"max_attempts": 1}, "timeout": 5}
    webhooks = [
        {"url": plain.url("/ok"), "body": "x"},
        {"url": plain.url("/ok"), "json": {"a": [1.5, None, "ü"]}, "on_success": plain.url("/done")},
        {"url": f"http://user:pass@127.0.0.1:{plain.port}/ü?ö", "method": "GET"},
        {"url": plain.url("/later"), "body": "x", "on_failure": {"url": plain.url("/failed"), "method": "PUT"}, **once},
        {"url": plain.url("/bad"), "body": "x", **once},
        {"url": plain.url("/strange"), "body": "x", "retry": "standard"},
        {"url": plain.url("/ok"), "body": "x", "expires_at": "2126-01-01T00:00:00+01:00", "success": ["2xx", 404]},
        {"url": f"https://127.0.0.1:{secure}/", "body": "x"},
        {"url": f"https://localhost:{secure}/", "body": "x", **once},
        {"url": f"https://127.0.0.1:{plain.port}/", "body": "x", **once},
        {"url": "http://bücher.invalid/ä", "body": "x", **once},
        {"url": f"http://localhost:{plain.port}/ok", "body": "x"},
        {"url": "http://127.0.0.1:1/", "body": "x", **once},
        {"url": "http://[fe80::1]/", "body": "x"},
    ]
    return [
        *(
            server.call("POST", "/tasks/new", {"webhook": {"execution_time": soon(), **each}})["id"]
            for each in webhooks
        ),
        server.call("POST", "/tasks/new", {"hash": {"execution_time": soon(), "secret": "p4ssword"}})["id"],
        server.call("POST", "/tasks/new", {"webhook": {**by_the_clock(), "url": plain.url("/ok"), "body": "x"}})["id"],
    ]


def by_the_clock():
    """A moment soon, as the clocks in Berlin show it."""
    local = datetime.now(ZoneInfo("Europe/Berlin")) + timedelta(seconds=1)
    return {"local_time": local.replace(tzinfo=None).isoformat(), "time_zone": "Europe/Berlin"}


def put_schedules(server, plain):
    """Have one schedule run, and preview another."""
    task = {"webhook": {"url": plain.url("/ok"), "body": "x", "expires_at": "1h"}}
    server.call("PUT", "/schedules/each", {"every": "1s", "jitter": "1s", "task": task})
    daily = {"cron": "0 9 * * MON-FRI", "time_zone": "America/Argentina/Ushuaia"}
    assert len(server.call("POST", "/schedules/preview", daily)["runs"]) == 10
    with contextlib.suppress(HTTPError):
        server.call("POST", "/schedules/preview", {**daily, "time_zone": "kolkata"})


def call_everything(server, ids):
    """Make each call of the description, for each task, and some that are refused."""
    paths = server.call("GET", "/openapi.json")["paths"]
    gates = [gate["id"] for gate in server.call("GET", "/destinations")]
    places = [(ids, gates, "failed"), (["no-id"], ["no-id"], "no-state")]
    for (path, methods), (tasks, destinations, state) in ((call, place) for call in paths.items() for place in places):
        some = destinations if path.startswith("/destinations") else tasks
        for method in ("get", "put", "patch", "post", "delete"):
            for id_ in some if method in methods else ():
                filled = path.replace("{id}", str(id_)).replace("{state}", state).replace("{type}", "webhook")
                filled = filled.replace("{name}", "each")
                for query, body in (
                    ("", None),
                    ("?limit=1", {"max_running": 3}),
                    ("?limit=x", {"nonsense": 1}),
                    ("", "x" * 2_000_000),
                ):
                    with contextlib.suppress(HTTPError, ConnectionError):
                        if path in ("/events", "/metrics"):  # an answer without an end, and one that is no JSON
                            with urlopen(server.url + filled + query, timeout=30) as response:
                                response.read(10)
                        else:
                            server.call(method.upper(), filled + query, None if method == "get" else body)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_everything_can_be_done_without_loading_a_module_or_a_certificate_after_the_start(
    tmp_path, monkeypatch, secure, database
):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WATCHING)
    loaded = tmp_path / "loaded.txt"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("LOADED", str(loaded))
    options = ["--database-url", new_database()] if database == "postgresql" else []
    options += ["--pbkdf2-iterations", "1000", "--webhook-secret", "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    with WebhookReceiver(respond) as plain, TaskerServer(tmp_path, *options) as server:
        at_start = loaded.read_text()
        put_schedules(server, plain)
        ids = make_everything(server, plain, secure)
        deadline = time.monotonic() + 60
        while any(server.call("GET", f"/tasks/{id_}/attempts") == [] for id_ in ids) and time.monotonic() < deadline:
            time.sleep(0.1)
        errors = [json.dumps(server.call("GET", f"/tasks/{id_}")) for id_ in ids]
        call_everything(server, ids)
        assert server.stop() == 0

    assert "import tasker.node" in at_start, "the watcher watches"
    assert "internal_error" not in "".join(errors)
    later = loaded.read_text()[len(at_start) :].splitlines()
    assert later == []
