"""What the log says at the start of whom webhooks may call."""

import json

import pytest
from command import serving


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
