"""``tasker serve --dev-clock``: a real server whose clock a test moves, over HTTP."""

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from command import run

from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver, answer

NOON = "2027-03-27T12:00:00Z"


@pytest.fixture
def receiver():
    with WebhookReceiver() as started:
        yield started


@pytest.fixture
def server(tmp_path):
    """Its clock stands at ``NOON``."""
    with TaskerServer(tmp_path, "--dev-clock", "--public-url", "http://localhost:9") as started:
        move(started, set=NOON)
        yield started


def move(server, **asked):
    return server.call("POST", "/dev/clock", asked)


def now(server):
    return moment(server.call("GET", "/dev/clock")["now"])


def moment(text):
    return datetime.fromisoformat(text)


def webhook(server, url, *, delay, **fields):
    return server.call("POST", "/tasks/new", {"webhook": {"url": url, "delay": delay, **fields}})["id"]


def task(server, task_id):
    return server.call("GET", f"/tasks/{task_id}")["webhook"]


@contextmanager
def refused(status, code, **members):
    with pytest.raises(HTTPError) as caught:
        yield
    problem = json.load(caught.value)
    assert (problem["status"], problem["code"]) == (status, code), problem
    assert {name: problem.get(name) for name in members} == members, problem


def test_it_starts_frozen_at_the_present(tmp_path):
    before = time.time()
    with TaskerServer(tmp_path, "--dev-clock") as server:
        first = server.call("GET", "/dev/clock")
        assert first["frozen"] is True
        assert before - 1 <= moment(first["now"]).timestamp() <= time.time()
        time.sleep(0.01)
        assert server.call("GET", "/dev/clock") == first


def test_a_retry_policy_of_three_days_is_walked_in_one_call(server, receiver):
    retry = {"max_attempts": 7, "initial_delay": 600, "factor": 4, "max_delay": 86_400, "jitter": 0}
    id_ = webhook(server, receiver.url("/status/503"), delay="1h", retry=retry)
    assert receiver.deliveries() == []
    assert move(server, advance="3d") == {"now": "2027-03-30T12:00:00.000000Z", "frozen": True}
    attempts = server.call("GET", f"/tasks/{id_}/attempts")
    waits = [600, 2_400, 9_600, 38_400, 86_400, 86_400]
    expected = [moment("2027-03-27T13:00:00Z") + timedelta(seconds=sum(waits[:place])) for place in range(7)]
    assert [moment(each["started_at"]) for each in attempts] == expected
    assert {each["lateness_seconds"] for each in attempts} == {0}
    assert task(server, id_)["state"] == "failed"
    assert len(receiver.deliveries()) == 7


def test_a_task_runs_at_its_moment_and_not_a_microsecond_before(server, receiver):
    webhook(server, receiver.url(), delay="1h")
    move(server, advance=3599.999999)
    assert receiver.deliveries() == []
    move(server, advance=0.000001)
    assert len(receiver.deliveries()) == 1


def test_a_schedule_keeps_the_time_of_the_wall_over_a_change_of_the_clocks(server, receiver):
    task_ = {"webhook": {"url": receiver.url("/daily")}}
    server.call("PUT", "/schedules/daily", {"cron": "0 9 * * *", "time_zone": "Europe/Berlin", "task": task_})
    move(server, advance="2d")
    runs = server.call("GET", "/tasks?schedule=daily&state=done")["tasks"]
    found = sorted(moment(run["webhook"]["started_at"]) for run in runs)
    # On the 28th, the clocks there go from +01:00 to +02:00.
    assert found == [moment("2027-03-28T07:00:00Z"), moment("2027-03-29T07:00:00Z")]


def test_an_advance_ends_only_after_slow_receivers_have_answered(server, tmp_path):
    may_answer = threading.Event()

    async def respond(delivery):
        await asyncio.to_thread(may_answer.wait)
        return answer(200)

    with WebhookReceiver(respond) as slow:
        id_ = webhook(server, slow.url(), delay="1m", timeout=30)
        ended = []
        advancing = threading.Thread(target=lambda: ended.append(move(server, advance="1d")))
        advancing.start()
        slow.wait_for(1)
        assert server.call("GET", "/dev/clock") == {"now": "2027-03-27T12:01:00.000000Z", "frozen": True}
        assert task(server, id_)["state"] == "in_progress"
        assert ended == []
        may_answer.set()
        advancing.join(30)
        assert task(server, id_)["state"] == "done"
        assert ended == [{"now": "2027-03-28T12:00:00.000000Z", "frozen": True}]


