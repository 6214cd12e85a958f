"""Secrets stay out of everything that is printed.

A server is run through all its troubles and its output is searched.
"""

import base64
import json
import signal
import socket

import pytest
from command import one_line_of, run, serving, soon

from databases import new_database
from polling import until
from tasker.cli.redact import redact
from tasker.cli.server.logs import describe_exception, without_secrets
from tasker.errors import StartError
from tasker.testing.webhook_receiver import WebhookReceiver, answer

API_KEY, FILE_KEY, WRONG_KEY = (
    "canary-of-a-key-in-a-variable",
    "canary-of-a-key-in-a-file",
    "canary-of-a-key-that-is-wrong",
)
SECRET, BODY, ANSWER = "canary-of-a-secret", "canary-of-a-body", "canary-of-an-answer"
SIGNING_SECRET = "whsec_" + base64.b64encode(b"canary-of-a-signing-secret").decode()
HEADER, JSON = "canary-of-a-header", "canary-of-a-json-body"
ALERT_PATH = "canary-of-the-path-of-an-alert-url"
USER, PASSWORD, QUERY, FRAGMENT = "canary-user", "canary-password", "canary-of-a-query", "canary-of-a-fragment"
SECRETS = (
    *(API_KEY, FILE_KEY, WRONG_KEY, SECRET, BODY, ANSWER, HEADER, JSON, USER, PASSWORD, QUERY, FRAGMENT, ALERT_PATH),
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
    SIGNING_SECRET.removeprefix("whsec_").rstrip("="),
)

LATER = "2126-02-10T16:30:00Z"
LEAKY_TYPE = """
import asyncio, functools, logging
from datetime import timedelta
from tasker.model.gate import Destination, GateKind
from tasker.task_types.hash import HashType
from tasker.wire.fields import HashFields

def fail(secret):
    raise RuntimeError(secret)

async def fail_later(secret):
    raise RuntimeError(secret)

class Leaky:
    name, spellings, pool, slots, timeout, fields = "leaky", (), 100, 4, timedelta(seconds=0.5), HashFields
    def prepare(self, request):
        if "defect" in request.secret:
            raise ValueError(f"cannot use {request.secret}")
        return request
    def destination(self, fields):
        return Destination(GateKind.TYPE, "leaky")
    async def run(self, attempt, fields, started):
        secret = attempt.payload.decode()
        logging.getLogger("leaky").info("it is %s", secret)
        logging.getLogger("leaky").warning("calling https://%s/x?%s#%s", "USER:PASSWORD@localhost", "QUERY", "FRAGMENT")
        asyncio.get_running_loop().call_soon(functools.partial(fail, secret))
        self.forgotten = asyncio.create_task(fail_later(secret))
        if "hang" in secret:
            await asyncio.sleep(60)
        if "odd" in secret:
            return secret
        try:
            raise ValueError(secret)
        except ValueError as error:
            raise KeyError(secret) from error
    async def close(self):
        pass
"""


def leaked(text):
    return [secret for secret in SECRETS if secret in text]


