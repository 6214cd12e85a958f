"""The rules of tasker doctor, with facts handed in: nothing here depends on the machine that it runs on."""

import ast
import re
import threading
from dataclasses import replace as changed
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from tasker import __version__, node
from tasker.callers import Role
from tasker.cli.root import tasker as tasker_command
from tasker.config import Settings
from tasker.doctor import (
    checks,
    clock,
    descriptors,
    destinations,
    egress,
    keys,
    listening,
    overdue,
    resolver,
    secrets,
    server,
    settings,
    versions,
)
from tasker.doctor.case import Case
from tasker.doctor.lookups import Lookup, look_up_all
from tasker.doctor.overdue import Late
from tasker.doctor.server_answers import Figures, ServerAnswers
from tasker.egress.address_policy import EgressPolicy
from tasker.explaining import OVERDUE_REASONS
from tasker.model.api_key import ApiKey, KeyState
from tasker.model.circuit import Circuit
from tasker.model.diagnosis import Level, Problem, fine, unknown, worst
from tasker.model.gate import Gate, GateKind, GateRecord, status_at
from tasker.model.inbox import InboxCount
from tasker.model.instants import SECOND
from tasker.model.node import NodeRecord
from tasker.model.overdue import Overdue, OverdueTasks
from tasker.stores.examining import Contents, Examined
from tasker.wire.server import Health, NodeView

NOW = 1_800_000_000 * SECOND
DAY = 86_400 * SECOND
URL = "http://127.0.0.1:8080"
CONTENTS = Contents(
    at=NOW,
    overdue=Overdue(NOW, {reason: OverdueTasks(0, None) for reason in OVERDUE_REASONS}),
    gates=[],
    keys=KeyState(version=1, asks=False, salt=b"", keys=[]),
    paused_at=None,
    nodes=[],
    inbox=None,
    looked_at=NOW - SECOND,
    mark=None,
)
FILE = Examined(
    engine="SQLite 3.54.0",
    findings=[fine("database", "sound")],
    holder="process 17",
    sees_holder=True,
    contents=CONTENTS,
)
SHARED = Examined(engine="PostgreSQL 18.4", findings=[], is_shared=True, clock_offset=0.002, contents=CONTENTS)
READY = ServerAnswers(url=URL, health=Health("ok"))
SILENT = ServerAnswers(url=URL, silence=f"no tasker answers at {URL}")
WELL = Case(settings=Settings(), doubts=[], target=None, now=NOW, database=FILE, answers=READY)


def node_view(version, id_="1"):
    return NodeView(id=id_, address=URL, version=version, started_at="", lease_until=None, running=0)


def said(findings):
    return [(each.code, each.what, each.mend) for each in findings]


def codes(findings):
    return [each.code for each in findings if each.code != "fine"]


def test_the_worst_finding_counts():
    warning = Problem("a", "b", Level.WARNING, "c").found("d", mend="e")
    assert [worst(each) for each in ([], [unknown("a", "b")], [fine("a", "b"), warning])] == [
        *(Level.FINE, Level.UNKNOWN, Level.WARNING)
    ]


def test_each_problem_has_a_code_of_its_own():
    found = [problem.code for problem in checks.problems()]
    assert len(found) == len(set(found)) > 50


def mends():
    """Return the texts that say what mends something, with what is filled in left out."""
    for room in ("doctor", "stores", "cli"):
        for path in (Path(node.__file__).parent / room).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                for given in getattr(call, "keywords", ()):
                    if given.arg == "mend":
                        parts = [each.value for each in ast.walk(given.value) if isinstance(each, ast.Constant)]
                        yield " ".join(part for part in parts if isinstance(part, str))


def test_each_command_that_mends_something_is_one_of_tasker():
    typed = [found for text in mends() for found in re.findall(r"tasker ((?:[a-z]+ ?)+)", text)]
    assert len(typed) > 10
    for words in typed:
        command = tasker_command
        for word in words.split():
            if not hasattr(command, "commands"):
                break
            assert word in command.commands, f"tasker {words}"
            command = command.commands[word]


# Versions and settings


@pytest.mark.parametrize(
    ("version", "loses"),
    [
        *(("3.44.5", True), ("3.44.6", False), ("3.46.1", True), ("3.50.6", True), ("3.50.7", False)),
        *(("3.51.2", True), ("3.51.3", False), ("3.52.0", True), ("3.53.0", False), ("4.0", False)),
    ],
)
def test_a_sqlite_that_loses_commits_is_known_by_its_version(version, loses):
    assert codes(versions.judge(version, WELL)) == ["sqlite_loses_commits"] * loses


