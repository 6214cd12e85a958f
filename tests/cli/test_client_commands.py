"""The commands of the client, against a real server."""

import json
import re
import signal
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from command import COMMAND, environment
from in_process import on_a_terminal

from tasker.testing.server import TaskerServer

FAR = ("--in", "30d")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with TaskerServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def tasker(typist, server):
    return typist(server.url)


@pytest.fixture
def tag():
    """A label that no other test uses."""
    return f"test:{uuid.uuid4()}"


def added(tasker, *arguments):
    return tasker.done("add", *arguments, "--quiet").out.strip()


def a_task(tasker, tag, *more):
    return added(tasker, "http://localhost:9/hook", *FAR, "--tag", tag, *more)


def a_failure(tasker, tag):
    """Add a task that has failed."""
    task = added(tasker, "http://127.0.0.1:1/", "--at", "now", "--max-attempts", "1", "--tag", tag)
    assert tasker("wait", task).code == 1
    return task


# --- exit codes ---------------------------------------------------------------------------------


def test_exit_code_0_it_is_done(tasker, tag):
    task = a_task(tasker, tag)
    assert tasker.done("get", task).json["id"] == task


def test_exit_code_1_what_was_waited_for_has_failed(tasker, tag):
    task = added(tasker, "http://127.0.0.1:1/", "--at", "now", "--max-attempts", "1")
    done = tasker("wait", task, "--timeout", "60s")
    assert done.code == 1
    assert done.json["state"] == "failed"
    assert done.err == f"tasker: the task {task} is failed: the target refuses connections\n"


def test_exit_code_2_an_option_cannot_be_used(tasker):
    assert "--in: expected a length of time" in tasker.refused(2, "add", "http://localhost:9/", "--in", "soon")


def test_exit_code_3_it_is_not_there(tasker):
    assert "there is no task" in tasker.refused(3, "get", str(uuid.uuid4()))


def test_exit_code_4_as_things_are_it_cannot_be_done(tasker, tag):
    assert "is failed" in tasker.refused(4, "cancel", a_failure(tasker, tag))


def test_exit_code_5_the_key_is_missing_or_may_not_do_this(tasker, tmp_path):
    (tmp_path / "keys").write_text("reader-0123456789 read\n")
    with TaskerServer(tmp_path, "--api-keys-file", str(tmp_path / "keys")) as guarded:
        line = tasker.refused(5, "ls", "--url", guarded.url)
        assert "the variable TASKER_KEY takes the key" in line
        assert tasker.done("ls", "--url", guarded.url, TASKER_KEY="reader-0123456789").out == ""
        line = tasker.refused(
            5, "add", "http://localhost:9/", *FAR, "--url", guarded.url, TASKER_KEY="reader-0123456789"
        )
        assert "tasks:write" in line


def test_exit_code_6_the_server_does_not_answer_and_how_to_start_one_is_said(tasker):
    line = tasker.refused(6, "ls", "--url", "http://127.0.0.1:1")
    assert line.count("http://127.0.0.1:1") == 1
    assert "(the URL is from --url); tasker serve starts a server" in line


def test_exit_code_7_the_time_was_over(tasker, tag):
    task = a_task(tasker, tag)
    done = tasker("wait", task, "--timeout", "0s")
    assert (done.code, done.json["state"]) == (7, "todo")
    assert "the time is over" in done.err


def test_exit_code_8_some_are_done_and_some_are_not(tasker, tag):
    waiting, failed = a_task(tasker, tag), a_failure(tasker, tag)
    done = tasker("cancel", "--tag", tag, "--yes")
    assert done.code == 8
    assert (done.json["changed"], done.json["refused"], done.json["reasons"]) == (1, 1, {"task_ended": 1})
    assert "1 of 2 tasks were refused" in done.err
    assert tasker.done("get", waiting).json["state"] == "cancelled"
    assert tasker.done("get", failed).json["state"] == "failed"


def test_exit_code_8_of_ids_too(tasker, tag):
    done = tasker("cancel", a_task(tasker, tag), a_failure(tasker, tag))
    assert done.code == 8
    assert [task["state"] for task in done.lines] == ["cancelled"]