@pytest.fixture
def plugins(tmp_path):
    """A folder with an installed package whose task type does everything wrong."""
    folder = tmp_path / "plugins"
    installed = folder / "leaky-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: leaky\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[tasker.task_types]\nleaky = leaky:Leaky\n")
    code = LEAKY_TYPE
    for name, value in (("USER", USER), ("PASSWORD", PASSWORD), ("QUERY", QUERY), ("FRAGMENT", FRAGMENT)):
        code = code.replace(name, value)
    (folder / "leaky.py").write_text(code)
    return folder


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_nothing_that_is_printed_or_refused_shows_a_secret(tmp_path, plugins, log_format):
    (tmp_path / "keys").write_text(f"{FILE_KEY} # {WRONG_KEY}\n")
    options = [
        "--listen-port",
        "0",
        "--log-format",
        log_format,
        "--api-keys-file",
        "keys",
        "--pbkdf2-iterations",
        "1000",
    ]
    options += ["--max-body-bytes", "8192", "--grace-period", "0"]
    variables = {"TASKER_API_KEYS": API_KEY, "LOG_LEVEL": "TRACE", "PYTHONPATH": str(plugins)}
    variables["TASKER_WEBHOOK_SECRET"] = SIGNING_SECRET
    variables["TASKER_ALERT_URL"] = f"http://{USER}:{PASSWORD}@localhost:9/{ALERT_PATH}?{QUERY}"
    printed = ""
    with WebhookReceiver(troublesome) as receiver, WebhookReceiver() as slow:
        with serving(tmp_path, *options, variables=variables) as server:
            answers = misuse(server)
            tasks = [create(server, kind, fields) for kind, fields in troubled_tasks(receiver.port, server.port)]
            for kind, task_id in tasks:
                until(
                    lambda: view(server, kind, task_id)["state"] in ("done", "failed"),  # noqa: B023
                    f"{kind} {task_id} has ended",
                )
            views = [view(server, kind, task_id) for kind, task_id in tasks]
            told = looked_at(server, [task_id for _, task_id in tasks])
            create(server, "webhook", webhook(slow.url(f"/slow/60?q={QUERY}")))
            slow.wait_for(1)
            server.process.kill()
            printed += server.process.communicate()[0]
        with serving(tmp_path, *options, variables=variables) as server:
            slow.wait_for(2)
            server.process.send_signal(signal.SIGTERM)
            printed += server.process.communicate(timeout=60)[0]

    printed += server.stderr.read_text()
    assert leaked(printed) == []
    for said in (
        "an attempt failed",
        "a task type raised",
        "a request found a defect",
        "took back tasks",
        "https://***@localhost",
    ):
        assert said in printed, "this was to be searched"

    assert len(answers) > 15
    assert [(sent, text) for sent, text in answers if leaked(text)] == []

    assert {one["last_error"]["code"] for one in views if one["last_error"]} > {
        "connect_refused",
        "timeout",
        "internal_error",
    }
    assert leaked(json.dumps([one["last_error"] for one in views])) == []
    assert any(HEADER in json.dumps(one) for one in views), "who made a task may see what it sends"
    assert len(told) > 20
    assert [(path, text) for path, text in told.items() if leaked(text)] == []


def troublesome(delivery):
    """Answer in the way that the path says."""
    match delivery.path.partition("?")[0]:
        case "/fails":
            return answer(500, ANSWER.encode(), headers=f"x-canary: {ANSWER}\r\n")
        case "/elsewhere":
            return answer(302, headers=f"location: http://{USER}:{PASSWORD}@localhost/?q={QUERY}\r\n")
        case "/garbage":
            return f"{ANSWER} is no HTTP\r\n\r\n".encode()
        case "/garbled":
            return f"HTTP/1.1 200 OK\r\n{ANSWER}\r\n\r\n".encode()
        case "/broken":
            return f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{ANSWER}\r\n".encode()
        case "/closes":
            return None
    return answer(200, ANSWER.encode())


def webhook(url):
    called_back = {"url": url, "headers": {"x-key": HEADER}, "retry": {"max_attempts": 1}}
    return {
        "url": url,
        "json": {"key": JSON},
        "headers": {"x-key": HEADER},
        "timeout": 10,  # one answer never ends
        "retry": {"max_attempts": 1},
        "on_success": called_back,
        "on_failure": called_back,
    }