def test_versions_that_differ_are_told():
    mixed = replace(READY, nodes=[node_view("1.0"), node_view("1.1")])
    assert said(versions.judge("3.54.0", changed(WELL, answers=mixed))) == [
        ("mixed_versions", "servers of several versions share the database: 1.0, 1.1", "upgrade the others")
    ]
    assert codes(versions.look(WELL)) == []
    assert f"tasker {__version__}" in versions.look(WELL)[0].what


def test_a_mistake_in_the_settings_is_a_warning():
    (found,) = settings.look(changed(WELL, doubts=["there is no variable TASKER_LISTENPORT"]))
    assert (found.level, found.code) == (Level.WARNING, "doubtful_setting")


# The server


def test_a_server_that_is_ready_is_well_and_so_is_none():
    assert said(server.look(WELL)) == [("fine", f"ready, at {URL}", "")]
    nobody = changed(WELL, database=replace(FILE, holder=None), answers=SILENT)
    assert said(server.look(nobody)) == [("fine", f"none runs at {URL}", "")]


def test_a_server_that_was_named_and_does_not_answer_is_a_fault():
    (found,) = server.look(changed(WELL, answers=replace(SILENT, is_named=True)))
    assert (found.level, found.code, found.what) == (
        Level.FAULT,
        "server_unreachable",
        f"no tasker answers at {URL}",
    )


def test_who_holds_the_database_and_does_not_answer_is_told():
    assert said(server.look(changed(WELL, answers=SILENT))) == [
        (
            "server_silent",
            f"process 17 has the database open, and no server answers at {URL}",
            "name the server with --url, or start it again if it hangs",
        )
    ]
    there = NodeRecord(
        id="1", address="http://10.0.0.1:8080", version="1", started_at=0, lease_until=NOW + 1, running=0
    )
    for lease_until, found in ((NOW + 1, ["server_silent"]), (NOW, [])):
        nodes = [replace(there, lease_until=lease_until)]
        shared = changed(WELL, database=replace(SHARED, contents=replace(CONTENTS, nodes=nodes)), answers=SILENT)
        assert codes(server.look(shared)) == found
        assert [each.mend for each in server.look(shared)] == (
            ["tasker doctor --url http://10.0.0.1:8080"] if found else [""]
        )


def test_something_else_at_the_address_is_no_server():
    (found,) = server.look(changed(WELL, answers=replace(SILENT, is_stranger=True)))
    assert (found.code, found.what) == ("not_tasker", f"something else than tasker answers at {URL}")


def test_a_server_that_is_not_ready_says_why():
    unwell = replace(READY, health=Health("unavailable", "the database is full"))
    assert said(server.look(changed(WELL, answers=unwell))) == [
        ("not_ready", f"{URL} is not ready: the database is full", "see what is said below")
    ]


def test_a_server_on_another_database_is_known_by_who_has_this_one():
    assert codes(server.look(changed(WELL, database=replace(FILE, holder=None)))) == ["other_database"]
    there = NodeRecord(id="1", address=URL, version="1", started_at=0, lease_until=NOW + 1, running=0)
    shared = replace(SHARED, contents=replace(CONTENTS, nodes=[there]))
    for id_, found in (("1", []), ("2", ["other_database"])):
        answers = replace(READY, nodes=[node_view("1", id_)])
        assert codes(server.look(changed(WELL, database=shared, answers=answers))) == found


def test_a_server_that_wants_a_key_is_asked_no_more():
    (found,) = server.look(changed(WELL, answers=replace(READY, needs_key=True)))
    assert (found.level, found.mend) == (Level.UNKNOWN, "give the variable TASKER_KEY a key with the role metrics")


def test_that_everything_is_paused_is_told_with_the_call_that_ends_it():
    paused = replace(FILE, contents=replace(CONTENTS, paused_at=5))
    assert said(server.look(changed(WELL, database=paused))) == [
        ("all_paused", "everything is paused", f"tasker resume --url {URL}")
    ]


# The clock


