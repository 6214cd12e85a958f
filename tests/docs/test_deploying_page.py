"""What the page on deploying says is done here, as far as it can be: the settings, the keys, the proxy."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from pages import DOCS, ROOT, blocks, table

from front_proxies import DEPLOY, Caddy
from tasker.cli.server import sources
from tasker.cli.server.service_manager import _SPARE
from tasker.config import Settings

PAGE = DOCS / "deploying.md"
UNIT = (DEPLOY / "systemd" / "tasker.service").read_text()
BIN = Path(sys.executable).parent
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}


def block(word, language="sh"):
    """Return the one block of the page that has a word."""
    (text,) = (text for each, text in blocks(PAGE) if each == language and word in text)
    return text


def run(text, **variables):
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-ec", text],
        cwd=ROOT, env={**CLEAN, "PATH": path, **variables}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (text, done.stdout, done.stderr)
    return done.stdout


@contextmanager
def started_by_the_unit(folder, etc):
    """Run the command of the unit, with what systemd would give it; on a free port."""
    (command,) = re.findall(r"^ExecStart=/opt/tasker/bin/tasker (.+)$", UNIT, re.MULTILINE)
    variables = dict(re.findall(r"^Environment=(\w+)=(.+)$", UNIT, re.MULTILINE))
    words = command.replace("${CREDENTIALS_DIRECTORY}", str(etc)).split()
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tasker", *words],
            cwd=folder,
            env={
                **CLEAN,
                "LISTEN_PORT": "0",
                **{name: text.replace("%d", str(etc)) for name, text in variables.items()},
            },
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        first = process.stdout.readline()
        assert first.startswith("Listening on "), (folder / "server.log").read_text()
        yield first.split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A server that runs as the page says: its URL, its folders, and the variables of a shell."""
    folder = tmp_path_factory.mktemp("machine")
    etc = folder / "etc-tasker"
    run(block("install -d").replace("/etc/tasker", str(etc)))
    settings = etc / "tasker.toml"
    assert "sqlite:/var/lib/tasker/" in settings.read_text()
    settings.write_text(settings.read_text().replace("/var/lib/tasker", str(folder)))
    with started_by_the_unit(folder, etc) as url:
        yield SimpleNamespace(url=url, folder=folder, etc=etc, variables={"TASKER_URL": url, "HOME": str(folder)})


def test_the_settings_and_keys_are_what_the_unit_reads_and_root_alone_can_read_them(machine):
    named = dict(re.findall(r"^LoadCredential=(.+):(/etc/tasker/.+)$", UNIT, re.MULTILINE))
    assert sorted(named) == sorted(file.name for file in machine.etc.iterdir())
    assert [row[0].strip("`") for row in table(PAGE, "## On a server, in ten minutes")] == list(named)
    assert machine.etc.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in machine.etc.iterdir()} == {0o600}


def test_a_task_is_added_with_the_key_of_the_page(machine):
    text = block("tasker ls").replace("/etc/tasker", str(machine.etc)).replace("/opt/tasker/bin", str(BIN))
    assert "https://example.org/hook" in run(text, **machine.variables)
    assert "without a key" not in (machine.folder / "server.log").read_text()


def test_the_doctor_finds_no_fault_with_that_server(machine):
    said = run(block("tasker doctor").replace("/etc/tasker", str(machine.etc)), **machine.variables)
    assert "ready, at " in said
    assert "fault" not in said


def test_cron_makes_a_backup_of_that_server(machine):
    path, line = block("tasker db backup", "text").splitlines()
    assert path.startswith("PATH=/opt/tasker/bin:")
    *when, user, command = line.split(None, 6)
    assert when == ["17", "3", "*", "*", "*"]
    assert f"User={user}\n" in UNIT
    run(command.replace("/var/lib/tasker", str(machine.folder)), **machine.variables)
    assert len([*(machine.folder / "backups").glob("tasks-*.db")]) == 1


