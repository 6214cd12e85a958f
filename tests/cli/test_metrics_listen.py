"""The metrics on an address of their own."""

import contextlib
import http.client
import json
import re
import socket

import pytest
from command import refusal, run, serving

from polling import until


def get(url, path, method="GET"):
    host, port = re.fullmatch(r"http://(.+):(\d+)/metrics", url).groups()
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, headers={"host": "monitor.example"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def metrics_url(server):
    """Where the log says that the metrics are served."""
    line = "serving the metrics without a key"
    until(lambda: line in server.stderr.read_text(), line)
    lines = [json.loads(each) for each in server.stderr.read_text().splitlines() if each.startswith("{")]
    (url,) = [each["url"] for each in lines if each["event"] == line]
    return url


def test_they_are_served_there_without_a_key_and_nothing_else_is(tmp_path):
    key = "k" * 20
    options = ["--listen-port", "0", "--metrics-listen", "127.0.0.1:0"]
    with serving(tmp_path, *options, variables={"TASKER_API_KEYS": key}) as server:
        url = metrics_url(server)
        assert server.call("GET", "/metrics")[0] == 401
        status, text = get(url, "/metrics")
        assert status == 200
        assert 'tasker_requests_refused_total{code="unauthorized"} 1.0' in text
        assert re.search(r"^process_open_fds [1-9]", text, re.MULTILINE)
        assert re.search(r"^tasker_sync_seconds_count [1-9]", text, re.MULTILINE)
        assert get(url, "/metrics", "POST")[0] == 405
        for path in ("/tasks", "/healthz", "/stats"):
            assert get(url, path)[0] == 404
        assert server.call("GET", "/metrics", headers={"authorization": f"Bearer {key}"})[0] == 200
        assert server.stop() == (0, "")


def test_what_is_no_http_is_counted_too(tmp_path):
    with serving(tmp_path, "--listen-port", "0") as server:
        with socket.create_connection((server.ip, server.port)) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            while connection.recv(1000):
                pass
        _, text = server.call("GET", "/metrics")
        assert b'tasker_requests_refused_total{code="bad_request"} 1.0' in text


def test_an_address_that_is_taken_is_named_with_its_setting(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        line = refusal(run(tmp_path, "--listen-port", "0", "--metrics-listen", address), 1)
    assert f"cannot listen on {address}" in line
    assert line.endswith("choose another with --metrics-listen")


@pytest.mark.parametrize("text", ["9464", ":9464", "localhost:9464", "127.0.0.1", "127.0.0.1:x", "::1:9464", "[::1]"])
def test_what_is_no_address_with_a_port_is_refused(tmp_path, text):
    line = refusal(run(tmp_path, "--metrics-listen", text), 2)
    assert "--metrics-listen: expected an IP address and a port, such as 127.0.0.1:9464" in line


def test_an_address_is_read_in_its_canonical_spelling(settings_from):
    assert settings_from("--metrics-listen", "[0::1]:9464").metrics_listen == ("::1", 9464)
    assert settings_from(variables={"TASKER_METRICS_LISTEN": "0.0.0.0:0"}).metrics_listen == ("0.0.0.0", 0)
    assert settings_from().metrics_listen is None