@pytest.mark.parametrize(
    ("offset", "what"),
    [
        (1.0, None),
        (1.5, "the clock of the database is 1.5 s ahead of this machine's"),
        (-90.0, "the clock of the database is 1 min 30 s behind this machine's"),
    ],
)
def test_clocks_that_differ_by_more_than_a_second_are_told(offset, what):
    found = clock.look(changed(WELL, database=replace(SHARED, clock_offset=offset)))
    assert [each.what for each in found if each.code == "clock_offset"] == ([what] if what else [])


def test_a_clock_that_was_set_back_is_known_by_the_latest_look_of_a_server():
    for ahead, found in ((SECOND, []), (SECOND + 1, ["clock_set_back"])):
        seen = replace(FILE, contents=replace(CONTENTS, looked_at=NOW + ahead))
        assert codes(clock.look(changed(WELL, database=seen))) == found
    hour = replace(FILE, contents=replace(CONTENTS, looked_at=NOW + 3600 * SECOND))
    assert said(clock.look(changed(WELL, database=hour))) == [
        (
            "clock_set_back",
            "a server was at work at a time that is 1 h from now: the clock was set back",
            "timedatectl set-ntp true",
        )
    ]


def test_a_clock_that_was_set_while_the_server_ran_is_told_where_it_decides():
    figures = Figures('tasker_clock_steps_total{direction="forward"} 1\ntasker_clock_steps_total{direction="back"} 2\n')
    seen = changed(WELL, answers=replace(READY, figures=figures))
    (found,) = clock.look(seen)
    assert (found.code, found.what) == (
        "clock_stepped",
        "the clock of this machine was set 1 time forward and 2 times back since the server was started",
    )
    assert codes(clock.look(changed(seen, database=SHARED))) == []
    never = Figures('tasker_clock_steps_total{direction="forward"} 0\n')
    assert codes(clock.look(changed(WELL, answers=replace(READY, figures=never)))) == []


def test_the_clock_that_decides_is_named():
    assert clock.look(WELL)[0].what == "this machine's decides; no server has seen a later time"
    assert clock.look(changed(WELL, database=SHARED))[0].what == (
        "the database's decides; this machine's differs by 2 ms"
    )
    assert codes(clock.look(changed(WELL, database=Examined(engine="", findings=[], is_shared=True)))) == ["unknown"]


# Descriptors


@pytest.mark.parametrize(
    ("limit", "open_", "most", "found"),
    [
        (400, None, 200, []),
        (399, None, 200, ["too_few_descriptors"]),
        (1_000, 900, 200, []),
        (1_000, 901, 200, ["descriptors_nearly_used"]),
        (float("inf"), 5_000, 10_000, []),
    ],
)
def test_descriptors_have_to_suffice_for_connections_to_targets(limit, open_, most, found):
    assert codes(descriptors.judge(limit, open_, most, "the server")) == found


def test_the_limit_that_would_do_is_named():
    (found,) = descriptors.judge(256, None, 3_000, "the server")
    assert (found.what, found.mend) == (
        "the server may have 256: enough for 128 connections to targets, where --max-deliveries is 3,000",
        "ulimit -n 6000 in the shell that starts it, or LimitNOFILE=6000 in its unit",
    )


def test_the_server_says_what_it_may_have_itself():
    figures = Figures("process_max_fds 512\nprocess_open_fds 500\n")
    found = descriptors.look(changed(WELL, answers=replace(READY, figures=figures)))
    assert [each.what for each in found] == ["the server has 500 open, and may have 512"]


# Names


def test_names_that_are_not_found_slow_or_unanswered_are_told():
    found = {
        "localhost": Lookup([()], 0.001),
        "none.example": Lookup((), 0.1, has_failed=True),
        "slow.example": Lookup([()], 1.5),
        "silent.example": Lookup(),
    }
    assert said(resolver.judge(found)) == [
        (
            "no_name_server_answers",
            "no name server has answered within 5 s for silent.example",
            "look at /etc/resolv.conf, and ask it: getent hosts silent.example",
        ),
        (
            "name_not_found",
            "none.example cannot be looked up",
            "look at /etc/resolv.conf, and ask it: getent hosts none.example",
        ),
        (
            "slow_name_server",
            "it took 1.5 s to look up slow.example",
            "look at /etc/resolv.conf, and ask it: getent hosts slow.example",
        ),
    ]


