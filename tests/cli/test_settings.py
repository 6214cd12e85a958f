"""Where settings come from: an option, else a variable, else tasker.toml, else the default."""

import dataclasses
import json
import re
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import pytest
from command import run

from tasker.callers import KeyLine, Role, read_key_line
from tasker.cli.server import sources
from tasker.client.settings import VARIABLES
from tasker.config import Settings, is_loopback
from tasker.stores.sqlite.kind import location as sqlite_location

KEY = "0123456789abcdef"
OTHER_KEY = "fedcba9876543210"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def seconds(number):
    return timedelta(seconds=number)


class Way(NamedTuple):
    """A value given by each of the three, and what each means."""

    option: str
    by_option: object
    variable: str
    text: str
    by_variable: object
    toml: str
    by_key: object


WAYS = {
    "database_url": Way(
        "--database-url sqlite:a", "sqlite:a", "DATABASE_URL", "sqlite:b", "sqlite:b", "'sqlite:c'", "sqlite:c"
    ),
    "database_schema": Way("--database-schema a", "a", "TASKER_DATABASE_SCHEMA", "b_2", "b_2", "'_c'", "_c"),
    "no_migrate": Way("--no-migrate", True, "TASKER_NO_MIGRATE", "0", False, "true", True),
    "no_listen": Way("--no-listen", True, "TASKER_NO_LISTEN", "No", False, "true", True),
    "paused": Way("--paused", True, "TASKER_PAUSED", "off", False, "true", True),
    "listen_ip": Way("--listen-ip 127.0.0.2", "127.0.0.2", "LISTEN_IP", "0::1", "::1", "'127.0.0.4'", "127.0.0.4"),
    "listen_port": Way("--listen-port 0", 0, "LISTEN_PORT", "65535", 65_535, "80", 80),
    "metrics_listen": Way(
        "--metrics-listen 127.0.0.1:0",
        ("127.0.0.1", 0),
        "TASKER_METRICS_LISTEN",
        "[0::1]:9464",
        ("::1", 9464),
        "'0.0.0.0:1'",
        ("0.0.0.0", 1),
    ),
    "log_level": Way("--log-level error", "ERROR", "LOG_LEVEL", "Trace", "TRACE", "'warning'", "WARN"),
    "log_format": Way("--log-format JSON", "json", "TASKER_LOG_FORMAT", "console", "console", "'json'", "json"),
    "max_body_bytes": Way("--max-body-bytes 1024", 1_024, "TASKER_MAX_BODY_BYTES", "2048", 2_048, "4096", 4_096),
    "header_timeout": Way(
        "--header-timeout 0.5", seconds(0.5), "TASKER_HEADER_TIMEOUT", "2", seconds(2), "3", seconds(3)
    ),
    "body_timeout": Way(
        "--body-timeout 1", seconds(1), "TASKER_BODY_TIMEOUT", "3600", seconds(3600), "2.5", seconds(2.5)
    ),
    "keep_alive_timeout": Way(
        *("--keep-alive-timeout 620", seconds(620)),
        *("TASKER_KEEP_ALIVE_TIMEOUT", "86400", seconds(86_400)),
        *("0.5", seconds(0.5)),
    ),
    "max_deliveries": Way("--max-deliveries 1", 1, "TASKER_MAX_DELIVERIES", "2", 2, "10000", 10_000),
    "per_destination": Way("--per-destination 1", 1, "TASKER_PER_DESTINATION", "2", 2, "10000", 10_000),
    "attempts_kept": Way("--attempts-kept 1", 1, "TASKER_ATTEMPTS_KEPT", "2", 2, "1000", 1_000),
    "egress": Way("--egress LAN", "lan", "TASKER_EGRESS", "public", "public", "'any'", "any"),
    "allow_targets": Way(
        *("--allow-target 10.0.0.0/8:443 --allow-target Hooks.internal", ("10.0.0.0/8:443", "hooks.internal")),
        *("TASKER_ALLOW_TARGETS", "[0::1]:80, ::1", ("[::1]:80", "::1")),
        *("['169.254.169.254', 'a:1']", ("169.254.169.254", "a:1")),
    ),
    "deny_targets": Way(
        *("--deny-target fd00::/8", ("fd00::/8",)),
        *("TASKER_DENY_TARGETS", "10.0.0.1/32,", ("10.0.0.1",)),
        *("['[FD00::/8]:1']", ("[fd00::/8]:1",)),
    ),
    "egress_proxy": Way(
        *("--egress-proxy http://proxy:4750", "http://proxy:4750"),
        *("TASKER_EGRESS_PROXY", "http://me:p%40ss@proxy:1", "http://me:p%40ss@proxy:1"),
        *("'http://[::1]:3128/'", "http://[::1]:3128/"),
    ),
    "pbkdf2_iterations": Way(
        "--pbkdf2-iterations 1000", 1_000, "TASKER_PBKDF2_ITERATIONS", "2000", 2_000, "3000", 3_000
    ),
    "keep_done": Way("--keep-done 90s", seconds(90), "TASKER_KEEP_DONE", "Forever", None, "'30m'", seconds(1_800)),
    "alert_url": Way(
        *("--alert-url https://hooks.example.org/x?y", "https://hooks.example.org/x?y"),
        *("TASKER_ALERT_URL", "http://me:pass@[::1]:9/", "http://me:pass@[::1]:9/"),
        *("'http://localhost'", "http://localhost"),
    ),
    "alert_after": Way(
        "--alert-after 1s", seconds(1), "TASKER_ALERT_AFTER", "5m", seconds(300), "'1d'", seconds(86_400)
    ),
    "keep_failed": Way("--keep-failed forever", None, "TASKER_KEEP_FAILED", "12h", seconds(43_200), "'0s'", seconds(0)),
    "keep_audit": Way("--keep-audit 90s", seconds(90), "TASKER_KEEP_AUDIT", "forever", None, "'12h'", seconds(43_200)),
    "circuit_patience": Way(
        "--circuit-patience 0s", seconds(0), "TASKER_CIRCUIT_PATIENCE", "90s", seconds(90), "'2h'", seconds(7_200)
    ),
    "idempotency_retention": Way(
        *("--idempotency-retention 90s", seconds(90)),
        *("TASKER_IDEMPOTENCY_RETENTION", "30m", seconds(1_800)),
        *("'2d'", seconds(172_800)),
    ),
    "grace_period": Way(
        "--grace-period 0", seconds(0), "TASKER_GRACE_PERIOD", "1.5", seconds(1.5), "3600", seconds(3600)
    ),
    "api_keys_file": Way("--api-keys-file a", Path("a"), "TASKER_API_KEYS_FILE", "b", Path("b"), "'c'", Path("c")),
    "webhook_secrets_file": Way(
        "--webhook-secrets-file d", Path("d"), "TASKER_WEBHOOK_SECRETS_FILE", "e", Path("e"), "'f'", Path("f")
    ),
    "webhook_secrets": Way(
        *(f"--webhook-secret {SECRET} --webhook-secret {OTHER_SECRET}", (SECRET, OTHER_SECRET)),
        *("TASKER_WEBHOOK_SECRET", f"{OTHER_SECRET}, {SECRET}", (OTHER_SECRET, SECRET)),
        *(f"['{OTHER_SECRET}']", (OTHER_SECRET,)),
    ),
    "key_rate": Way("--key-rate 1", 1, "TASKER_KEY_RATE", "20", 20, "3000", 3_000),
    "otel": Way("--otel", True, "TASKER_OTEL", "off", False, "true", True),
    "no_auth": Way("--no-auth", True, "TASKER_NO_AUTH", "off", False, "true", True),
    "public_url": Way(
        *("--public-url https://tasks.example.org/t/", "https://tasks.example.org/t"),
        *("TASKER_PUBLIC_URL", "http://localhost:8080", "http://localhost:8080"),
        *("'http://[::1]:8080/'", "http://[::1]:8080"),
    ),
    "allowed_hosts": Way(
        *("--allowed-host one --allowed-host TWO.example.org", ("one", "two.example.org")),
        *("TASKER_ALLOWED_HOSTS", "three, four", ("three", "four")),
        *("['five', 'six']", ("five", "six")),
    ),
    "dev_clock": Way("--dev-clock", True, "TASKER_DEV_CLOCK", "off", False, "true", True),
    "app": Way("--app shop.tasks:app", "shop.tasks:app", "TASKER_APP", "a:b", "a:b", "'c.d:e'", "c.d:e"),
    "app_workers": Way("--app-workers 0", 0, "TASKER_APP_WORKERS", "3", 3, "64", 64),
    "no_dashboard": Way("--no-dashboard", True, "TASKER_NO_DASHBOARD", "off", False, "true", True),
    "root_path": Way("--root-path /a/b/", "/a/b", "TASKER_ROOT_PATH", "/tasker", "/tasker", "'/'", ""),
    "trusted_proxies": Way(
        *("--trusted-proxy 10.0.0.5 --trusted-proxy 0::1", ("10.0.0.5", "::1")),
        *("TASKER_TRUSTED_PROXIES", "10.0.0.0/24, fd12::/64", ("10.0.0.0/24", "fd12::/64")),
        *("['127.0.0.1']", ("127.0.0.1",)),
    ),
}