def test_exit_code_130_somebody_has_pressed_ctrl_c(tasker, tag):
    process = subprocess.Popen(
        [*COMMAND, "wait", a_task(tasker, tag), "--timeout", "60s"],
        env=environment({**tasker.variables, "PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = datetime.now(UTC) + timedelta(seconds=60)
    while process.poll() is None and datetime.now(UTC) < deadline:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            continue
    out, err = process.communicate()
    # Before the command runs, the signal ends the process itself.
    assert process.returncode in (130, -signal.SIGINT), err
    assert (out, "Traceback" in err) == ("", False)


def test_whoever_reads_less_than_all_gets_no_complaint(tasker, tag):
    for _ in range(3):
        a_task(tasker, tag)
    shell = f"{' '.join(COMMAND)} ls --tag {tag} | head -n 0; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", shell], env=environment(tasker.variables), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")  # 0: all was written before the reader was gone


# --- add ----------------------------------------------------------------------------------------


def test_add_says_when_it_is_due_in_local_time_and_in_utc_on_standard_error(tasker):
    done = tasker.done("add", "http://localhost:9/hook", "--at", "2127-03-28 09:00")
    assert re.fullmatch(
        r"created [0-9a-f-]{36}: due Fri 2127-03-28 09:00:00 CET \(2127-03-28T08:00:00Z\), in \d+ d( \d+ h)?\n",
        done.err,
    )
    assert done.json["execution_time"] == "2127-03-28T08:00:00.000000Z"
    assert ID.fullmatch(done.json["id"])


def test_a_zone_that_is_named_goes_with_the_task(tasker):
    task = added(tasker, "http://localhost:9/hook", "--at", "2127-06-02 09:00", "--tz", "America/New_York")
    got = tasker.done("get", task).json
    assert (got["local_time"], got["time_zone"]) == ("2127-06-02T09:00:00", "America/New_York")
    assert got["execution_time"] == "2127-06-02T09:00:00-04:00"


def test_a_local_time_that_does_not_exist_is_the_first_moment_after_the_gap_here_as_on_the_server(tasker):
    for more in ((), ("--tz", "Europe/Berlin")):  # the clocks of this machine, and those of the server
        done = tasker.done("add", "http://localhost:9/", "--at", "2127-03-30 02:30", *more)
        assert done.json["execution_time"] == "2127-03-30T01:00:00.000000Z"


def test_every_member_that_has_an_option_arrives(tasker, tmp_path):
    (tmp_path / "body.bin").write_bytes(b"\x00\xff")
    task = added(
        tasker,
        *("https://example.org/hook", "--in", "1h30m", "--method", "put", "--header", "x-customer: 42"),
        *("--data", "@body.bin", "--key", f"k-{uuid.uuid4()}", "--on-conflict", "debounce", "--max-wait", "2h"),
        *("--tag", "a", "--tag", "b", "--group", "g", "--timeout", "90s", "--max-attempts", "3"),
        *("--expires-at", "in 3d", "--keep", "forever", "--on-success", "http://localhost:9/s"),
        *("--on-failure", "http://localhost:9/f", "--on-cancel", "http://localhost:9/c", "--set", "success=[204]"),
    )
    got = tasker.done("get", task).json
    assert got["url"] == "https://example.org/hook"
    assert (got["method"], got["headers"], got["body_base64"]) == ("PUT", {"x-customer": "42"}, "AP8=")
    assert (got["tags"], got["group"], got["timeout"], got["keep"]) == (["a", "b"], "g", 90, "forever")
    assert (got["retry"], got["success"], got["on_cancel"]) == ({"max_attempts": 3}, [204], "http://localhost:9/c")
    due, created = (datetime.fromisoformat(got[name]) for name in ("execution_time", "created_at"))
    assert timedelta(minutes=89) < due - created < timedelta(minutes=91)


def test_a_word_with_a_colon_or_a_slash_is_a_url_and_any_other_a_type(tasker):
    job = added(tasker, "job", "--queue", "reports", "--json", '{"month": "2027-03"}', *FAR)
    assert tasker.done("get", job).json["json"] == {"month": "2027-03"}
    assert tasker.done("get", added(tasker, "localhost:9/x", *FAR)).json["url"] == "http://localhost:9/x"
    assert "fetch" in tasker.refused(2, "add", "fetch", *FAR)
    assert tasker.refused(2, "add", "example.org", *FAR).endswith("; if it is a host, write https://example.org")
    assert "expected one in place of webhook" in tasker.refused(2, "add", "webhook", *FAR)


def test_the_same_command_with_an_idempotency_key_makes_one_task(tasker, tag):
    typed = ("add", "http://localhost:9/pay", "--at", "2127-03-28 09:00", "--tag", tag, "--idempotency-key", tag)
    first, second = tasker.done(*typed), tasker.done(*typed)
    assert first.json == second.json
    assert "due Fri 2127-03-28 09:00:00 CET" in second.err
    assert len(tasker.done("ls", "--tag", tag).lines) == 1


def test_a_task_can_be_waited_for(tasker):
    done = tasker.done("add", "hash", "--at", "now", "--set", "secret=@-", "--wait", stdin=b"correct-horse")
    assert done.json["state"] == "done"
    assert done.json["result"].startswith("$pbkdf2-sha256$")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://x/"], ["--in, --at", "got neither", "--at now"]),
        (["http://x/", "--in", "1h", "--at", "now"], ["--in, --at", "got both"]),
        (["http://x/", "--at", "tomorrow"], ["--at", "a time of day after the day, such as tomorrow 09:00"]),
        (["http://x/", "--at", "2020-01-01 09:00"], ["--at", "a time to come"]),
        (["http://x/", "--at", "17:00", "--tz", "Berlin"], ["--tz", "Europe/Berlin"]),
        (["http://x/", *FAR, "--json", "{order: 17}"], ["--json", "expected JSON", "single quotes"]),
        (["http://x/", *FAR, "--json", '{"price": NaN}'], ["--json", "expected JSON"]),
        (["http://x/", *FAR, "--json", "[" * 100_000], ["--json", "expected JSON"]),
        (["http://x/", *FAR, "--json", "@none.json"], ["--json", "none.json", "No such file"]),
        (["http://x/", *FAR, "--json", "1", "--data", "x"], ["--json, --data", "got both"]),
        (["http://x/", *FAR, "--data", ""], ["--data", "not empty"]),
        (["http://x/", *FAR, "--header", "s3cret"], ["--header", "a colon"]),
        (["http://x/", *FAR, "--set", "novalue"], ["--set", "NAME=VALUE"]),
        (["http://x/", *FAR, "--keep", "a while"], ["--keep", "a length of time"]),
        (["http://x/", *FAR, "--set", "nonsense=1"], ["nonsense"]),
        (["job", *FAR, "--queue", "q", "--header", "a: b"], ["--header", "with a URL"]),
        (["http://x/", *FAR, "--headr", "a: b"], ["--headr", "--header"]),
        (["-", "--key", "k"], ["--key", "without -"]),
        (["-", "--in", "1h"], ["--in", "without -"]),
    ],
    ids=str,
)
def test_what_add_cannot_use_is_refused_with_the_option_and_what_would_be_right(tasker, arguments, words):
    line = tasker.refused(2, "add", *arguments)
    assert [word for word in words if word not in line] == [], line
    assert "s3cret" not in line