@pytest.mark.skipif(not Caddy.is_here(), reason="caddy is not here; .ci/run installs it")
def test_the_server_answers_through_the_proxy(machine, tmp_path):
    proxy = Caddy(tmp_path)
    try:
        proxy.start(urlsplit(machine.url).netloc)
        text = block("curl --fail").replace("https://tasks.example.org", proxy.url)
        assert '"status"' in run(text, CURL_CA_BUNDLE=str(proxy.authority))
    finally:
        proxy.stop()
    assert "caddy validate --config /etc/caddy/Caddyfile" in block("caddy validate", "text")
    run(f"caddy validate --adapter caddyfile --config {DEPLOY}/caddy/Caddyfile", HOME=str(tmp_path))


def test_the_environment_of_the_containers_is_complete_and_secret(tmp_path):
    run(block("cat > .env").replace("cd deploy/docker", f"cd {tmp_path}"))
    made = tmp_path / ".env"
    assert made.stat().st_mode & 0o777 == 0o600
    variables = dict(line.split("=", 1) for line in made.read_text().splitlines())
    needed = set(re.findall(r"\$\{(\w+)", (DEPLOY / "docker" / "compose.yaml").read_text()))
    assert set(variables) == needed
    assert sources.load({}, {"TASKER_API_KEYS": variables["TASKER_API_KEYS"]}).api_keys
    assert variables["POSTGRES_PASSWORD"].isalnum(), "it stands in a URL as it is"


@pytest.mark.parametrize("text", [text for language, text in blocks(PAGE) if language == "toml"])
def test_each_settings_file_of_the_page_can_be_used(tmp_path, text):
    file = tmp_path / "tasker.toml"
    file.write_text(text)
    settings = sources.load({"config": str(file)}, {"TASKER_API_KEYS": "x" * 16})
    assert settings.public_url.startswith("https://")


def test_every_file_that_the_page_names_exists():
    named = set(re.findall(r"\bdeploy/[\w./-]*\w", PAGE.read_text()))
    assert len(named) >= 7
    assert [name for name in named if not (ROOT / name).exists()] == []
    for folder in ("systemd", "nginx", "caddy", "docker"):
        for file in (DEPLOY / folder).iterdir():
            assert file.name.partition("Dockerfile.")[0] in PAGE.read_text() or file.name == "Caddyfile", file.name


def test_the_container_has_as_much_time_to_stop_as_it_may_need():
    words = shlex.split(block("docker run", "text"))
    needed = (Settings().grace_period + _SPARE).total_seconds()
    assert float(words[words.index("--stop-timeout") + 1]) >= needed
    assert f"**Give it {needed:.0f} s to stop.**" in PAGE.read_text()


def test_what_the_page_says_of_the_unit_is_so():
    text = PAGE.read_text()
    (limit,) = re.findall(r"^LimitNOFILE=(\d+)$", UNIT, re.MULTILINE)
    assert f"**It may have {int(limit):,} open files**" in text
    (watchdog,) = re.findall(r"^WatchdogSec=(\d+)s$", UNIT, re.MULTILINE)
    assert f"after {watchdog} s without a sign from the whole server, or {2 * int(watchdog)} s" in text
    (wait,) = re.findall(r"^RestartSec=(\d)s$", UNIT, re.MULTILINE)
    assert wait == "2"
    assert "after two seconds" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here; .ci/run installs it")
def test_what_the_page_says_of_the_exposure_is_so():
    version = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=True).stdout
    text = PAGE.read_text()
    (judge,) = re.findall(r"\(systemd (\d+); less is better\)", text)
    if version.startswith(f"systemd {judge} "):  # others judge otherwise
        assert f"rates it {exposure()} of 10" in text


def exposure():
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", DEPLOY / "systemd" / "tasker.service"],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    return re.search(r"Overall exposure level for tasker.service: ([\d.]+)", judged)[1]