def test_the_table_of_this_test_has_every_setting():
    fields = {field.name for field in dataclasses.fields(Settings)}
    others = {"api_keys", "said"}
    assert set(WAYS) | others == fields, "keys come from a variable and a file alone; said tells of all the others"


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("command", [[], ["serve"]])
def test_an_option_counts_before_a_variable_before_a_key_before_the_default(settings_from, tmp_path, name, command):
    for file in "abc":
        (tmp_path / file).write_text(KEY)
    for file in "def":
        (tmp_path / file).write_text(SECRET)
    way = WAYS[name]
    variables, toml = {way.variable: way.text}, f"{name} = {way.toml}"

    assert getattr(settings_from(*command, toml=""), name) == getattr(Settings(), name)
    assert getattr(settings_from(*command, toml=toml), name) == way.by_key
    assert getattr(settings_from(*command, variables=variables), name) == way.by_variable
    assert getattr(settings_from(*command, *way.option.split(), variables=variables), name) == way.by_option


def test_nothing_given_makes_the_defaults(settings_from):
    assert settings_from() == Settings()
    defaults = Settings()
    assert (defaults.database_url, defaults.listen_ip, defaults.listen_port) == ("sqlite:tasks.db", "127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({"LOG_LEVEL": "TRACE"}, "TRACE"),
        ({"LOG_LEVEL": "debug"}, "DEBUG"),
        ({"LOG_LEVEL": " Info "}, "INFO"),
        ({"LOG_LEVEL": "wArN"}, "WARN"),
        ({"LOG_LEVEL": "Warning"}, "WARN"),
        ({"RUST_LOG": "Error"}, "ERROR"),
        ({"RUST_LOG": "hyper=trace,debug,tower=warn"}, "DEBUG"),
        ({"RUST_LOG": "hyper=trace"}, "INFO"),
        ({"LOG_LEVEL": "debug", "RUST_LOG": "error"}, "DEBUG"),
        ({"LOG_LEVEL": "", "RUST_LOG": "error"}, "ERROR"),
        ({"LOG_LEVEL": "", "RUST_LOG": ""}, "INFO"),
    ],
)
def test_the_log_level_is_read_in_any_case_and_from_either_variable(settings_from, variables, level):
    assert settings_from(variables=variables).log_level == level