def ndjson(count, tag, **more):
    lines = [
        json.dumps({"webhook": {"delay": "30d", "url": f"http://localhost:9/{number}", "tags": [tag], **more}})
        for number in range(count)
    ]
    return ("\n".join(lines) + "\n\n").encode()


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "http://h/", *FAR, "--key", "caf\udce9"),
        ("add", "http://h/", *FAR, "--json", r'["\udce9"]'),
        ("ls", "--tag", "caf\udce9"),
    ],
)
def test_text_that_is_not_utf_8_is_refused_and_no_more_of_it_is_shown(tasker, arguments):
    line = tasker.refused(2, *arguments)
    assert line == r"tasker: expected text in UTF-8, got '\udce9', which is not a character"


def test_lines_of_json_become_tasks(tasker, tag):
    done = tasker.done("add", "-", stdin=ndjson(1_200, tag))
    assert done.err == "1200 created\n"
    assert {line["outcome"] for line in done.lines} == {"created"}
    assert tasker.done("ls", "--tag", tag, "--count").json == {"count": 1_200}
    assert len(tasker.done("ls", "--tag", tag).lines) == 1_200


def test_a_line_that_is_no_task_is_named_and_what_was_created_before_is_said(tasker, tag):
    assert "line 2: expected JSON" in tasker.refused(2, "add", "-", stdin=ndjson(1, tag)[:-1] + b"{no")
    said = tasker.refused(2, "add", "-", stdin=ndjson(1, tag)[:-1] + b'{"webhook": {"delay": NaN}}')
    assert "line 2: expected JSON" in said
    assert "NaN is no number in JSON" in said
    assert "line 1: expected an object with one member" in tasker.refused(2, "add", "-", stdin=b'{"url": 1, "x": 2}')
    line = tasker.refused(2, "add", "-", stdin=b'\n{"webhook": {"delay": "1h"}}\n{"hash": {}}\n')
    assert "line 2: webhook.url: expected a value, it is missing; 1 more of those sent with it" in line
    assert line.endswith("none is created")
    broken = ndjson(1_000, tag) + b'{"webhook": {"delay": "1h", "url": ""}}\n'
    line = tasker.refused(8, "add", "-", stdin=broken)
    assert "line 1002: webhook.url: " in line  # the 1001st is empty
    assert "the 1000 tasks of the lines before are created" in line
    assert tasker.done("ls", "--tag", tag, "--count").json == {"count": 1_000}