def test_what_an_end_brings_about_runs_within_the_same_advance(server, receiver):
    told = {"on_success": {"url": receiver.url("/told")}}
    webhook(server, receiver.url("/first"), delay="1m", **told)
    move(server, advance="1m")
    assert [each.path for each in receiver.deliveries()] == ["/first", "/told"]


def test_of_two_concurrent_advances_the_second_begins_where_the_first_ends(server, receiver):
    for minutes in range(1, 11):
        webhook(server, receiver.url(f"/slow/0.01?{minutes}"), delay=f"{minutes}m")
    ends = []
    advances = [threading.Thread(target=lambda: ends.append(move(server, advance="5m")["now"])) for _ in range(2)]
    for each in advances:
        each.start()
    for each in advances:
        each.join(60)
    assert sorted(ends) == ["2027-03-27T12:05:00.000000Z", "2027-03-27T12:10:00.000000Z"]
    assert [each.path.partition("?")[2] for each in receiver.deliveries()] == [str(each) for each in range(1, 11)]


def test_a_caller_who_hangs_up_is_worked_for_no_longer(server):
    begun, may_answer = threading.Event(), threading.Event()

    async def respond(delivery):
        begun.set()
        await asyncio.to_thread(may_answer.wait)
        return answer(200)

    with WebhookReceiver(respond) as slow:
        webhook(server, slow.url(), delay="1m", timeout=30)
        later = webhook(server, slow.url(), delay="2m", timeout=30)
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as caller:
            body = b'{"advance": "1d"}'
            caller.sendall(
                b"POST /dev/clock HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
            )
            assert begun.wait(30)
        time.sleep(0.1)  # the server hears of it
        may_answer.set()
        move(server, advance=0)  # waits for its turn
        assert server.call("GET", "/dev/clock")["now"] == "2027-03-27T12:01:00.000000Z"
        assert task(server, later)["state"] == "todo"


def test_set_jumps_so_that_what_was_due_in_between_is_late(server, receiver):
    id_ = webhook(server, receiver.url(), delay="1h")
    move(server, set="2027-03-27T15:00:00Z")
    assert task(server, id_)["started_at"] == "2027-03-27T15:00:00.000000Z"
    assert task(server, id_)["lateness_seconds"] == 7_200


def test_set_goes_back_and_undoes_nothing(server, receiver):
    done = webhook(server, receiver.url(), delay="1h")
    move(server, advance="2h")
    assert move(server, set=NOON)["now"] == "2027-03-27T12:00:00.000000Z"
    assert task(server, done)["state"] == "done"
    again = webhook(server, receiver.url(), delay="1h")
    move(server, advance="1h")
    assert task(server, again)["state"] == "done"


def test_a_clock_that_is_let_run_runs_and_is_stopped_again(server, receiver):
    assert move(server, freeze=False)["frozen"] is False
    webhook(server, receiver.url(), delay=0.05)
    receiver.wait_for(1)
    assert move(server, freeze=True)["frozen"] is True
    stands = now(server)
    assert moment(NOON) < stands
    time.sleep(0.01)
    assert now(server) == stands


def test_a_running_clock_is_advanced_and_runs_on(server, receiver):
    move(server, freeze=False)
    id_ = webhook(server, receiver.url(), delay="1h")
    answered = move(server, advance="2h")
    assert answered["frozen"] is False
    assert moment(answered["now"]) >= moment("2027-03-27T14:00:00Z")
    assert task(server, id_)["lateness_seconds"] < 1