def test_a_lookup_that_hangs_is_left_behind():
    never = threading.Event()

    def lookup(name, _port):
        if name == "hangs":
            never.wait(30)
        if name == "fails":
            raise OSError
        return ["there"]

    found = look_up_all(["well", "hangs", "fails"], longest=0.3, lookup=lookup)
    never.set()
    assert (found["well"].addresses, found["well"].has_failed) == (["there"], False)
    assert found["hangs"].seconds is None
    assert found["fails"].has_failed


# Whom it may call


def judged(url_address, level="public", *, name="hooks.example.org", **lists):
    policy = EgressPolicy(level, **lists)
    verdicts = egress.verdicts(policy, [url_address], 443, name)
    (found,) = egress.judge(egress.Judged(place="https://hooks.example.org:443", verdicts=verdicts))
    return found


@pytest.mark.parametrize(
    ("address", "level", "lists", "what"),
    [
        ("93.184.216.34", "public", {}, "would be called: 93.184.216.34 is a public address"),
        ("10.0.0.1", "lan", {}, "would be called: 10.0.0.1 is a private address, which --egress lan allows"),
        (
            "10.0.0.1",
            "public",
            {"allow": ["10.0.0.0/8"]},
            "would be called: 10.0.0.1 is a private address, which --allow-target 10.0.0.0/8 allows",
        ),
    ],
)
def test_a_target_that_would_be_called_is_said_with_the_rule(address, level, lists, what):
    found = judged(address, level, **lists)
    assert (found.level, found.what) == (Level.FINE, f"https://hooks.example.org:443 {what}")


@pytest.mark.parametrize(
    ("address", "lists", "what", "mend"),
    [
        (
            "10.0.0.1",
            {},
            "10.0.0.1 is a private address, which --egress public refuses",
            "start the server so that --egress lan or an --allow-target for it allows it",
        ),
        (
            "169.254.169.254",
            {},
            "169.254.169.254 is a metadata address of a cloud, which is never called unless an --allow-target names it",
            "name it with --allow-target",
        ),
        (
            "93.184.216.34",
            {"deny": ["hooks.example.org"]},
            "93.184.216.34 is one that a --deny-target refuses",
            "without that entry it may be allowed",
        ),
    ],
)
def test_a_target_that_would_not_be_called_is_a_fault_with_the_rule_and_the_way_out(address, lists, what, mend):
    found = judged(address, **lists)
    assert (found.level, found.code, found.mend) == (Level.FAULT, "egress_refused", mend)
    assert found.what == f"https://hooks.example.org:443 would not be called: {what}"


def test_addresses_of_a_name_that_are_left_out_are_counted():
    verdicts = egress.verdicts(EgressPolicy("public"), ["10.0.0.1", "93.184.216.34", "10.0.0.1"], 443, "a.example")
    (found,) = egress.judge(egress.Judged(place="https://a.example:443", verdicts=verdicts))
    assert found.what == (
        "https://a.example:443 would be called: 93.184.216.34 is a public address; 1 of its addresses would not"
    )


def test_what_is_no_url_and_what_has_no_address_is_said():
    (found,) = egress.look(changed(WELL, target="ftp://example.org/x"))
    assert (found.level, found.code) == (Level.FAULT, "no_target")
    (found,) = egress.judge(egress.Judged(place="https://a.example:443"))
    assert found.level is Level.UNKNOWN


def test_a_proxy_judges_host_names():
    proxied = changed(WELL, settings=Settings(egress_proxy="http://me:canary@proxy.internal:4750"))
    (found,) = egress.look(changed(proxied, target="https://example.org/x?key=canary"))
    assert found.what == (
        "https://example.org:443 would be asked of the proxy proxy.internal:4750, which looks the name up and checks it"
    )
    (found,) = egress.look(proxied)
    assert found.what.endswith("; through the proxy proxy.internal:4750")


def test_the_level_in_force_is_said_and_almost_any_is_a_warning():
    (found,) = egress.look(changed(WELL, settings=Settings(allow_targets=("10.0.0.1",))))
    assert found.what == ("--egress lan (auto): public addresses, this machine and the local network; 1 allowed")
    (found,) = egress.look(changed(WELL, settings=Settings(egress="any")))
    assert (found.level, found.code) == (Level.WARNING, "egress_any")


# What is late

MINUTE = timedelta(minutes=1)


def late(refused=0, is_at_work=True, **counted):
    found = overdue.judge(
        {reason: Late(count=count, oldest=oldest) for reason, (count, oldest) in counted.items()},
        refused=refused,
        after=MINUTE,
        is_at_work=is_at_work,
    )
    return said(found)