# --- find ---------------------------------------------------------------------------------------


def test_every_filter_of_the_api_is_an_option_and_ranges_are_words(tasker, tag):
    task = a_task(tasker, tag, "--key", f"order-{tag}")
    found = ("--tag", tag, "--state", "todo", "--type", "webhook", "--key-prefix", "order-", "--created", "today")
    assert [each["id"] for each in tasker.done("ls", *found).lines] == [task]
    bounds = (
        "--due-after",
        "in 29d",
        "--due-before",
        "in 31d",
        "--created-after",
        "1h ago",
        "--created-before",
        "in 1h",
    )
    assert [each["id"] for each in tasker.done("ls", "--tag", tag, *bounds).lines] == [task]
    assert tasker.done("ls", "--tag", tag, "--due", "next 2h").out == ""
    assert "--due: expected a range" in tasker.refused(2, "ls", "--due", "sometime")
    assert "--due-after" in tasker.refused(2, "ls", "--due", "today", "--due-after", "now")
    assert "30d ago or in 30d" in tasker.refused(2, "ls", "--ended-before", "30d")
    assert "--state" in tasker.refused(2, "ls", "--state", "waiting")


def test_what_is_listed_comes_as_lines_as_an_array_and_as_csv(tasker, tag):
    tasks = [a_task(tasker, tag, "--key", f"=1+{number}") for number in range(2)]
    latest_first = tasks[::-1]
    assert [each["id"] for each in tasker.done("ls", "--tag", tag, "--output", "json").json] == latest_first
    assert [each["id"] for each in tasker.done("ls", "--tag", tag, "-o", "ndjson", "--sort", "created").lines] == tasks
    heading, *rows = tasker.done("ls", "--tag", tag, "-o", "csv", "--limit", "1").out.splitlines()
    assert heading.startswith("id,state,execution_time,")
    assert len(rows) == 1
    assert rows[0].startswith(tasks[1])
    assert ",'=1+" in rows[0], "a spreadsheet does not compute it"
    assert tasker.done("ls", "--tag", "none", "-o", "json").json == []


def test_one_task_is_read_by_its_id_or_its_key_with_its_attempts_and_history(tasker, tag):
    task = a_task(tasker, tag, "--key", tag)
    assert tasker.done("get", "--key", tag).json["id"] == task
    assert tasker.done("explain", "--key", tag).json["reason"] == "waiting"
    assert [each["event"] for each in tasker.done("get", task, "--history").lines] == ["created"]
    failed = a_failure(tasker, tag)
    assert [each["outcome"] for each in tasker.done("get", failed, "--attempts").lines] == ["failed"]
    assert "got none" in tasker.refused(2, "get")
    assert "got both" in tasker.refused(2, "explain", task, "--key", tag)


# --- move ---------------------------------------------------------------------------------------


def test_a_task_is_cancelled_run_again_run_now_postponed_and_deleted_by_its_key(tasker, tag):
    task = a_task(tasker, tag, "--key", tag)
    assert tasker.done("cancel", "--key", tag).json["state"] == "cancelled"
    assert tasker.done("retry", task).json["state"] == "todo"
    tasker.done("postpone", "--key", tag, "--by", "1d")
    done = tasker.done("postpone", "--key", tag, "--to", "2127-03-28 09:00")
    assert "due Fri 2127-03-28 09:00:00 CET (2127-03-28T08:00:00Z)" in done.err
    assert tasker.done("rm", "--key", tag).json == {"key": tag, "state": "deleted"}
    assert tasker("get", task).code == 3


