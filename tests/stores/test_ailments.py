"""What is said of a database and what is around it, from what was seen there: rules without a machine in that state."""

import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from tasker.model.diagnosis import Level
from tasker.model.store_meter import Space, Upkeep
from tasker.stores.postgres import ailments as postgres
from tasker.stores.postgres.ailments import Blocked, Seen, Sessions
from tasker.stores.postgres.connection import _REASONS
from tasker.stores.sqlite import ailments as sqlite
from tasker.stores.sqlite.ailments import File, Surroundings
from tasker.stores.sqlite.mounts import Mount

GIB = 1 << 30
PATH = Path("/var/lib/tasker/tasks.db")
FOLDER = File(path=PATH.parent, mode=stat.S_IFDIR | 0o700, owner="tasker")
FILE = File(path=PATH, mode=stat.S_IFREG | 0o600, owner="tasker")
WELL = Surroundings(
    named=PATH,
    path=PATH,
    user="tasker",
    folder=FOLDER,
    file=FILE,
    companions=[File(path=Path(f"{PATH}-wal"), mode=stat.S_IFREG | 0o600, owner="tasker")],
    misplaced=None,
    mount=Mount("/var", "ext4", is_read_only=False),
    space=Space(database=5 << 20, wal=4 << 20, free=50 * GIB, size=100 * GIB),
    holder=None,
)


def said(findings):
    return [(each.check, each.code, each.what, each.follows, each.mend) for each in findings]


def wrong(findings):
    """Return those that are not fine."""
    return [each for each in said(findings) if each[1] != "fine"]


def test_what_is_well_is_said_in_a_line_for_each_check():
    assert said(sqlite.judge(WELL)) == [
        ("files", "fine", "/var/lib/tasker/tasks.db: mode 0600, of tasker, on ext4", "", ""),
        ("disk", "fine", "50 GiB of 100 GiB free; the database has 5 MiB, its log 4 MiB", "", ""),
    ]


def test_a_link_is_said_with_where_it_leads():
    (files, _) = sqlite.judge(replace(WELL, named=Path("/srv/tasks.db")))
    assert files.what == "/var/lib/tasker/tasks.db, which /srv/tasks.db leads to: mode 0600, of tasker, on ext4"


def test_files_that_others_can_open_are_named_with_the_command_that_closes_them():
    log = replace(WELL.companions[0], mode=stat.S_IFREG | 0o640)
    assert wrong(sqlite.judge(replace(WELL, companions=[log]))) == [
        (
            "files",
            "readable_by_others",
            "others than tasker may open /var/lib/tasker/tasks.db-wal (mode 0640)",
            "other users of this machine can read the tasks, with their secrets",
            "chmod 600 /var/lib/tasker/tasks.db-wal",
        )
    ]


@pytest.mark.parametrize(("mode", "is_open"), [(0o700, False), (0o755, False), (0o770, True), (0o777, True)])
def test_a_folder_that_others_can_write_to_is_told(mode, is_open):
    found = wrong(sqlite.judge(replace(WELL, folder=replace(FOLDER, mode=stat.S_IFDIR | mode))))
    assert [each[1] for each in found] == ["folder_open"] * is_open


def test_a_folder_with_the_sticky_bit_keeps_files_of_others_from_being_replaced():
    assert wrong(sqlite.judge(replace(WELL, folder=replace(FOLDER, mode=stat.S_IFDIR | 0o1777)))) == []


def test_who_may_not_write_is_told_whose_it_is():
    found = wrong(sqlite.judge(replace(WELL, user="joe", file=replace(FILE, is_writable=False))))
    assert [each[1:] for each in found] == [
        (
            "not_writable",
            "/var/lib/tasker/tasks.db belongs to tasker, and joe may not write there",
            "a server that this user starts cannot open it",
            "run it as tasker, or: chown joe /var/lib/tasker/tasks.db",
        )
    ]


def test_a_folder_that_is_not_there_is_told_alone():
    seen = replace(WELL, folder=None, file=None, companions=[], space=Space())
    assert [each[1:] for each in wrong(sqlite.judge(seen))] == [
        (
            "no_folder",
            "the folder /var/lib/tasker does not exist",
            "the server cannot start",
            "mkdir -m 700 /var/lib/tasker",
        )
    ]


def test_a_device_is_no_file():
    assert [each[1] for each in wrong(sqlite.judge(replace(WELL, file=replace(FILE, mode=stat.S_IFCHR | 0o600))))] == [
        "not_a_file"
    ]


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("nfs4", "network_disk"),
        ("9p", "network_disk"),
        ("tmpfs", "memory_disk"),
        ("overlay", "container_disk"),
        ("xfs", None),
    ],
)
def test_where_a_database_is_not_safe_is_known_by_its_file_system(system, code):
    found = wrong(sqlite.judge(replace(WELL, mount=Mount("/var", system, is_read_only=False))))
    assert [each[1] for each in found] == ([code] if code else [])
    if code:
        assert f"/var/lib/tasker is on {system}, mounted at /var" in found[0][2]


def test_a_disk_that_is_mounted_read_only_is_told_and_no_rights():
    seen = replace(WELL, mount=Mount("/var", "ext4", is_read_only=True), file=replace(FILE, is_writable=False))
    (found,) = wrong(sqlite.judge(seen))
    assert (found[1], found[4]) == ("read_only_disk", "mount -o remount,rw /var")


@pytest.mark.parametrize(
    ("free", "level", "code"),
    [
        (5 * GIB, Level.FINE, "fine"),
        (5 * GIB - 1, Level.WARNING, "disk_nearly_full"),
        (32 << 20, Level.WARNING, "disk_nearly_full"),
        ((32 << 20) - 1, Level.FAULT, "disk_full"),
    ],
)
def test_a_disk_is_nearly_full_when_alerts_say_so_and_full_with_no_room_for_the_log(free, level, code):
    found = sqlite.judge(replace(WELL, space=Space(free=free, size=100 * GIB)))[-1]
    assert (found.level, found.code) == (level, code)


