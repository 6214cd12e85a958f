"""Whom a server lets webhooks call, and what its log says about that at the start."""

import json

import pytest
from command import serving, soon

from polling import until
from tasker.testing.webhook_receiver import WebhookReceiver, answer


def log_of(folder, *options, variables=None):
    """Start a server and stop it; the lines of its log, by event."""
    with serving(folder, "--listen-port", "0", *options, variables=variables) as server:
        assert server.stop()[0] == 0
    return {record["event"]: record for record in map(json.loads, server.stderr.read_text().splitlines())}


@pytest.mark.parametrize(
    ("options", "level"),
    [
        ([], "lan"),
        (["--egress", "public"], "public"),
        (["--listen-ip", "0.0.0.0", "--no-auth"], "public"),
        (["--listen-ip", "0.0.0.0", "--no-auth", "--egress", "lan"], "lan"),
    ],
)
def test_the_start_line_says_which_level_is_in_force(tmp_path, options, level):
    log = log_of(tmp_path, *options)
    assert log["serving"]["egress"] == level
    assert "egress_proxy" not in log["serving"]
    assert {record["level"] for record in log.values()} == {"info"}


def test_a_server_that_may_call_almost_anything_warns_at_its_start(tmp_path):
    log = log_of(tmp_path, "--egress", "any")
    assert log["serving"]["egress"] == "any"
    [warning] = [record["event"] for record in log.values() if record["level"] == "warning"]
    assert "almost any address" in warning
    assert "--egress" in warning


def test_the_start_line_names_the_proxy_without_its_password_and_says_who_checks_names(tmp_path):
    log = log_of(tmp_path, variables={"TASKER_EGRESS_PROXY": "http://us3r:p4ss@proxy.internal:4750"})
    assert log["serving"]["egress_proxy"] == "proxy.internal:4750"
    assert log["serving"]["host_names"] == "checked by the proxy"
    assert "us3r" not in json.dumps(log)
    assert "p4ss" not in json.dumps(log)


def call(folder, url, *options, variables=None):
    """Have a server with *options* call *url* once; return the state of the task and its ``last_error``."""
    with serving(folder, "--listen-port", "0", *options, variables=variables) as server:
        task = {"execution_time": soon(), "url": url, "body": "x", "retry": {"max_attempts": 1}}
        task_id = json.loads(server.call("POST", "/tasks/new", {"webhook": task})[1])["id"]

        def view():
            return json.loads(server.call("GET", f"/tasks/{task_id}")[1])["webhook"]

        until(lambda: view()["state"] in ("done", "failed"), "the task has ended")
        return view()["state"], view()["last_error"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], None),
        (["--egress", "public"], "egress_denied"),
        (["--listen-ip", "0.0.0.0", "--no-auth"], "egress_denied"),
        (["--egress", "public", "--allow-target", "127.0.0.1"], None),
        (["--egress", "public", "--allow-target", "127.0.0.2"], "egress_denied"),
        (["--deny-target", "127.0.0.0/8"], "egress_denied"),
    ],
)
def test_a_server_calls_whom_its_settings_let_it_call(tmp_path, options, code):
    with WebhookReceiver() as receiver:
        state, error = call(tmp_path, receiver.url(), *options)

    assert (state, error and error["code"]) == ("done" if code is None else "failed", code)
    assert len(receiver.deliveries()) == (code is None)


def test_a_redirect_to_where_nobody_may_call_is_a_failed_attempt(tmp_path):
    with WebhookReceiver() as inner:
        location = f"location: {inner.url()}\r\n"
        with WebhookReceiver(lambda _: answer(302, headers=location)) as receiver:
            _, error = call(
                tmp_path, receiver.url(), "--egress", "public", "--allow-target", f"127.0.0.1:{receiver.port}"
            )

    assert error["code"] == "status_302"
    assert len(receiver.deliveries()) == 1
    assert inner.deliveries() == []


def test_a_proxy_that_is_named_is_what_is_called(tmp_path):
    refusal = b"HTTP/1.1 407 Request rejected by proxy\r\ncontent-length: 0\r\n\r\n"
    with WebhookReceiver(lambda _: refusal) as proxy, WebhookReceiver() as receiver:
        variables = {"TASKER_EGRESS_PROXY": f"http://us3r:p4ss@127.0.0.1:{proxy.port}"}
        _, error = call(tmp_path, f"http://localhost:{receiver.port}/", variables=variables)

    assert error["code"] == "proxy_refused"
    assert [(asked.method, asked.path) for asked in proxy.deliveries()] == [("CONNECT", f"localhost:{receiver.port}")]
    assert receiver.deliveries() == []
    assert "p4ss" not in json.dumps(error)