def test_postpone_counts_from_the_due_time_and_keeps_the_id(tasker, tag):
    task = a_task(tasker, tag)
    before = datetime.fromisoformat(tasker.done("get", task).json["execution_time"])
    tasker.done("postpone", task, "--by", "1d")
    after = datetime.fromisoformat(tasker.done("get", task).json["execution_time"])
    assert after - before == timedelta(days=1)


def test_all_that_pass_filters_are_moved_and_where_nobody_can_be_asked_only_with_yes(tasker, tag):
    tasks = [a_task(tasker, tag) for _ in range(3)]
    line = tasker.refused(2, "cancel", "--tag", tag)
    assert "--yes: expected it where nobody can be asked" in line
    dry = tasker.done("cancel", "--tag", tag, "--dry-run").json
    assert (dry["dry_run"], dry["changed"]) == (True, 3)
    assert {tasker.done("get", task).json["state"] for task in tasks} == {"todo"}
    assert tasker.done("cancel", "--tag", tag, "--yes").json["changed"] == 3
    assert tasker.done("retry", "--tag", tag, "--yes", "--per-second", "5").json["per_second"] == 5
    assert tasker.done("postpone", "--tag", tag, "--by", "1d", "--yes").json["by_seconds"] == 86_400
    assert tasker.done("rm", "--tag", tag, "--yes").json["changed"] == 3
    assert tasker.done("ls", "--tag", tag).out == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cancel"], ["ids, filters or --all", "got nothing"]),
        (["rm", "x", "--tag", "y"], ["ids, filters or --all", "got several"]),
        (["rm", "--all", "--tag", "y"], ["got several"]),
        (["postpone", "x"], ["--by, --to", "got neither"]),
        (["postpone", "--tag", "x", "--to", "17:00"], ["--to", "--by"]),
        (["retry", "x", "--per-second", "5"], ["--per-second", "with filters"]),
        (["cancle", "x"], ["cancle", "cancel"]),
    ],
    ids=str,
)
def test_what_a_move_cannot_use_is_refused(tasker, arguments, words):
    line = tasker.refused(2, *arguments)
    assert [word for word in words if word not in line] == [], line


# --- on a terminal ------------------------------------------------------------------------------


def test_on_a_terminal_add_says_what_it_reads(tasker):
    task = '{"webhook": {"delay": "30d", "url": "http://localhost:9/"}}\n'
    done = on_a_terminal(tasker, "add", "-", answers=[("Ctrl-D ends the input", task), ('"url"', "\x04")])
    assert done.code == 0, done
    assert done.out.endswith("1 created\n")


def test_on_a_terminal_a_move_of_many_shows_how_many_and_asks(tasker, tag):
    tasks = [a_task(tasker, tag) for _ in range(2)]
    done = on_a_terminal(tasker, "cancel", "--tag", tag, answers=[("cancel 2 tasks? [y/N]", "n\n")])
    assert done.code == 1
    assert "cancel: 2 found, 2 would be changed" in done.out
    assert "nothing was done" in done.out
    assert {tasker.done("get", task).json["state"] for task in tasks} == {"todo"}
    done = on_a_terminal(tasker, "cancel", "--tag", tag, answers=[("cancel 2 tasks? [y/N]", "y\n")])
    assert (done.code, "cancel: 2 found, 2 changed" in done.out) == (0, True)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_table_is_no_wider_than_the_terminal_and_shows_ids_whole(tasker, tag, width):
    task = a_task(tasker, tag, "--key", "a-key-that-is-rather-long-" + tag)
    done = on_a_terminal(tasker, "ls", "--tag", tag, width=width)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in done.out.splitlines()]
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("ID  ")
    assert task in lines[1] or width == 40
    assert ("http://localhost:9/" in lines[1]) == (width >= 80)


def test_colours_can_be_turned_off(tasker, tag):
    a_failure(tasker, tag)
    colour = "\x1b[1;31m"
    assert colour in on_a_terminal(tasker, "ls", "--tag", tag).out
    assert colour not in on_a_terminal(tasker, "ls", "--tag", tag, "--no-color").out
    assert colour not in on_a_terminal(tasker, "ls", "--tag", tag, NO_COLOR="1").out


