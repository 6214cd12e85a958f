"""nginx and Caddy in front of tasker, with the files of ``deploy/``: every kind of call comes through whole."""

import json
import re
import threading
import time
import uuid
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

import tasker
from front_proxies import DEPLOY, PROXIES, Nginx
from polling import until
from tasker.api.routes.tasks import _LONGEST_WAIT
from tasker.config import Settings
from tasker.engine.event_reader import KEEP_ALIVE
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver, answer

KEY = "owner-key-0123456789"
BEARER = {"authorization": f"Bearer {KEY}"}
JSON = {**BEARER, "content-type": "application/json"}
LATER = "2126-02-10T16:30:00Z"
LARGEST = Settings().max_body_bytes


class Site:
    """A proxy, the server behind it, and a receiver."""

    def __init__(self, proxy, server, receiver):
        self.proxy, self.server, self.receiver = proxy, server, receiver

    def create(self, task, **options):
        status, _, body = self.proxy.ask("POST", "/tasks/new", json.dumps({"webhook": task}).encode(), JSON, **options)
        assert status == 201, body
        return json.loads(body)["id"]

    def page(self, path, form=None, cookie=None):
        """Ask as a browser does that says no more than the origin of a form, without following anywhere."""
        headers = {"accept": "text/html", **({} if cookie is None else {"cookie": cookie})}
        body = None if form is None else urlencode(form).encode()
        if form is not None:
            headers |= {"content-type": "application/x-www-form-urlencoded", "origin": self.proxy.url}
        status, sent, text = self.proxy.ask("GET" if form is None else "POST", path, body, headers)
        return status, sent, text.decode()


def state(body):
    """The state of the task in an answer."""
    ((_, fields),) = json.loads(body).items()
    return fields["state"]


def accepted(delivery):
    return answer(202) if delivery.path == "/accepts" else answer(200)


@pytest.fixture(scope="module", params=PROXIES, ids=lambda each: each.binary)
def site(request, tmp_path_factory):
    if not request.param.is_here():
        pytest.skip(f"{request.param.binary} is not here; .ci/run installs it")
    folder = tmp_path_factory.mktemp(request.param.binary)
    proxy = request.param(folder)
    keys = folder / "api-keys"
    keys.write_text(f"{KEY} admin owner\n")
    keys.chmod(0o600)
    options = ["--api-keys-file", str(keys), "--trusted-proxy", "127.0.0.1", "--egress", "lan"]
    options += ["--root-path", "/tasker", "--public-url", proxy.url]
    with WebhookReceiver(accepted) as receiver, TaskerServer(folder, *options, key=KEY) as server:
        try:
            proxy.start(urlsplit(server.url).netloc)
            yield Site(proxy, server, receiver)
        finally:
            if proxy.process is not None:
                proxy.stop()


def test_a_task_is_created_runs_and_a_caller_who_waits_hears_its_end(site):
    began = time.monotonic()
    task = site.create({"delay": 0.3, "url": site.receiver.url("/hook")})
    status, _, body = site.proxy.ask("GET", f"/tasks/{task}?wait=30", headers=BEARER)
    assert (status, state(body)) == (200, "done")
    assert time.monotonic() - began < 25, "it came with the end, not when the time was over"
    assert site.receiver.deliveries("/hook")