def looked_at(server, task_ids):
    """Everything that shows tasks, or what has become of them, without being one task's own page; by path."""
    paths = [f"/tasks/{task_id}/explain" for task_id in task_ids]
    paths += ["/destinations", "/destinations/1", "/stats", "/nodes", "/readyz"]
    answers = {path: server.call("GET", path, headers={"authorization": f"Bearer {API_KEY}"}) for path in paths}
    for call in ("/destinations/1/pause", "/destinations/1/resume", f"/tasks/{task_ids[0]}/retry", "/tasks/none/retry"):
        answers[call] = server.call("POST", call, headers={"authorization": f"Bearer {API_KEY}"})
    for path in ("/tasks/type/webhook", "/tasks/state/failed", "/tasks/state/done", "/tasks/type/webhook?limit=1000"):
        status, text = server.call("GET", path, headers={"authorization": f"Bearer {API_KEY}"})
        assert b'"x-key":"***"' in text
        answers[f"the header values of {path}"] = status, b"".join(part for part in (HEADER.encode(),) if part in text)
    return {path: text.decode() for path, (_, text) in answers.items()}


def troubled_tasks(receiver_port, server_port):
    """Tasks of every type that succeed, and that fail in every way."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        closed_port = closed.getsockname()[1]
    places = [
        *(f"http://{{}}127.0.0.1:{receiver_port}/{path}" for path in ("", "fails", "elsewhere", "garbage", "garbled")),
        *(f"http://{{}}127.0.0.1:{receiver_port}/{path}" for path in ("broken", "closes")),
        f"http://{{}}127.0.0.1:{closed_port}/",  # refuses
        f"https://{{}}127.0.0.1:{server_port}/",  # speaks no TLS
        "http://{}nowhere.invalid/",
        "http://{}169.254.169.254/",
    ]
    for place in places:
        yield "webhook", webhook(place.format(f"{USER}:{PASSWORD}@") + f"?q={QUERY}#{FRAGMENT}")
    yield "hash", {"secret": SECRET}
    for word in ("raise", "hang", "odd"):
        yield "leaky", {"secret": f"{SECRET} {word}", "retry": {"max_attempts": 1}}


def misuse(server):
    """Make every kind of request that is refused; each with its answer, as texts."""
    url = f"http://{USER}:{PASSWORD}@localhost/?q={QUERY}#{FRAGMENT}"
    a_hash = {"execution_time": LATER, "secret": SECRET}
    bodies = [
        f'{{"hash": {{"secret": "{SECRET}'.encode(),
        f'"{SECRET}"'.encode(),
        b'{"hash": {"execution_time": "%s", "secret": "\xff%s"}}' % (LATER.encode(), SECRET.encode()),
        {"hash": {**a_hash, "execution_time": "2001-02-03T04:05:06Z"}},
        {"hash": {**a_hash, "execution_time": [SECRET]}},
        {"hash": {**a_hash, "secret": [SECRET]}},
        {"hash": {**a_hash, "secret": SECRET * 250}},
        {"hash": {**a_hash, "secret": SECRET * 500}},
        {"hash": {**a_hash, "retry": SECRET}},
        {"hash": {**a_hash, "more": SECRET}},
        {"hush": a_hash},
        {"leaky": {**a_hash, "secret": f"a defect, {SECRET}"}},
        {"hash": a_hash, "webhook": {"execution_time": LATER, **webhook(url)}},
        {"webhook": {"execution_time": LATER, **webhook(url.replace("http:", "ftp:"))}},
        {"webhook": {"execution_time": LATER, **webhook(url.replace("localhost", "localhost:70000"))}},
        {"webhook": {"execution_time": LATER, **webhook(url.replace("localhost", "[::"))}},
        {"webhook": {"execution_time": LATER, **webhook(url.replace("localhost", ""))}},
        {"webhook": {"execution_time": LATER, **webhook(url + "\n")}},
        {"webhook": {"execution_time": LATER, **webhook(url), "body": [BODY]}},
        {"webhook": {"execution_time": LATER, **webhook(url), "body": BODY}},
        {"webhook": {"execution_time": LATER, **webhook(url), "on_success": [url]}},
        {"webhook": {"execution_time": LATER, **webhook(url), "on_failure": url.replace("http:", "ftp:")}},
        {"webhook": {"execution_time": LATER, **webhook(url), "on_failure": {"url": url, "headers": {"host": HEADER}}}},
        *(
            {"webhook": {"execution_time": LATER, **webhook(url), "headers": headers}}
            for headers in (
                {"x-key": f"{HEADER}\r\nx: y"},
                {"x-key": f" {HEADER}"},
                {"x-key": f"{HEADER}\u20ac"},
                {"x-key": [HEADER]},
                {f"x-key: {HEADER}": "x"},
                {"x-key": HEADER, "X-KEY": HEADER},
                {"content-length": HEADER},
                {"x-key": HEADER * 1_000},
                HEADER,
            )
        ),
        *(
            {"webhook": {"execution_time": LATER, **webhook(url), member: SECRET}}
            for member in ("method", "timeout", "success", "retry")
        ),
    ]
    key = {"authorization": f"Bearer {API_KEY}"}
    calls = [("POST", "/tasks/new", body, key) for body in bodies]
    calls += [
        ("POST", "/tasks/new", {"hash": a_hash}, {**key, "content-type": "text/plain"}),
        ("POST", "/tasks/new", {"hash": a_hash}, {**key, "origin": f"http://{USER}.example.org"}),
        ("POST", f"/nothing?q={QUERY}", {"hash": a_hash}, key),
        ("PUT", f"/tasks/new?q={QUERY}", {"hash": a_hash}, key),
        ("GET", f"/tasks/state/todo?limit=x&q={QUERY}", None, key),
        ("GET", f"/tasks/{LATER}?q={QUERY}", None, key),
        ("GET", "/stats", None, {"authorization": f"Bearer {WRONG_KEY}"}),
        ("GET", "/stats", None, {"authorization": f"Basic {SECRETS[-1]}"}),
        ("POST", "/tasks/new", {"hash": a_hash}, {"authorization": WRONG_KEY}),
    ]
    _, task_id = create(server, "webhook", {"delay": "1d", **webhook(url)})
    calls += [("PATCH", f"/tasks/{task_id}", body, key) for body in misused_changes(url)]
    calls += [("PATCH", f"/tasks/{task_id}", {"webhook": webhook(url)}, {**key, "if-match": '"7"'})]
    answers = []
    for method, path, body, headers in calls:
        status, text = server.call(method, path, body, headers)
        assert status >= 400, (body, text)
        # Whose page it is that was refused is told to that page.
        answers.append((f"{method} {path} {body}", text.decode().replace(f"http://{USER}.example.org", "")))
    for raw in (
        f"{SECRET}\r\n\r\n",
        f"GET /stats?q={QUERY} HTTP/1.1\r\nauthorization {API_KEY}\r\n\r\n",
        f"GET /stats?q={QUERY} HTTP/9.9\r\nauthorization: Bearer {API_KEY}\r\n\r\n",
        f"POST /tasks/new HTTP/1.1\r\nauthorization: Bearer {API_KEY}\r\ncontent-length: {SECRET}\r\n\r\n",
        (
            f"POST /tasks/new HTTP/1.1\r\nauthorization: Bearer {API_KEY}\r\n"
            f"transfer-encoding: chunked\r\n\r\n{SECRET}\r\n"
        ),
    ):
        with socket.create_connection((server.ip, server.port), timeout=30) as caller, caller.makefile("rb") as replies:
            caller.sendall(raw.encode())
            caller.shutdown(socket.SHUT_WR)
            answers.append((raw, replies.read().decode()))
    return answers


def misused_changes(url):
    """Changes of a webhook that are refused."""
    elsewhere = url.replace("localhost", "127.0.0.1")
    members = [
        {"url": elsewhere},
        {"on_success": elsewhere},
        {"on_failure": {"url": elsewhere}},
        {"url": elsewhere, "headers": {"x-key": "***", "y": HEADER}},
        {"url": url.replace(PASSWORD, "***"), "headers": {"x-key": HEADER}},
        {"headers": {"x-key": f"{HEADER}\r\n"}},
        {"headers": {f"x-key: {HEADER}": "x"}},
        {"headers": {"x-key": [HEADER]}},
        {"headers": HEADER},
        {"on_failure": {"headers": {"host": HEADER}}},
        {"body": BODY, "json": JSON},
        {"body": [BODY]},
        {"retry": SECRET},
        {"key": SECRET},
        {"secret": SECRET},
    ]
    yield from ({"webhook": each} for each in members)
    yield {"hash": {"secret": SECRET}}
    yield {"webhook": SECRET}
    yield b'{"webhook": {"headers": {"x-key": "%s\xff"}}}' % HEADER.encode()
    yield b'{"webhook": {"headers": {"%s\xff": "x"}}}' % HEADER.encode()
    yield b'{"webhook": {"body": "%s"' % BODY.encode()


def create(server, kind, fields):
    time = {} if "delay" in fields else {"execution_time": soon()}
    body = {kind: {**time, **fields}}
    status, text = server.call("POST", "/tasks/new", body, {"authorization": f"bearer {FILE_KEY}"})
    assert status == 201, text
    return kind, json.loads(text)["id"]


def view(server, kind, task_id):
    status, text = server.call("GET", f"/tasks/{task_id}", headers={"authorization": f"Bearer {API_KEY}"})
    assert status == 200, text
    return json.loads(text)[kind]


@pytest.mark.parametrize(
    ("arguments", "variables", "toml", "status"),
    [
        ([f"https://{USER}:{PASSWORD}@example.org/?q={QUERY}"], {}, "", 2),
        (["--database-url", f"postgres:{USER}:{PASSWORD}@localhost/?q={QUERY}"], {}, "", 2),
        (["--database-url", f"postgresql://{USER}:{PASSWORD}@127.0.0.1:1/?q={QUERY}"], {}, "", 1),
        *(
            ([], {"DATABASE_URL": f"postgresql://{USER}:{password}@127.0.0.1:1/tasks"}, "", 2)
            for password in (
                f"{PASSWORD}?{PASSWORD}",
                f"{PASSWORD}#",
                f"x@{PASSWORD}?",
                f"{PASSWORD}/{PASSWORD}",
                f"{PASSWORD}@x",
            )
        ),
        ([], {"DATABASE_URL": f"postgresql://{USER}:{PASSWORD}/tasks"}, "", 2),
        ([], {"DATABASE_URL": f"postgresql://127.0.0.1:1/tasks?user={USER}&password={PASSWORD}@{PASSWORD}"}, "", 1),
        (["db", "migrate"], {}, f"database_url = 'postgres://127.0.0.1:1/tasks?user={USER}&password={PASSWORD}'", 1),
        ([], {"DATABASE_URL": f"{USER}:{PASSWORD}@localhost?q={QUERY}"}, "", 2),
        ([], {}, f"database_url = 'mysql://{USER}:{PASSWORD}@localhost/?q={QUERY}'", 2),
        (["--egress-proxy", f"https://{USER}:{PASSWORD}@localhost:1"], {}, "", 2),
        ([], {"TASKER_EGRESS_PROXY": f"http://{USER}:{PASSWORD}@{PASSWORD}@localhost:1"}, "", 2),
        ([], {}, f"egress_proxy = '{USER}:{PASSWORD}@localhost:1'", 2),
        (["--alert-url", f"{USER}:{PASSWORD}@localhost/{ALERT_PATH}"], {}, "", 2),
        ([], {"TASKER_ALERT_URL": f"https://{USER}:{PASSWORD}@local host/{ALERT_PATH}"}, "", 2),
        ([], {}, f"alert_url = 'ftp://localhost/{ALERT_PATH}'", 2),
        (["alert", "test"], {"TASKER_ALERT_URL": f"http://{USER}:{PASSWORD}@127.0.0.1:1/{ALERT_PATH}?{QUERY}"}, "", 6),
        ([], {"TASKER_API_KEYS": f"{API_KEY},two words {WRONG_KEY}"}, "", 2),
        ([], {"TASKER_API_KEYS": API_KEY, "TASKER_NO_AUTH": "yes"}, "", 2),
        (["--api-keys-file", "keys"], {}, "", 2),
        ([], {}, f"api_keys = ['{API_KEY}']", 2),
        (["--webhook-secret", f"{SIGNING_SECRET}x"], {}, "", 2),
        (["--webhook-secrets-file", "signing"], {}, "", 2),
        ([], {"TASKER_WEBHOOK_SECRET": f"{SIGNING_SECRET}, {SIGNING_SECRET[6:]}"}, "", 2),
        ([], {}, f"webhook_secrets = ['{SIGNING_SECRET[6:]}']", 2),
        ([], {}, f"webhook_secrets = '{SIGNING_SECRET}'", 2),
        ([], {}, f"webhook_secret = ['{SIGNING_SECRET}']", 2),
        ([], {}, f"api_keys_file = ['{API_KEY}']", 2),
        ([], {}, f"api_keys_file = '{API_KEY}", 2),
        (["--listen-ip", "192.0.2.1", "--listen-port", "0"], {"TASKER_API_KEYS": API_KEY}, "", 1),
    ],
)
def test_a_refusal_to_start_shows_no_secret(tmp_path, arguments, variables, toml, status):
    (tmp_path / "keys").write_text(f"{FILE_KEY} is my key\n")
    (tmp_path / "signing").write_text(f"{SIGNING_SECRET}\n{SIGNING_SECRET[6:]}\n")
    done = run(tmp_path, *arguments, variables=variables, toml=toml)
    assert done.returncode == status
    assert leaked(one_line_of(done.stdout, done.stderr)) == []


def test_a_server_on_postgresql_and_its_answers_do_not_show_the_password(tmp_path):
    before, _, place = new_database().rpartition("@")
    url = f"{before}:{PASSWORD}@{place}?application_name={QUERY}"
    with serving(tmp_path, "--listen-port", "0", "--database-url", url, variables={"LOG_LEVEL": "TRACE"}) as server:
        answers = [server.call("GET", path)[1].decode() for path in ("/nodes", "/stats", "/readyz")]
        status, printed = server.stop()
    printed += server.stderr.read_text()
    assert status == 0
    assert f"postgresql://{place}" in printed
    assert leaked(printed + "".join(answers)) == []


@pytest.mark.parametrize(
    "url",
    [
        f"https://{USER}:{PASSWORD}@example.org/x?q={QUERY}#{FRAGMENT}",
        f"https://{USER}:{PASSWORD}@example.org?{QUERY}",
        f"https://{PASSWORD}@example.org/x#{FRAGMENT}",
        f"https://{USER}:{PASSWORD}@{USER}@example.org/",
        f"postgresql://{USER}:{PASSWORD}@example.org,example.com/db?password={PASSWORD}",
        f"/x/y?q={QUERY}",
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url):
    for text in (url, f"'{url}'", f"calling {url} failed: {url}", f"[{url}]", f"<{url}>"):
        assert leaked(redact(text)) == []
    assert ("example.org" in redact(url)) == ("example.org" in url), "the rest stays"
    shown = without_secrets(
        None, "info", {"event": url, "parts": [url, {"key": (url, 1)}], "url": SomethingWith(url), "n": 1}
    )
    assert leaked(json.dumps(shown)) == []
    assert shown["n"] == 1


class SomethingWith:
    def __init__(self, text):
        self._text = text

    def __str__(self):
        return self._text


def test_an_exception_is_shown_with_its_place_and_type_but_with_our_own_messages_alone():
    def fail(number):
        try:
            int(number)
        except ValueError as error:
            raise StartError(f"cannot call https://{USER}@localhost") from error

    with pytest.raises(StartError) as failed:
        fail(SECRET)
    shown = without_secrets(None, "error", describe_exception(None, "error", {"event": "x", "exc_info": failed.value}))
    assert leaked(shown["exception"]) == []
    for part in (
        "in fail",
        "tasker.errors.StartError: cannot call https://***@localhost",
        "caused by:",
        "builtins.ValueError",
    ):
        assert part in shown["exception"]