@pytest.mark.parametrize(
    "variable", ["DATABASE_URL", "LISTEN_IP", "LISTEN_PORT", "TASKER_CONFIG", "TASKER_GRACE_PERIOD"]
)
def test_an_empty_variable_counts_as_not_set(settings_from, variable):
    assert settings_from(variables={variable: ""}) == Settings()


def test_the_file_of_settings_is_the_one_that_is_named(settings_from, tmp_path):
    (tmp_path / "one.toml").write_text("listen_port = 1")
    (tmp_path / "two.toml").write_text("listen_port = 2")
    toml = "listen_port = 3"
    variables = {"TASKER_CONFIG": "two.toml"}
    assert settings_from(toml=toml).listen_port == 3
    assert settings_from(variables=variables).listen_port == 2
    assert settings_from("--config", "one.toml", variables=variables).listen_port == 1


def test_keys_come_from_the_variable_and_the_file_together(settings_from, tmp_path):
    (tmp_path / "keys").write_text(f"# those who may call\n{KEY}  # the shop\n\n{KEY}\n")
    settings = settings_from("--api-keys-file", "keys", variables={"TASKER_API_KEYS": f"{OTHER_KEY}, {KEY},"})
    assert set(settings.api_keys) == {KEY, OTHER_KEY}
    assert KEY not in repr(settings)


def test_a_key_may_have_a_role_and_a_name(settings_from, tmp_path):
    (tmp_path / "keys").write_text(f"{KEY} read grafana  # dashboards\n{OTHER_KEY}  write\n")
    settings = settings_from("--api-keys-file", "keys", variables={"TASKER_API_KEYS": "x" * 16 + " metrics the one"})
    assert [read_key_line(line) for line in settings.api_keys] == [
        KeyLine("x" * 16, Role.METRICS, "the one"),
        KeyLine(KEY, Role.READ, "grafana"),
        KeyLine(OTHER_KEY, Role.WRITE, ""),
    ]