@pytest.mark.parametrize(("wal", "code"), [(64 << 20, "fine"), ((64 << 20) + 1, "log_too_large")])
def test_a_log_beyond_twice_its_bound_is_too_large(wal, code):
    found = sqlite.judge(replace(WELL, space=replace(WELL.space, wal=wal)))[-1]
    assert found.code == code
    if code != "fine":
        assert found.mend.endswith("lsof /var/lib/tasker/tasks.db")


SESSIONS = Sessions(most=100, kept=3, used=20, of_role=-1, used_by_role=10, of_database=-1, used_in_database=15)
FIT = Seen(
    risks=[],
    sessions=SESSIONS,
    needed=10,
    nodes=1,
    pooler=None,
    no_listen=False,
    blocked=None,
    oldest=(17, 3.0),
    upkeep=Upkeep(dead_rows=12),
)


def test_what_is_well_with_postgresql_is_said_in_a_line_for_each_check():
    assert said(postgres.judge(FIT)) == [
        ("durability", "fine", "what is committed survives a crash", "", ""),
        ("connections", "fine", "77 free, and a server takes 11; 1 server there", "", ""),
        ("pooler", "fine", "none stands between", "", ""),
        ("locks", "fine", "nothing has waited for a lock for long", "", ""),
        ("upkeep", "fine", "12 dead rows in the table task, and no transaction that goes on for long", "", ""),
    ]


@pytest.mark.parametrize(
    ("change", "free"),
    [
        ({}, 77),
        ({"of_role": 12}, 2),
        ({"of_role": 0}, 0),
        ({"of_database": 20}, 5),
        ({"most": 10}, 0),
    ],
)
def test_the_tightest_limit_says_how_many_connections_are_free(change, free):
    assert replace(SESSIONS, **change).free == free


def test_too_few_connections_are_a_fault_if_no_server_runs_and_a_warning_beside_one():
    tight = replace(FIT, sessions=replace(SESSIONS, of_role=20, used_by_role=10), nodes=0)
    (found,) = wrong(postgres.judge(tight))
    limits = "max_connections is 100, 3 kept for others, 20 used; the role may have 20, 10 used"
    assert found[1:] == (
        "too_few_connections",
        f"a server takes 11, and 10 are free: {limits}",
        "a server that starts is not ready, and fails at some of its work",
        "raise max_connections, or the CONNECTION LIMIT of the role or the database, or end other sessions",
    )
    assert [each[1] for each in wrong(postgres.judge(replace(tight, nodes=1)))] == ["no_room_for_another"]
    enough = replace(tight, sessions=replace(SESSIONS, of_role=21))
    assert wrong(postgres.judge(enough)) == []


@pytest.mark.parametrize(
    ("pooler", "no_listen", "code"),
    [
        (None, False, None),
        (None, True, "no_listen_for_nothing"),
        ("transaction", False, "pooler_needs_no_listen"),
        ("transaction", True, None),
        ("session", False, None),
        ("session", True, None),
    ],
)
def test_no_listen_has_to_fit_what_stands_between(pooler, no_listen, code):
    found = wrong(postgres.judge(replace(FIT, pooler=pooler, no_listen=no_listen)))
    assert [each[1] for each in found] == ([code] if code else [])


def test_a_setting_by_which_a_201_promises_too_much_is_told_with_the_statement_that_changes_it():
    empty = "PostgreSQL has replicas, and synchronous_standby_names is empty"
    risks = [
        ("fsync", "PostgreSQL runs with fsync = off: a crash of its machine can damage or lose everything"),
        ("synchronous_standby_names", f"{empty}: a failover can lose tasks answered with 201"),
    ]
    assert [each[2:] for each in wrong(postgres.judge(replace(FIT, risks=risks)))] == [
        (
            "PostgreSQL runs with fsync = off",
            "a crash of its machine can damage or lose everything",
            'psql -c "ALTER SYSTEM SET fsync = on" -c "SELECT pg_reload_conf()"',
        ),
        (
            empty,
            "a failover can lose tasks answered with 201",
            'psql -c "ALTER SYSTEM SET synchronous_standby_names = \'*\'" -c "SELECT pg_reload_conf()"',
        ),
    ]


@pytest.mark.parametrize(("seconds", "is_told"), [(4.9, False), (5.0, True)])
def test_who_holds_a_lock_that_others_wait_for_is_named(seconds, is_told):
    found = wrong(postgres.judge(replace(FIT, blocked=Blocked(count=2, longest=seconds, by=4711))))
    assert [each[2] for each in found] == [
        "2 statements wait for a lock, the longest for 5 s, which process 4711 of PostgreSQL holds"
    ] * is_told


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"oldest": (17, 599.0)}, []),
        ({"oldest": (17, 600.0)}, ["old_transaction"]),
        ({"oldest": None}, []),
        ({"upkeep": Upkeep(dead_rows=99_999)}, []),
        ({"upkeep": Upkeep(dead_rows=100_000)}, ["many_dead_rows"]),
        ({"upkeep": Upkeep()}, []),
    ],
)
def test_what_keeps_dead_rows_is_told(change, codes):
    assert [each[1] for each in wrong(postgres.judge(replace(FIT, **change)))] == codes


def test_each_way_out_is_for_a_reason_that_there_is():
    reasons = {reason for _, reason in _REASONS} | {"it does not answer", "no connection to it"}
    assert set(postgres.WAYS) <= reasons