@pytest.mark.parametrize("reason", ["due", "no_slot", "unclaimed", "inbox"])
def test_what_nobody_holds_back_is_late_after_so_long_and_not_before(reason):
    assert late(**{reason: (3, 60.0)}) == []
    ((code, what, _),) = late(**{reason: (3, 61.0)})
    assert code == {"due": "late", "inbox": "inbox_waits"}.get(reason, reason)
    assert "3 " in what
    assert "the oldest for 1 min 1 s" in what


@pytest.mark.parametrize("reason", ["paused", "paused_all", "circuit_open", "full", "rate", "overlap"])
def test_what_waits_on_purpose_is_not_late(reason):
    assert late(**{reason: (3, 9_999.0)}) == []


def test_without_a_server_whatever_is_due_waits_for_one():
    assert late(is_at_work=False, due=(2, 5.0), no_slot=(1, 7_200.0)) == [
        ("nobody_runs", "3 tasks are overdue, the oldest for 2 h, and no server runs", "tasker serve")
    ]
    assert late(is_at_work=False, unclaimed=(1, 5.0)) == []


def test_a_refused_row_of_the_inbox_is_told():
    assert late(refused=1) == [
        (
            "inbox_refused",
            "1 row of the inbox was refused",
            "tasker inbox ls says why, and tasker inbox retry tries one again",
        )
    ]


def test_counting_stops_somewhere():
    ((_, what, _),) = late(no_slot=(10_000, 61.0))
    assert what.startswith("10,000+ tasks are overdue")


def test_the_server_knows_better_than_the_database_what_is_late():
    figures = Figures(
        'tasker_overdue_tasks{reason="no_slot",store="s"} 4\ntasker_overdue_tasks{reason="due"} 0\n'
        'tasker_oldest_overdue_seconds{reason="no_slot"} 90\ntasker_inbox_rows{state="refused"} 2\n'
    )
    asked = changed(WELL, answers=replace(READY, figures=figures), database=replace(FILE, contents=None))
    assert overdue.overdue_of(asked) == {"no_slot": Late(count=4, oldest=90.0), "due": Late(count=0, oldest=0.0)}
    assert codes(overdue.look(asked)) == ["no_slot", "inbox_refused"]
    assert codes(overdue.look(changed(asked, answers=READY))) == ["unknown"]
    one = replace(CONTENTS, overdue=Overdue(NOW, {**CONTENTS.overdue.by_reason, "rate": OverdueTasks(7, NOW - SECOND)}))
    assert overdue.look(changed(WELL, database=replace(FILE, contents=one)))[0].what == (
        "for less than 1 min, or on purpose: 7 rate"
    )
    refused = replace(CONTENTS, inbox=InboxCount(refused=1))
    assert codes(overdue.look(changed(WELL, database=replace(SHARED, contents=refused)))) == ["inbox_refused"]


# Destinations


def gate(id_, name, kind=GateKind.HOST, held=0, **more):
    made = Gate(id=id_, kind=kind, name=name, **more)
    return status_at(GateRecord(gate=made, running=0, held=held), NOW)


def test_gates_in_trouble_are_told_those_that_hold_most_first():
    failing = Circuit(failures=12, open_until=NOW + SECOND, broken_since=NOW - 7_200 * SECOND)
    found = destinations.judge(
        [
            gate(1, "https://a.example:443", held=3, circuit=failing),
            gate(2, "reports", GateKind.QUEUE, held=10_000, paused=True),
            gate(3, "customer 42", GateKind.GROUP, held=1, paused=True),
        ],
        NOW,
    )
    assert said(found) == [
        (
            "paused",
            "the queue reports is paused, and 10,000+ tasks wait there",
            "tasker destinations resume reports",
        ),
        (
            "failing",
            "https://a.example:443 has been failing for 2 h, 12 times in a row, and 3 tasks wait there",
            "mend it there; to try it at once: tasker destinations probe https://a.example:443",
        ),
        (
            "paused",
            "the group customer 42 is paused, and 1 task waits there",
            "tasker destinations resume 'customer 42'",
        ),
    ]


def test_of_many_in_trouble_the_worst_are_told():
    many = [gate(number, f"group{number}", GateKind.GROUP, held=number, paused=True) for number in range(1, 8)]
    found = said(destinations.judge(many, NOW))
    assert [each[0] for each in found] == ["paused"] * 5 + ["more_in_trouble"]
    assert (found[0][1].split()[2], found[-1][1]) == ("group7", "2 more are paused or fail")