def test_of_two_lines_with_one_key_the_first_counts(settings_from, tmp_path):
    (tmp_path / "keys").write_text(f"{KEY} read\n{OTHER_KEY}\n{KEY} admin\n")
    assert settings_from("--api-keys-file", "keys").api_keys == (f"{KEY} read", OTHER_KEY)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"{KEY} {OTHER_KEY}", ["line 2", "a role after the key", "metrics, read, write, admin"]),
        (f"{KEY} READ", ["line 2", "a role after the key"]),
        (f"{KEY} read {'x' * 101}", ["line 2", "a name of at most 100 printable characters"]),
        ("short read", ["line 2", "at least 16 printable ASCII characters"]),
    ],
)
def test_a_line_that_says_something_else_is_refused_and_not_shown(settings_from, tmp_path, capsys, line, words):
    (tmp_path / "keys").write_text(f"# first\n{line}\n")
    with pytest.raises(SystemExit):
        settings_from("--api-keys-file", "keys")
    told = capsys.readouterr().err
    assert [word for word in words if word not in told] == []
    assert [word for word in line.split() if len(word) > 5 and word in told] == []


def test_signing_secrets_come_from_where_they_are_said_and_from_the_file_together(settings_from, tmp_path):
    (tmp_path / "secrets").write_text(f"# the new one signs first\n\n{SECRET}  # until May\n{SECRET}\n")
    settings = settings_from(
        "--webhook-secrets-file", "secrets", variables={"TASKER_WEBHOOK_SECRET": f"{OTHER_SECRET},"}
    )
    assert settings.webhook_secrets == (OTHER_SECRET, SECRET)
    assert SECRET not in repr(settings)
    assert settings_from("--webhook-secrets-file", "secrets").webhook_secrets == (SECRET,)


@pytest.mark.parametrize("ip", ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"])
def test_others_may_be_let_in_with_keys_or_on_purpose(settings_from, ip):
    assert settings_from("--listen-ip", ip, variables={"TASKER_API_KEYS": KEY}).listen_ip == str(ip_address(ip))
    assert settings_from("--listen-ip", ip, "--no-auth").listen_ip == str(ip_address(ip))


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_alone_needs_no_keys(settings_from, ip):
    assert is_loopback(settings_from("--listen-ip", ip).listen_ip)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("sqlite:tasks.db", "tasks.db"),
        ("sqlite:data/tasks.db", "data/tasks.db"),
        ("sqlite:/var/lib/tasks.db", "/var/lib/tasks.db"),
        ("sqlite://tasks.db", "tasks.db"),
        ("sqlite:///var/lib/tasks.db", "/var/lib/tasks.db"),
        ("SQLite:tasks.db?mode=rwc", "tasks.db"),
        ("sqlite:a%20b#c d.db", "a%20b#c d.db"),
        ("sqlite::memory:", ":memory:"),
        ("sqlite://:memory:", ":memory:"),
    ],
)
def test_a_database_url_names_a_path_as_it_is_or_memory(settings_from, url, location):
    assert sqlite_location(settings_from("--database-url", url).database_url) == location


@pytest.mark.parametrize(
    "url",
    ["postgresql://localhost/tasks", "postgres://db1,db2:5433/tasks?target_session_attrs=read-write", "PostgreSQL://"],
)
def test_a_database_url_of_postgresql_is_left_to_postgresql(settings_from, url):
    assert settings_from("--database-url", url).database_url == url


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("0s", timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
        ("36500d", timedelta(days=36_500)),
        ("876000h", timedelta(days=36_500)),
        ("forever", None),
        ("FOREVER", None),
    ],
)
def test_an_age_is_a_whole_number_with_its_unit_or_forever(settings_from, text, age):
    settings = settings_from("--keep-done", text, variables={"TASKER_KEEP_FAILED": text})
    assert (settings.keep_done, settings.keep_failed) == (age, age)