def test_events_come_as_they_happen_and_a_reader_who_leaves_is_gone(site):
    connection = site.proxy.connection()
    connection.request("GET", "/events?type=webhook", headers={**BEARER, "accept": "text/event-stream"})
    stream = connection.getresponse()
    assert (stream.status, stream.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    task = site.create({"execution_time": LATER, "url": site.receiver.url("/hook")})
    line = next(line for line in stream if task.encode() in line)
    assert line.startswith(b"data:")
    meanwhile = connections(site)
    stream.close()
    connection.close()
    until(lambda: connections(site) < meanwhile, "the proxy tells that nobody reads any more", seconds=30)


def connections(site):
    """How many connections callers have with the server."""
    metrics = site.proxy.ask("GET", "/metrics", headers=BEARER)[2].decode()
    return float(re.search(r"^tasker_incoming_connections (\S+)$", metrics, re.MULTILINE)[1])


def test_the_end_of_a_long_job_is_reported_through_the_proxy(site):
    task = site.create({"delay": 0, "url": site.receiver.url("/accepts"), "completion": {"deadline": "10m"}})
    until(lambda: site.receiver.deliveries("/accepts"), "the job has begun", seconds=30)
    told = site.receiver.deliveries("/accepts")[-1].headers
    assert told["tasker-completion-url"].startswith(site.proxy.url)
    path = urlsplit(told["tasker-completion-url"]).path
    until(lambda: site.server.client.get(task).state == "in_progress", "it is accepted", seconds=30)
    headers = {"authorization": f"Bearer {told['tasker-completion-token']}", "content-type": "application/json"}
    assert site.proxy.ask("POST", f"{path}/complete", b'{"result": 17}', headers)[0] == 200
    ended = site.server.client.get(task)
    assert (ended.state, ended.result) == ("done", 17)


def test_a_browser_signs_in_by_https_and_all_links_begin_with_the_path(site):
    status, sent, _ = site.page("/tasker/ui/")
    assert (status, sent["location"].partition("?")[0]) == (303, "/tasker/ui/sign-in")
    status, sent, text = site.page("/tasker/ui/sign-in", {"key": KEY})
    assert status == 303, text
    cookie = sent["set-cookie"]
    assert cookie.startswith("__Host-tasker-")
    assert "Secure" in cookie.split("; ")
    status, _, text = site.page("/tasker/ui/tasks", cookie=cookie.partition(";")[0])
    assert status == 200
    links = re.findall(r'(?:href|src|action)="(/[^"]*)"', text)
    assert links
    assert [link for link in links if not link.startswith("/tasker/ui")] == []
    style = next(link for link in links if ".css" in link)
    assert site.proxy.ask("GET", style)[0] == 200


def test_a_wrong_key_is_counted_for_the_address_that_the_proxy_has_seen_whatever_a_browser_claims(site):
    form = urlencode({"key": "not-the-key-0123456789"}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "x-forwarded-for": "203.0.113.7"}
    headers |= {"origin": site.proxy.url, "sec-fetch-site": "same-origin"}
    connection = site.proxy.connection(source="127.0.0.2")
    assert site.proxy.ask("POST", "/ui/sign-in", form, headers, connection=connection)[0] == 401
    connection.close()
    lines = [json.loads(line) for line in site.server.log.read_text().splitlines()]
    (refused,) = (line for line in lines if line["event"] == "a sign-in with a wrong key was refused")
    assert refused["client"] == "127.0.0.2"


def test_an_upload_at_the_limit_comes_through_and_one_beyond_is_refused_by_tasker_itself(site):
    def body(size):
        around = json.dumps({"webhook": {"execution_time": LATER, "url": site.receiver.url("/"), "json": ""}})
        return around.replace('""', '"' + "x" * (size - len(around)) + '"').encode()

    assert len(body(LARGEST)) == LARGEST
    assert site.proxy.ask("POST", "/tasks/new", body(LARGEST), JSON)[0] == 201
    status, _, said = site.proxy.ask("POST", "/tasks/new", body(LARGEST + 1), JSON)
    assert (status, json.loads(said)["code"]) == (413, "body_too_large")


class Load:
    """Callers that create tasks through the proxy, one after the other, from ``with`` to its end."""

    def __init__(self, site):
        self.site = site
        self.created, self.wrong, self.cut_off, self.configs = [], [], [], set()
        self._over = threading.Event()
        callers = [self._on_new_connections, self._on_kept_connections] * 2
        self._threads = [threading.Thread(target=call) for call in callers]

    def _on_new_connections(self):
        """As curl does: it sends a call again that was cut off, under the same name."""
        while not self._over.is_set():
            task = {"webhook": {"execution_time": LATER, "url": self.site.receiver.url("/"), "tags": ["load"]}}
            headers = {**JSON, "idempotency-key": str(uuid.uuid4())}
            for _ in range(5):
                try:
                    status, sent, said = self.site.proxy.ask("POST", "/tasks/new", json.dumps(task).encode(), headers)
                except OSError as error:
                    self.cut_off.append(error)
                    continue
                self.configs.add(sent["x-config"])
                (self.created if status == 201 else self.wrong).append(json.loads(said).get("id"))
                break
            else:
                self.wrong.append("cut off again and again")

    def _on_kept_connections(self):
        """As the Python client does, which sends again by itself."""
        with tasker.Client(self.site.proxy.url, KEY) as client:
            while not self._over.is_set():
                self.created.append(client.schedule(self.site.receiver.url("/"), at=LATER, tags=["load"]).id)

    def wait(self, config, count):
        """Return once a call has gone by these files, and there are so many tasks."""
        until(lambda: config in self.configs and len(self.created) >= count, "calls by the new files", seconds=30)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(40)


def test_no_call_is_lost_while_the_proxy_is_reloaded_under_load(site, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(site.proxy.authority))
    waiting = site.create({"delay": 2, "url": site.receiver.url("/waited")})
    ends = []
    ask = partial(site.proxy.ask, "GET", f"/tasks/{waiting}?wait=30", headers=BEARER)
    long_poll = threading.Thread(target=lambda: ends.append(ask()))
    long_poll.start()
    with Load(site) as load:
        for _ in range(3):
            site.proxy.reload()
            load.wait(str(site.proxy.config), len(load.created) + 50)
    long_poll.join(40)
    assert load.wrong == []
    if isinstance(site.proxy, Nginx):  # Caddy may reset a connection that has only just been opened
        assert load.cut_off == []
    assert len(set(load.created)) == len(load.created) >= 150
    assert site.server.client.count(tag="load") == len(load.created), "each is there once"
    ((status, _, body),) = ends
    assert (status, state(body)) == (200, "done"), "who waited has heard it"


def test_a_browser_that_comes_without_tls_is_sent_to_https(site):
    if site.proxy.plain_port is None:
        return  # Caddy does so by itself
    connection = HTTPConnection("localhost", site.proxy.plain_port, timeout=20)
    connection.request("GET", "/ui/")
    sent = connection.getresponse()
    assert (sent.status, sent.headers["location"]) == (301, "https://localhost/ui/")
    connection.close()


@pytest.mark.parametrize(
    "file", ["nginx/tasker.conf", "nginx/under-a-path.conf", "caddy/Caddyfile", "caddy/under-a-path.Caddyfile"]
)
def test_what_the_files_say_goes_with_the_limits_of_tasker(file):
    text = (DEPLOY / file).read_text()
    (port,) = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", text)}
    assert port == Settings().listen_port
    (most,) = re.findall(r"(?:client_max_body_size|max_size) (\d+)(?:m|MiB)\b", text)
    assert int(most) * 1024**2 > LARGEST
    kept = Settings().keep_alive_timeout.total_seconds()
    for seconds in re.findall(r"^\s+(?:keepalive_timeout|keepalive) (\d+)s", text, re.MULTILINE):
        assert int(seconds) < kept
    if "nginx" in file:
        (read,) = re.findall(r"proxy_read_timeout (\d+)s", text)
        assert int(read) > max(_LONGEST_WAIT.total_seconds(), KEEP_ALIVE.total_seconds())
