"""tasker alert test: it sends one alert, and says what became of it, without a server and a database."""

import json

import pytest
from command import refusal, run
from standardwebhooks import Webhook

from tasker.testing.webhook_receiver import WebhookReceiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATH = "/services/canary-path?canary-query"


@pytest.fixture
def receiver():
    with WebhookReceiver() as receiver:
        yield receiver


def alert_test(folder, *options, **how):
    done = run(folder, "alert", "test", *options, **how)
    assert "canary" not in done.stdout + done.stderr
    assert not (folder / "tasks.db").exists()
    return done


def test_what_is_received_is_told_in_a_line(tmp_path, receiver):
    done = alert_test(tmp_path, "--alert-url", receiver.url(PATH))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("received: status 200 after 0.")
    assert done.stdout.endswith(" s, not signed\n")
    (delivery,) = receiver.deliveries()
    assert delivery.path == PATH
    body = json.loads(delivery.body)
    assert body["text"] == "tasker: this is a test. Alerts arrive here."
    assert body["alert"]["cause"] == "test"


@pytest.mark.parametrize(
    "given",
    [
        lambda url: {"variables": {"TASKER_ALERT_URL": url, "TASKER_WEBHOOK_SECRET": SECRET}},
        lambda url: {"toml": f'alert_url = "{url}"\nwebhook_secrets = ["{SECRET}"]\nlisten_port = 80\n'},
    ],
    ids=["variables", "file"],
)
def test_programs_get_json_and_receivers_a_signature(tmp_path, receiver, given):
    done = alert_test(tmp_path, "--output", "json", **given(receiver.url(PATH)))
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    (delivery,) = receiver.deliveries()
    assert told == {
        "id": delivery.headers["webhook-id"],
        "status": 200,
        "seconds": told["seconds"],
        "signed": True,
    }
    Webhook(SECRET).verify(delivery.body, delivery.headers)


def test_the_file_of_secrets_signs_too(tmp_path, receiver):
    (tmp_path / "secrets").write_text(f"{SECRET}\n")
    (tmp_path / "secrets").chmod(0o600)
    alert_test(tmp_path, "--alert-url", receiver.url(PATH), "--webhook-secrets-file", "secrets")
    (delivery,) = receiver.deliveries()
    Webhook(SECRET).verify(delivery.body, delivery.headers)


def problem(done, exit_code):
    assert (done.returncode, done.stdout) == (exit_code, "")
    told = json.loads(done.stderr)
    assert told["exit_code"] == exit_code
    assert told["msg"] == told["detail"]
    return told


def test_an_answer_other_than_2xx_is_exit_1(tmp_path, receiver):
    url = receiver.url("/status/404/canary-path")
    line = refusal(alert_test(tmp_path, "--alert-url", url), 1)
    assert line == "tasker: not received: the receiver answered 404 Not Found"
    told = problem(alert_test(tmp_path, "--alert-url", url, "--output", "json"), 1)
    assert (told["code"], told["type"]) == ("alert_refused", "about:blank")


@pytest.mark.parametrize(
    ("url", "problem_of_it"),
    [
        ("http://127.0.0.1:9/canary-path", "the receiver refuses connections"),
        ("http://canary-host.invalid/", "the receiver's host name cannot be resolved"),
        ("http://169.254.169.254/canary-path", "the receiver is a metadata address of a cloud"),
    ],
)
def test_no_answer_is_exit_6(tmp_path, url, problem_of_it):
    assert f"tasker: no answer: {problem_of_it}" in refusal(alert_test(tmp_path, "--alert-url", url), 6)
    told = problem(alert_test(tmp_path, "--alert-url", url, "--output=json"), 6)
    assert told["code"] == "receiver_unreachable"


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ((), "--alert-url: expected an http:// or https:// URL, got none"),
        (("--alert-url", "hooks.canary-host.com/x"), "--alert-url: expected an http:// or https:// URL with a host"),
        (("--alert-url", "ftp://canary-host/x"), "got: a ftp: URL that is none of these"),
        (("--alert-url", "https://canary host/x"), "got: a https: URL that is none of these"),
        (("--alert-url", "https:///canary-path"), "got: a https: URL that is none of these"),
        (("--output", "xml"), "'xml' is not one of 'table', 'json'"),
        (("--port", "1"), "No such option"),
    ],
)
def test_what_cannot_be_used_is_exit_2_and_not_shown(tmp_path, options, what):
    assert what in refusal(alert_test(tmp_path, *options), 2)


def test_what_cannot_be_used_is_json_for_programs_wherever_the_option_stands(tmp_path):
    told = problem(alert_test(tmp_path, "--alert-url", "canary", "--output", "json"), 2)
    assert told["code"] == "setting"
    assert problem(alert_test(tmp_path, "--output", "json", "--port", "1"), 2)["code"] == "usage"


def test_the_group_says_what_it_has(tmp_path):
    done = run(tmp_path, "alert")
    assert done.returncode == 0
    assert "test" in done.stdout


@pytest.mark.parametrize("age", ["0s", "2d", "60", "forever"])
def test_how_long_something_has_to_be_overdue_has_bounds(tmp_path, age):
    line = refusal(run(tmp_path, "--alert-after", age), 2)
    assert "expected a whole number with a unit, such as 90s, 30m or 12h, from 1s to 1d" in line