def test_nothing_that_is_stored_reaches_the_terminal_as_a_command(tasker, tag):
    a_task(tasker, tag, "--data", "\x1b]0;pwned\x07 \x1b[2J")
    task = tasker.done("ls", "--tag", tag).lines[0]["id"]
    assert "pwned\\x07 \\x1b[2J" in on_a_terminal(tasker, "get", task, width=200).out


def test_ctrl_c_in_place_of_an_answer_does_nothing(tasker, tag):
    task = a_task(tasker, tag)
    done = on_a_terminal(tasker, "cancel", "--tag", tag, answers=[("[y/N]", "\x03")])
    assert (done.code, "bug" in done.out) == (130, False)
    assert tasker.done("get", task).json["state"] == "todo"


def test_what_a_terminal_cannot_show_is_no_reason_to_fail(tasker, tag):
    a_task(tasker, tag, "--data", "\N{SNOWMAN}")
    done = on_a_terminal(tasker, "ls", "--tag", tag, PYTHONIOENCODING="ascii")
    assert (done.code, "todo" in done.out) == (0, True)


def test_an_editor_changes_only_what_is_changed(tasker, tag, tmp_path):
    task = a_task(tasker, tag, "--key", tag, "--json", '{"a": 1}', "--header", "x-a: 1", "--max-attempts", "3")
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import json, sys\n"
        "path = sys.argv[1]\n"
        "task = json.load(open(path))\n"
        "task['webhook']['json'] = {'b': 2}\n"
        "del task['webhook']['retry']\n"
        "json.dump(task, open(path, 'w'))\n"
    )
    done = tasker.done("edit", "--key", tag, EDITOR=f"python3 {editor}", VISUAL="")
    assert done.err == "changes json, retry\n"
    assert (done.json["id"], done.json["json"], "retry" in done.json) == (task, {"b": 2}, False)
    assert done.json["headers"] == {"x-a": "1"}
    assert tasker.done("edit", task, EDITOR="true", VISUAL="").err == "nothing was changed\n"
    assert "Editing failed" in tasker.refused(1, "edit", task, EDITOR="false", VISUAL="")
    assert "an editor needs a terminal" in tasker.refused(2, "edit", task, EDITOR="", VISUAL="")
    editor.write_text("import sys; open(sys.argv[1], 'w').write('{no')")
    assert "expected JSON" in tasker.refused(2, "edit", task, EDITOR=f"python3 {editor}", VISUAL="")


def test_what_somebody_else_has_written_meanwhile_is_not_overwritten(tasker, tag, tmp_path):
    task = a_task(tasker, tag)
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import json, subprocess, sys\n"
        f"subprocess.run([{sys.executable!r}, '-m', 'tasker', 'postpone', {task!r}, '--by', '1d',"
        f" '--url', {tasker.variables['TASKER_URL']!r}], check=True)\n"
        "path = sys.argv[1]\n"
        "task = json.load(open(path))\n"
        "task['webhook']['tags'] = ['mine']\n"
        "json.dump(task, open(path, 'w'))\n"
    )
    tasker.refused(4, "edit", task, EDITOR=f"python3 {editor}", VISUAL="")
    assert tasker.done("get", task).json["tags"] == [tag]


def test_top_draws_until_somebody_presses_q(tasker):
    done = on_a_terminal(tasker, "top", "--every", "0.2", answers=[("created/s", "q")], width=120)
    assert done.code == 0
    assert "lateness" in done.out
    assert "--output json" in tasker.refused(2, "top")


