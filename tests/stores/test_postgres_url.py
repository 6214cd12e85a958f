"""URLs of PostgreSQL as other programs write them."""

import pytest

from tasker.errors import DatabaseUrlError
from tasker.stores.postgres import url as urls
from tasker.stores.postgres.kind import KIND

PLAIN = "postgresql://me:s3cret@db1/tasks"


@pytest.mark.parametrize(
    "query",
    [
        "keepalives=1&keepalives_idle=30&keepalives_interval=10&keepalives_count=3&tcp_user_timeout=5000",
        "gssencmode=prefer&channel_binding=disable&sslcertmode=allow&replication=false&requirepeer=",
        "client_encoding=auto&load_balance_hosts=random&sslcompression=0&sslsni=1&min_protocol_version=3.0",
    ],
)
def test_what_asks_for_nothing_that_tasker_does_not_do_is_dropped(query):
    assert urls.read(f"{PLAIN}?{query}") == urls.read(PLAIN)


def test_what_asyncpg_reads_is_handed_on_and_the_last_of_a_name_counts():
    read = urls.read(
        f"{PLAIN}?sslmode=disable&sslmode=verify-full&sslrootcert=/a+b/c%26d.crt&target_session_attrs=read-write"
    )
    assert read.hosts == [
        f"{PLAIN}?sslmode=verify-full&sslrootcert=%2Fa%2Bb%2Fc%26d.crt&target_session_attrs=read-write"
    ]
    assert read.arguments == {}


def test_each_host_is_tried_by_itself_and_the_primary_is_looked_for():
    read = urls.read("postgres://me@db1,[::1]:5433,%2Frun%2Fpg/tasks?connect_timeout=10")
    assert read.hosts == [f"postgresql://me@{host}/tasks" for host in ("db1", "[::1]:5433", "%2Frun%2Fpg")]
    assert read.arguments == {"target_session_attrs": "primary"}
    assert (read.connect_timeout, read.place) == (10.0, "postgres://db1,[::1]:5433,%2Frun%2Fpg/tasks")


@pytest.mark.parametrize(("text", "seconds"), [("", None), ("0", None), ("-1", None), ("3", 3.0)])
def test_a_timeout_of_nothing_is_none(text, seconds):
    assert urls.read(f"{PLAIN}?connect_timeout={text}").connect_timeout == seconds


def test_settings_come_from_options_and_by_their_names():
    read = urls.read(
        f"{PLAIN}?options=-c%20search_path%3Da%5C%20b,c%20--work-mem=8MB%20-cmy.own=x&statement_timeout=1s"
    )
    assert read.settings == {"search_path": "a b,c", "work_mem": "8MB", "my.own": "x", "statement_timeout": "1s"}
    names = [
        urls.read(f"{PLAIN}?{query}").application_name
        for query in ("", "fallback_application_name=a", "application_name=b")
    ]
    assert names == ["tasker", "a", "b"]


def test_the_authorities_of_the_machine_are_called_system():
    for query in ("sslrootcert=system", "sslrootcert=system&sslmode=verify-full"):
        read = urls.read(f"{PLAIN}?{query}")
        assert (read.hosts, read.arguments["ssl"]) == ([PLAIN], True)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql://me:s3cret/tasks", "a port from 1 to 65535"),
        ("postgresql://me:s3cret", "a port from 1 to 65535"),
        ("postgresql://me:1/s3cret@db1/tasks", "%2F for /"),
        ("postgresql://me:s3cret@more@db1/tasks", "%40 for @"),
        ("postgresql://me:s3#cret@db1/tasks", "%23 for #"),
        ("postgresql://me:s?s3cret@db1/tasks", "%3F for ?"),
        ("postgresql://me?s3cret@db1/tasks", "%3F for ?"),
        ("postgresql://me?a=s3cret@db1/tasks", "%3F for ?"),
        ("postgresql://db1:0/tasks", "a port from 1 to 65535"),
        ("postgresql://db1:99999/tasks", "a port from 1 to 65535"),
        ("postgresql://[::1/tasks", "expected HOST:PORT"),
        ("postgresql://db1/tasks?port=s3cret", "a port from 1 to 65535"),
        ("postgresql://db1/tasks?sslmode=s3cret", "expected sslmode to be one of disable, allow"),
        ("postgresql://db1/tasks?target_session_attrs=standby", "one of any, primary, read-write"),
        ("postgresql://db1/tasks?connect_timeout=s3cret", "a whole number of seconds"),
        ("postgresql://db1/tasks?options=s3cret", "-c NAME=VALUE"),
        ("postgresql://db1/tasks?channel_binding=require", "channel_binding is not supported"),
        ("postgresql://db1/tasks?gssencmode=require", "gssencmode is not supported"),
        ("postgresql://db1/tasks?hostaddr=10.0.0.1", "the address as the host"),
        ("postgresql://db1/tasks?sslrootcert=system&sslmode=require", "needs sslmode=verify-full"),
    ],
)
def test_what_cannot_be_used_is_explained_and_nothing_after_the_scheme_is_shown(url, problem):
    with pytest.raises(DatabaseUrlError, match=problem.replace("?", r"\?")) as refusal:
        urls.read(url)
    assert refusal.value.path == KIND.shown(url) == "postgresql://***"
    assert "s3cret" not in str(refusal.value)