def test_deadlines_leases_expiry_and_pruning_follow_the_clock(server, receiver):
    accepted = webhook(
        server, receiver.url("/status/202"), delay=0, completion={"deadline": "2h"}, retry={"max_attempts": 1}
    )
    job = {"queue": "others", "delay": 0, "expires_at": "2027-03-27T13:00:00Z"}
    expiring = server.call("POST", "/tasks/new", {"job": job})["id"]
    pulled = server.call("POST", "/tasks/new", {"job": {"queue": "reports", "delay": 0}})["id"]
    move(server, advance=0)
    assert len(server.call("POST", "/queues/reports/claim", {"lease": "10m"})["jobs"]) == 1
    kept = webhook(server, receiver.url(), delay=0)
    move(server, advance="9m")
    assert server.call("GET", f"/tasks/{pulled}")["job"]["state"] == "in_progress"
    move(server, advance="1m")
    assert server.call("GET", f"/tasks/{pulled}")["job"]["state"] == "todo", "its lease has ended"
    move(server, advance="50m")
    assert server.call("GET", f"/tasks/{expiring}")["job"]["last_error"]["code"] == "expired"
    assert task(server, accepted)["state"] == "in_progress"
    move(server, advance="1h")
    assert task(server, accepted)["last_error"]["code"] == "completion_timeout"
    move(server, advance="8d")
    with refused(404, "task_not_found"):
        task(server, kept)


def test_what_alerts_are_about_is_looked_for_before_a_move_ends(tmp_path, receiver):
    options = ("--dev-clock", "--alert-url", receiver.url("/alert"))
    with TaskerServer(tmp_path, *options) as server:
        webhook(server, receiver.url("/status/503"), delay="1h", retry={"max_attempts": 20})
        move(server, advance="59m")
        assert receiver.deliveries("/alert") == []
        move(server, advance="1m")
        move(server, advance="1d")  # ten failures in a row open the circuit
        assert [json.loads(each.body)["alert"]["cause"] for each in receiver.deliveries("/alert")] == ["circuit_open"]


