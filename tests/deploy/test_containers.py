"""The Dockerfile and the compose file of ``deploy/docker``, which cannot be run here: what they name exists."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import ZipFile

import click
import pytest
import yaml

from front_proxies import Caddy
from ports import free_port
from tasker.cli.root import tasker
from tasker.cli.server.service_manager import _SPARE
from tasker.cli.server.settings import API_KEYS_VARIABLE, SETTINGS
from tasker.config import Settings
from tasker.stores.kind import kind_of
from tasker.testing.server import TaskerServer

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "docker"
FILE, COMPOSE, CADDYFILE = FOLDER / "Dockerfile", FOLDER / "compose.yaml", FOLDER / "Caddyfile"
NOT_RUN = "# Not run by the tests: they have no Docker. What it names is checked."
PORT = Settings().listen_port
NODES = ("node1", "node2", "node3")
VARIABLES = {"POSTGRES_PASSWORD": "x", API_KEYS_VARIABLE: "x" * 16, "SITE": "tasks.example.org"}
"""What ``.env`` has to have."""


def instructions():
    """The instructions of the Dockerfile: each as its name and the rest."""
    lines = [line for line in FILE.read_text().replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


def of(name):
    return [rest for each, rest in instructions() if each == name]


def settings_by_variable():
    return {
        variable: setting
        for setting in SETTINGS
        for variable in setting.variables or (f"TASKER_{setting.name.upper()}",)
    }


def compose():
    text = COMPOSE.read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) == set(VARIABLES)
    return yaml.safe_load(re.sub(r"\$\{(\w+):\?[^}]+\}", lambda found: VARIABLES[found[1]], text))


def check_command(words):
    """Fail unless the words after ``tasker`` are a command with options that it has."""
    command, context, rest = tasker, click.Context(tasker), list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        command = command.get_command(context, rest.pop(0))
        assert command is not None, words
    known = {name for parameter in command.get_params(context) for name in parameter.opts}
    assert set(rest) <= known


@pytest.mark.parametrize("file", [FILE, COMPOSE], ids=lambda file: file.name)
def test_the_first_line_says_that_it_was_not_run(file):
    assert file.read_text().splitlines()[0] == NOT_RUN


def test_the_image_starts_a_command_that_exists_without_a_shell_between():
    (entry,), (command,) = of("ENTRYPOINT"), of("CMD")
    assert json.loads(entry) == ["tasker"]
    check_command(json.loads(command))
    assert of("STOPSIGNAL") == ["SIGTERM"]


def test_the_image_keeps_the_database_in_a_folder_that_is_a_volume_of_another_user_than_root():
    variables = dict(word.split("=", 1) for word in of("ENV")[0].split())
    known = settings_by_variable()
    ours = {name: text for name, text in variables.items() if name != "PATH"}
    for name, text in ours.items():
        known[name].parse(text)
    (volume,), (user,) = of("VOLUME"), of("USER")
    assert ours["DATABASE_URL"] == f"sqlite:{volume}/tasks.db"
    assert of("WORKDIR")[-1] == volume
    assert user == "tasker"
    assert f"--home-dir {volume} " in of("RUN")[1]
    assert of("EXPOSE") == [str(PORT)]


def test_the_image_can_be_built_of_what_the_build_is_given(tmp_path):
    _, build, export, *_ = (shlex.split(command) for command in of("RUN")[0].split("&& "))
    context, wheels = tmp_path / "context", tmp_path / "wheels"
    context.mkdir()
    for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines():
        if line.startswith("!"):
            there = ROOT / line[1:]
            copy = partial(shutil.copytree, symlinks=True) if there.is_dir() else shutil.copy
            copy(there, context / there.name)
    uv = [shutil.which("uv") or Path(sys.executable).with_name("uv")]
    here = ["--offline", "--no-build-isolation", "--python", sys.executable]  # what it needs is in this environment
    build[build.index("/wheels")] = wheels
    subprocess.run([*uv, *build[1:], *here], cwd=context, check=True, capture_output=True)
    assert {wheel.name.partition("-")[0] for wheel in wheels.glob("*.whl")} == {"tasker_client", "tasker_server"}
    (server,) = wheels.glob("tasker_server-*")
    assert any(name.endswith("/licenses/THIRD-PARTY.md") for name in ZipFile(server).namelist())
    export[export.index("/constraints.txt")] = tmp_path / "constraints.txt"
    subprocess.run([*uv, *export[1:], "--offline"], cwd=context, check=True, capture_output=True)
    constraints = (tmp_path / "constraints.txt").read_text()
    (extras,) = re.findall(r'"tasker-server\[(.+)\]"', FILE.read_text())
    assert extras == "postgres,otel"
    assert all(f"\n{name}==" in constraints for name in ("uvicorn", "httpx2", "asyncpg", "opentelemetry-sdk"))


def test_the_health_check_asks_the_server_and_fails_without_one(tmp_path):
    (check,) = re.findall(r"^HEALTHCHECK .*?CMD (\[.*\])$", FILE.read_text().replace("\\\n", " "), re.MULTILINE)
    _, *arguments = json.loads(check)

    def code(url):
        asked = [argument.replace(f"http://127.0.0.1:{PORT}", url) for argument in arguments]
        return subprocess.run([sys.executable, *asked], capture_output=True, check=False, timeout=60).returncode

    with TaskerServer(tmp_path) as server:
        assert code(server.url) == 0
        server.kill()
        assert code(server.url) == 1


def test_each_service_of_the_compose_file_has_commands_settings_and_files_that_exist():
    services = compose()["services"]
    known = settings_by_variable()
    assert [name for name in services if name.startswith("node")] == list(NODES)
    for name in (*NODES, "migrate"):
        check_command(services[name]["command"])
        for variable, text in services[name]["environment"].items():
            if variable != API_KEYS_VARIABLE:
                known[variable].parse(text)
        build = services[name]["build"]
        assert (FOLDER / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]).is_file()
    (mounted,) = [volume.split(":") for volume in services["proxy"]["volumes"] if volume.startswith("./")]
    assert (FOLDER / mounted[0]).is_file()
    assert services["migrate"]["command"] == ["db", "migrate"]


def test_the_nodes_reach_the_database_and_trust_the_network_that_they_share_with_the_proxy():
    parsed = compose()
    services = parsed["services"]
    url = urlsplit(services["node1"]["environment"]["DATABASE_URL"])
    database = services["db"]["environment"]
    assert kind_of(services["node1"]["environment"]["DATABASE_URL"]) is not None
    assert (url.hostname, url.username, url.password, url.path[1:]) == (
        *("db", database["POSTGRES_USER"]),
        *(database["POSTGRES_PASSWORD"], database["POSTGRES_DB"]),
    )
    (network,) = parsed["networks"]["inside"]["ipam"]["config"]
    assert services["node1"]["environment"]["TASKER_TRUSTED_PROXIES"] == network["subnet"]
    assert {tuple(service["networks"]) for service in services.values()} == {("inside",)}
    assert "ports" not in services["node1"], "only the proxy can be reached from outside"


def test_the_nodes_may_stop_for_as_long_as_they_need():
    grace = Settings().grace_period + _SPARE
    assert compose()["services"]["node1"]["stop_grace_period"] == f"{grace.total_seconds():.0f}s"


@pytest.mark.skipif(not Caddy.is_here(), reason="caddy is not here; .ci/run installs it")
def test_the_proxy_of_the_compose_file_sends_calls_to_the_nodes_that_are_ready(tmp_path):
    class OfThree(Caddy):
        def site(self):
            text = CADDYFILE.read_text().replace("{$SITE}", self.url)
            return (
                text.replace(f"node1:{PORT}", f"127.0.0.1:{free_port()}")
                .replace(f"node2:{PORT}", self.upstream)
                .replace(f"node3:{PORT}", f"127.0.0.1:{free_port()}")
            )

    proxy = OfThree(tmp_path)
    with TaskerServer(tmp_path, "--allowed-host", "localhost") as server:
        try:
            proxy.start(urlsplit(server.url).netloc)
            task = b'{"hash": {"delay": "1h", "secret": "x"}}'
            answers = [proxy.ask("POST", "/tasks/new", task, {"content-type": "application/json"}) for _ in range(20)]
        finally:
            proxy.stop()
        assert {status for status, *_ in answers} == {201}
        assert server.client.count() == 20