@pytest.mark.parametrize(
    ("options", "level"),
    [
        ([], "lan"),
        (["--listen-ip", "127.8.8.8"], "lan"),
        (["--listen-ip", "::1"], "lan"),
        (["--listen-ip", "0.0.0.0"], "public"),
        (["--listen-ip", "::"], "public"),
        (["--listen-ip", "10.0.0.1"], "public"),
        (["--listen-ip", "0.0.0.0", "--egress", "lan"], "lan"),
        (["--listen-ip", "0.0.0.0", "--egress", "any"], "any"),
        (["--egress", "public"], "public"),
        (["--egress", "auto"], "lan"),
        (["--listen-ip", "0.0.0.0", "--egress", "Auto"], "public"),
    ],
)
def test_whom_webhooks_may_call_is_decided_by_whom_the_server_listens_to_unless_it_is_said(
    settings_from, options, level
):
    # Keys decide nothing: one that is made later must not end tasks that wait.
    for variables in ({"TASKER_API_KEYS": KEY}, {"TASKER_NO_AUTH": "yes"}):
        assert settings_from(*options, variables=variables).egress_level == level


def test_the_proxy_is_not_in_the_text_of_the_settings(settings_from):
    assert "s3cret" not in repr(settings_from("--egress-proxy", "http://me:s3cret@proxy:1"))


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_has_every_setting_with_its_variables_and_default(tmp_path, option):
    done = run(tmp_path, "serve", option, variables={"COLUMNS": "100"})
    assert (done.returncode, done.stderr) == (0, "")
    entries = re.split(r"\n  (?=-)", done.stdout)
    for name, way in WAYS.items():
        flag = way.option.split()[0]
        (entry,) = [" ".join(entry.split()) for entry in entries if entry.startswith(flag + " ")]
        assert way.variable in entry
        default = getattr(Settings(), name)
        if default not in (None, False, (), ""):
            ages = {
                "keep_done": "7d",
                "keep_failed": "30d",
                "keep_audit": "90d",
                "circuit_patience": "1h",
                "idempotency_retention": "1d",
                "alert_after": "1m",
            }
            shown = ages.get(name)
            if shown is None:
                shown = f"{default.total_seconds():g}" if isinstance(default, timedelta) else str(default)
            assert f"default: {shown}]" in entry
    assert "TASKER_API_KEYS also takes keys" in " ".join(done.stdout.split())
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


@pytest.mark.parametrize(
    ("variable", "doubts"),
    [
        ("TASKER_LISTEN_PORT", ["there is no variable TASKER_LISTEN_PORT; did you mean LISTEN_PORT?"]),
        ("TASKER_MAX_DELIVERY", ["there is no variable TASKER_MAX_DELIVERY; did you mean TASKER_MAX_DELIVERIES?"]),
        ("TASKER_API_KEY", ["there is no variable TASKER_API_KEY; did you mean TASKER_API_KEYS?"]),
        ("TASKER_X", ["there is no variable TASKER_X"]),
        ("TASKER_KEY_FILES", ["there is no variable TASKER_KEY_FILES; did you mean TASKER_KEY_FILE?"]),
        *((name, []) for name in ("TASKER_NO_AUTH", "TASKER_API_KEYS", "TASKER_CONFIG", "OTHER", *VARIABLES)),
    ],
)
def test_a_variable_that_is_none_is_doubted_and_its_value_is_not_shown(variable, doubts):
    assert sources.doubts(Settings(), {variable: "s3cret", "LISTEN_PORT": "1"}) == doubts


def test_workers_without_an_app_are_doubted():
    (doubt,) = sources.doubts(Settings(app_workers=4), {})
    assert doubt == "--app-workers has no effect without --app: there are no functions to run"
    assert sources.doubts(Settings(app="shop:app", app_workers=4), {}) == []


def test_what_is_doubted_is_in_the_log(tmp_path):
    done = run(tmp_path, "db", "migrate", variables={"TASKER_NO_MIGRAT": "yes"})
    assert json.loads(done.stderr.splitlines()[0])["event"].endswith("did you mean TASKER_NO_MIGRATE?")


@pytest.mark.parametrize(("mode", "is_doubted"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
@pytest.mark.parametrize("name", ["api_keys_file", "webhook_secrets_file"])
def test_a_file_of_secrets_that_everybody_can_read_is_doubted(tmp_path, name, mode, is_doubted):
    file = tmp_path / "my keys"
    file.write_text(KEY)
    file.chmod(mode)
    expected = [f"every user of this machine can read {file}, which holds secrets; run: chmod o= '{file}'"]
    assert sources.doubts(Settings(**{name: file}), {}) == (expected if is_doubted else [])
