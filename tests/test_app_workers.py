"""What the workers of a server are handed, and where they call."""

import pytest

from tasker.app_workers import _reachable, environment


def test_a_worker_gets_its_key_and_none_of_the_servers_secrets():
    own = {
        "PATH": "/bin",
        "DATABASE_URL": "postgres://shop",
        "TASKER_API_KEYS": "secret",
        "TASKER_WEBHOOK_SECRETS": "secret",
        "TASKER_ALERT_URL": "secret",
        "TASKER_WORKER_KEY": "of another",
        "TASKER_KEY": "of the functions",
    }
    assert environment(own, url="http://127.0.0.1:1", key="k") == {
        "PATH": "/bin",
        "DATABASE_URL": "postgres://shop",
        "TASKER_URL": "http://127.0.0.1:1",
        "TASKER_KEY": "of the functions",
        "TASKER_WORKER_KEY": "k",
    }


def test_functions_may_call_another_server_than_their_worker():
    assert (
        environment({"TASKER_URL": "http://other"}, url="http://127.0.0.1:1", key="k")["TASKER_URL"] == "http://other"
    )


@pytest.mark.parametrize(
    ("listens", "reached"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://[::]:8080", "http://[::1]:8080"),
        ("http://10.1.2.3:8080", "http://10.1.2.3:8080"),
        ("http://[fd12::1]:8080", "http://[fd12::1]:8080"),
    ],
)
def test_a_worker_calls_this_machine_whatever_the_server_listens_on(listens, reached):
    assert _reachable(listens) == reached