def test_tail_tells_what_happens_as_it_happens(tasker, tag):
    process = subprocess.Popen(
        [*COMMAND, "tail", "--tag", tag, "--limit", "1"],
        env=environment(tasker.variables),
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = datetime.now(UTC) + timedelta(seconds=60)
    while process.poll() is None and datetime.now(UTC) < deadline:  # until it has begun to read
        a_task(tasker, tag)
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            continue
    event = json.loads(process.communicate()[0])
    assert (event["event"], event["state"], event["tags"]) == ("created", "todo", [tag])


# --- schedules, destinations, operations, statistics --------------------------------------------


def test_a_schedule_is_put_shown_paused_run_skipped_and_deleted(tasker):
    name = f"morning-{uuid.uuid4()}"
    put = ("schedule", "add", name, "http://localhost:9/hook", "--cron", "0 9 * * MON-FRI", "--tz", "Europe/Berlin")
    done = tasker.done(*put, "--json", "{}", "--overlap", "queue", "--tag", "t", "--starts-at", "2127-01-01")
    assert f"{name}: At 09:00 on Monday through Friday. next run Wed 2127-01-01 09:00:00 CET" in done.err
    assert done.json["tags"] == ["t"]
    assert done.json["task"] == {"webhook": {"url": "http://localhost:9/hook", "json": {}}}
    assert [each["name"] for each in tasker.done("schedule", "ls").lines if each["name"] == name] == [name]
    assert tasker.done("schedule", "pause", name).json["paused"] is True
    assert tasker.done("schedule", "resume", name).json["paused"] is False
    assert tasker.done("schedule", "skip", name).json["state"] == "cancelled"
    assert tasker.done("schedule", "show", name).json["next_run"].startswith("2127-01-02T08:00:00")
    assert ID.fullmatch(tasker.done("schedule", "run", name).json["id"])
    assert tasker.done("schedule", "rm", name).json == {"name": name, "deleted": True}
    assert tasker("schedule", "show", name).code == 3


def test_a_preview_says_what_becomes_of_times_that_do_not_exist(tasker):
    done = tasker.done(
        *("schedule", "preview", "--cron", "30 2 * * *", "--tz", "Europe/Berlin"),
        *("--starts-at", "2127-03-29", "--ends-at", "2127-04-01"),
    )
    assert done.err == "At 02:30 every day.\n"
    assert [run["note"] for run in done.lines] == ["normal", "moved_by_gap", "normal"]
    assert "--tz" in tasker.refused(2, "schedule", "preview", "--cron", "30 2 * * *")
    assert "--cron, --every" in tasker.refused(2, "schedule", "preview")


def test_destinations_are_limited_paused_and_resumed_by_name(tasker):
    name = f"customer-{uuid.uuid4()}"
    assert "DESTINATION" in tasker.refused(2, "destinations", "limit", "--max-running", "1")
    made = tasker.done("destinations", "limit", "--group", name, "--max-per-second", "5", "--burst", "2").json
    assert (made["name"], made["max_per_second"], made["burst"]) == (name, 5, 2)
    assert tasker.done("destinations", "limit", name, "--max-per-second", "none").json["max_per_second"] is None
    assert tasker.done("destinations", "pause", name).json["paused"] is True
    assert tasker.done("destinations", "resume", made["id"]).json["paused"] is False
    assert name in [each["name"] for each in tasker.done("destinations", "ls").lines]
    assert tasker.done("destinations", "show", name).json["id"] == made["id"]
    assert "tasker destinations ls" in tasker.refused(3, "destinations", "show", "nowhere")
    assert "expected a number, or none" in tasker.refused(2, "destinations", "limit", name, "--max-running", "few")
    assert tasker("destinations", "probe", name).code == 4


def test_operations_are_listed_shown_and_stopped(tasker, tag):
    a_task(tasker, tag)
    begun = tasker.done("cancel", "--tag", tag, "--yes", "--no-wait").json
    assert tasker.done("ops", "wait", begun["id"]).json["state"] == "done"
    assert tasker.done("ops", "show", begun["id"]).json["changed"] == 1
    assert begun["id"] in [each["id"] for each in tasker.done("ops", "ls").lines]
    assert tasker.done("ops", "cancel", begun["id"]).json["state"] == "done"


def test_statistics_are_shown(tasker):
    assert tasker.done("stats").json["version"]
    assert "lateness  " in tasker.done("stats", "-o", "table").out
    assert tasker.done("stats", "-o", "csv").out.startswith("version,started_at,paused_at,tasks.todo,")


# --- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_completes(tasker, shell):
    assert "_TASKER_COMPLETE" in tasker.done("completion", shell).out


def test_words_are_completed(tasker):
    done = subprocess.run(
        COMMAND, env=environment({"_TASKER_COMPLETE": "bash_complete", "COMP_WORDS": "tasker can", "COMP_CWORD": "1"}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "cancel" in done.stdout


def test_an_option_before_the_command_is_refused_with_its_place(tasker):
    line = tasker.refused(2, "--context", "prod", "ls")
    assert "--context goes after the command, as in: tasker ls --context" in line


def test_an_error_is_json_where_data_is(tasker):
    done = tasker("get", str(uuid.uuid4()), "-o", "ndjson")
    assert json.loads(done.err)["code"] == "task_not_found"
    assert json.loads(done.err)["exit_code"] == 3