def test_a_key_ends_by_the_clock(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("0123456789abcdef0123 admin root\n")
    admin = {"authorization": "Bearer 0123456789abcdef0123"}
    with TaskerServer(tmp_path, "--dev-clock", "--api-keys-file", str(keys)) as server:
        stands = moment(server.call("GET", "/dev/clock", headers=admin)["now"])
        ends = (stands + timedelta(days=1)).isoformat()
        asked = {"name": "guest", "role": "admin", "expires_at": ends}
        guest = {"authorization": "Bearer " + server.call("POST", "/keys", asked, headers=admin)["key"]}
        server.call("POST", "/dev/clock", {"advance": 86_399.999}, headers=admin)
        server.call("GET", "/dev/clock", headers=guest)
        server.call("POST", "/dev/clock", {"advance": 0.001}, headers=admin)
        with refused(401, "unauthorized"):
            server.call("GET", "/dev/clock", headers=guest)


def test_a_restart_begins_at_the_present_and_runs_nothing_twice(tmp_path, receiver):
    with TaskerServer(tmp_path, "--dev-clock") as server:
        done = webhook(server, receiver.url(), delay="1h")
        move(server, advance="2h")
        later = webhook(server, receiver.url(), delay="1h")
        server.stop()
        server.start()
        assert abs(now(server).timestamp() - time.time()) < 60
        assert task(server, done)["state"] == "done"
        move(server, advance="2h")
        assert task(server, later)["state"] == "todo"
        move(server, advance="1h")
        assert task(server, later)["state"] == "done"
        assert len(receiver.deliveries()) == 2


def test_it_says_loudly_what_it_is(server):
    assert "for tests" in server.log.read_text()
    assert "for tests" in server.call("GET", "/")["note"]
    with urlopen(server.url + "/ui/", timeout=10) as page:
        text = page.read().decode()
    assert "This server is for tests" in text
    assert "It stands at" in text


def test_a_move_is_in_the_audit_log(server):
    move(server, advance="1h")
    latest = server.call("GET", "/audit?action=set_clock")["audit"][0]
    assert (latest["kind"], latest["changes"]) == ("server", {"advance": {"after": "1h"}})
    assert latest["at"] == "2027-03-27T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({}, None, "one of freeze, set and advance, got: none"),
        ({"advance": "1h", "set": NOON}, "advance", "one of freeze, set and advance, got: set, advance"),
        ({"advance": "3 days"}, "advance", "expected seconds as a number"),
        ({"advance": -1}, "advance", "expected 0 to"),
        ({"advance": "36500d", "freeze": True}, "advance", "got: freeze, advance"),
        ({"set": "tomorrow"}, "set", "RFC 3339"),
        ({"set": "2027-03-27T12:00:00"}, "set", "an offset at the end"),
        ({"set": "1969-12-31T23:59:59Z"}, "set", "1970 or later"),
        ({"set": 5}, "set", "expected"),
        ({"freeze": "yes"}, "freeze", "expected"),
        ({"go": 1}, "go", "go"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_and_its_field_named(server, body, field, says):
    with pytest.raises(HTTPError) as caught:
        server.call("POST", "/dev/clock", body)
    problem = json.load(caught.value)
    assert (problem["status"], problem["code"], problem.get("field")) == (400, "invalid_request", field)
    assert says in problem["msg"]
    assert now(server) == moment(NOON)


def test_the_clock_does_not_go_beyond_the_year_9999(server):
    move(server, set="9999-12-31T00:00:00Z")
    with refused(400, "invalid_request", field="advance"):
        move(server, advance="1d")
    assert move(server, advance="23h")["now"] == "9999-12-31T23:00:00.000000Z"


def test_without_the_flag_the_calls_name_it(tmp_path):
    with TaskerServer(tmp_path) as server:
        for method, body in (("GET", None), ("POST", {"advance": "1h"})):
            with pytest.raises(HTTPError) as caught:
                server.call(method, "/dev/clock", body)
            problem = json.load(caught.value)
            assert (problem["status"], problem["code"]) == (404, "no_dev_clock")
            assert "--dev-clock" in problem["msg"]
        assert "note" not in server.call("GET", "/")


def test_only_an_admin_may_move_it(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("0123456789abcdef0123 write app\n")
    with TaskerServer(tmp_path, "--dev-clock", "--api-keys-file", str(keys)) as server, refused(403, "scope_missing"):
        writer = {"authorization": "Bearer 0123456789abcdef0123"}
        server.call("POST", "/dev/clock", {"advance": 1}, headers=writer)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--database-url", "postgresql://localhost/x"], "a database whose clock is this server's"),
        (["--listen-ip", "0.0.0.0", "--no-auth"], "expected --listen-ip 127.0.0.1"),
    ],
)
def test_it_refuses_to_play_with_the_time_of_others(options, says, tmp_path):
    ended = run(tmp_path, "serve", "--dev-clock", *options)
    assert ended.returncode == 2
    assert "--dev-clock" in ended.stderr
    assert says in ended.stderr


def test_an_id_of_ones_own_may_be_of_any_moment(server, receiver):
    """Clients make ids by the time of day, wherever the clock of the server stands."""
    id_ = "0190163d-8694-739b-aea5-966c26f8ad91"  # of 2024
    assert webhook(server, receiver.url(), delay=0, id=id_) == id_


def test_functions_of_an_app_run_each_at_its_time(tmp_path):
    """By a worker that the server starts itself: the first move waits until it is there."""
    (tmp_path / "reports.py").write_text(
        "import tasker\n\napp = tasker.App()\n\n\n"
        "@app.task('report.build', retry={'max_attempts': 2, 'initial_delay': 3600, 'jitter': 0})\n"
        "def build(customer: int) -> int:\n"
        "    if customer == 13 and tasker.context().attempt == 1:\n"
        "        raise LookupError\n"
        "    return customer\n"
    )
    with TaskerServer(tmp_path, "--dev-clock", "--app", "reports:app") as server:
        move(server, set=NOON)
        ids = [
            server.call(
                "POST", "/tasks/new", {"report.build": {"delay": f"{hours}h", "args": {"customer": 12 + hours}}}
            )
            for hours in (1, 2, 3)
        ]
        move(server, advance="1d")
        tasks = [server.call("GET", f"/tasks/{each['id']}")["report.build"] for each in ids]
        assert [(each["state"], each["result"], each["ended_at"]) for each in tasks] == [
            ("done", 13, "2027-03-27T14:00:00.000000Z"),
            ("done", 14, "2027-03-27T14:00:00.000000Z"),
            ("done", 15, "2027-03-27T15:00:00.000000Z"),
        ]
        server.stop()