# Secrets, keys and addresses


def key(name, *, role="admin", expires_at=None):
    return ApiKey(id=name, name=name, role=role, scopes=(), digest=b"", expires_at=expires_at)


def of_keys(*given, roles=(), no_auth=False, asks=True):
    return said(keys.judge(KeyState(version=1, asks=asks, salt=b"", keys=given), roles, NOW, no_auth=no_auth))


def test_keys_that_are_valid_are_well():
    assert of_keys(key("a")) == []
    assert of_keys(asks=False) == []
    assert list(keys.judge(None, [], NOW, no_auth=False)) == []


def test_a_key_that_expires_within_a_week_is_told():
    week = 7 * DAY
    assert of_keys(key("a"), key("b", role="read", expires_at=NOW + week)) == []
    ((code, what, _),) = of_keys(key("a"), key("b", role="read", expires_at=NOW + 3 * DAY))
    assert (code, what) == ("key_expires", "the key b (b) expires in 3 d")


def test_without_a_valid_key_nobody_can_call_unless_the_settings_have_one():
    assert [each[0] for each in of_keys(key("a", expires_at=NOW))] == ["no_valid_key"]
    assert of_keys(key("a", expires_at=NOW), roles=[Role.ADMIN]) == []
    assert [each[0] for each in of_keys(key("a", role="read"))] == ["no_admin_key"]
    assert of_keys(key("a", role="read"), roles=[Role.ADMIN]) == []


def test_no_auth_has_no_effect_where_the_database_has_keys():
    assert of_keys(key("a"), no_auth=True) == [
        (
            "no_auth_idle",
            "--no-auth is set, and the database has 1 key and asks for them",
            "take --no-auth away, or: tasker db keys disable, while no server runs",
        )
    ]


@pytest.mark.parametrize(("mode", "is_told"), [(0o640, False), (0o644, True)])
def test_files_of_secrets_that_everybody_can_read_are_told(tmp_path, mode, is_told):
    path = tmp_path / "secrets"
    path.write_text("canary")
    path.chmod(mode)
    for check, given, code in (
        (secrets, Settings(webhook_secrets_file=path), "secrets_readable"),
        (keys, Settings(api_keys_file=path), "keys_readable"),
    ):
        found = check.look(changed(WELL, settings=given))
        assert codes(found) == [code] * is_told
        assert not is_told or found[0].mend == f"chmod o= {path}"


def test_contradictions_of_settings_are_faults():
    given = Settings(no_auth=True, api_keys=("0123456789abcdef",))
    assert codes(keys.look(changed(WELL, settings=given))) == ["no_auth_contradicts"]


@pytest.mark.parametrize(
    ("ip", "asks", "no_auth", "found"),
    [
        ("127.0.0.1", False, False, []),
        ("0.0.0.0", True, False, []),
        ("0.0.0.0", False, False, ["open_to_others"]),
        ("0.0.0.0", False, True, ["open_without_key"]),
        ("0.0.0.0", None, False, []),
        ("0.0.0.0", None, True, ["open_without_key"]),
    ],
)
def test_who_may_reach_the_server_has_to_fit_the_keys(ip, asks, no_auth, found):
    assert codes(listening.judge(ip, asks=asks, no_auth=no_auth)) == found


def test_a_refused_address_is_said_in_the_words_of_the_start():
    (found,) = listening.judge("0.0.0.0", asks=False, no_auth=False)
    assert (found.what, found.mend) == (
        "others can reach 0.0.0.0, and no API key is asked for",
        "make one with tasker db keys create, give keys with --api-keys-file, or --no-auth if everybody may call",
    )


def test_an_address_of_another_machine_cannot_be_listened_on():
    (found,) = listening.look(changed(WELL, settings=Settings(listen_ip="192.0.2.1"), answers=READY))[-1:]
    assert (found.code, found.what) == (
        "cannot_listen",
        "cannot listen on 192.0.2.1:0: Cannot assign requested address",
    )


def test_a_server_of_another_version_is_told():
    stats = SimpleNamespace(version="0.0.9")
    (found,) = versions.judge("3.54.0", changed(WELL, answers=replace(READY, stats=stats)))
    assert found.what == f"the server at {URL} is tasker 0.0.9, and this command {__version__}"
