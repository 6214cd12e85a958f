"""The two distributions as users get them: built, installed outside of the repository, upgraded and removed."""

import base64
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from email.parser import HeaderParser

import pytest

import pythons
from distributions import ROOT, SIDES, distributions, output_of

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
OF_OTHERS = {str(path.relative_to(ROOT)) for path in ROOT.glob("src/tasker/**/*.LICENSE")}
WITH_EXTRAS = {"asyncpg", "opentelemetry"}
FOR_TESTS = {"pytest"}
"""What only those have who test with ``tasker.testing``."""

FOR_USERS_OF = {"tasker.django": "django", "tasker.fastapi": "starlette"}
"""What of the client is for users of something that nothing installs."""

FIRST_TASK = """
import sys, tasker
with tasker.Client(sys.argv[1]) as client:
    made = client.create("hash", {"secret": "correct-horse-battery-staple"}, delay=0)
    print(client.wait(made.id, timeout=120).state)
"""

IMPORT_ALL = """
import importlib, importlib.metadata, json, sys
failed = {}
for path in importlib.metadata.files(sys.argv[1]):
    if path.suffix == ".py" and path.name != "__main__.py":
        name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            failed[name] = error.name
print(json.dumps(failed))
"""


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """The wheels, by their side, and those of a later version."""
    return distributions(tmp_path_factory)


def files_in(wheel):
    with zipfile.ZipFile(wheel) as file:
        return {name for name in file.namelist() if ".dist-info/" not in name}


def metadata_of(wheel):
    with zipfile.ZipFile(wheel) as file:
        (name,) = [name for name in file.namelist() if name.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(file.read(name).decode())


def rooms_of(modules):
    """Return what *modules* need that is not there, by the rooms that they are in."""
    return {".".join(name.split(".")[:2]): needed for name, needed in modules.items()}


class Environment:
    """A virtual environment of its own."""

    def __init__(self, folder, interpreter):
        self.folder, self.bin = folder, folder / "env" / "bin"
        output_of(pythons.uv(), "venv", "--quiet", "--seed", "--python", interpreter, folder / "env", cwd=folder)

    def pip(self, *arguments):
        return output_of(self.bin / "python", "-m", "pip", "--disable-pip-version-check", *arguments, cwd=self.folder)

    def python(self, code, *arguments):
        return output_of(self.bin / "python", "-c", code, *arguments, cwd=self.folder)

    def what_cannot_be_imported(self, name):
        return json.loads(self.python(IMPORT_ALL, name))

    def refusal(self, *arguments):
        done = subprocess.run(
            [self.bin / "tasker", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 2, done
        return done.stderr

    def check_files(self, *expected):
        """Check that these distributions, and no others, are there, and that each has all of its files as they were."""
        (site,) = (self.folder / "env" / "lib").glob("python*/site-packages")
        found = {}
        for info in site.glob("tasker_*.dist-info"):
            name, _, version = info.name.removesuffix(".dist-info").partition("-")
            with (info / "RECORD").open() as file:
                rows = [row for row in csv.reader(file) if row[1]]
            for path, digest, _ in rows:
                kind, _, value = digest.partition("=")
                content = hashlib.new(kind, (site / path).read_bytes()).digest()
                assert base64.urlsafe_b64encode(content).rstrip(b"=").decode() == value, path
            found[name] = version
        assert found == dict(expected)
        if not expected:
            assert not (site / "tasker").exists()
            assert not (self.bin / "tasker").exists()


@pytest.fixture
def environment(tmp_path):
    return Environment(tmp_path, sys.executable)


@contextmanager
def server(command, folder):
    """Run a server until the block ends, and give its URL."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("TASKER_", "LISTEN_"))}
    log = folder / "stderr.txt"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [command, "--listen-port", "0"], cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
    try:
        said = process.stdout.readline()
        assert said.startswith("Listening on http://"), (said, log.read_text())
        yield said.split()[-1]
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def test_no_file_is_in_both_and_none_is_left_out(dist):
    client, server = files_in(dist.client), files_in(dist.server)
    assert client & server == set()
    package = ROOT / "src" / "tasker"
    tree = {f"tasker/{path.relative_to(package)}" for path in package.rglob("*") if path.is_file()}
    assert client | server == {name for name in tree if "__pycache__" not in name}


def test_both_have_one_version_and_the_server_asks_for_that_client(dist):
    client, server = metadata_of(dist.client), metadata_of(dist.server)
    assert client["version"] == server["version"]
    assert (client["name"], server["name"]) == ("tasker-client", "tasker-server")
    needed = [each for each in client.get_all("requires-dist") if "extra ==" not in each]
    assert sorted(re.match(r"[\w-]+", each)[0] for each in needed) == ["httpx2", "msgspec"]
    assert f"tasker-client[cli]=={server['version']}" in server.get_all("requires-dist")
    assert "tasker-client[cli]==99.0.0" in metadata_of(dist.later_server).get_all("requires-dist")


@pytest.mark.parametrize("side", SIDES)
def test_each_says_what_it_is_and_under_which_license(dist, side):
    wheel = getattr(dist, side)
    said = metadata_of(wheel)
    assert said["license-expression"] == ("MIT" if side == "client" else "MIT AND 0BSD")
    assert said["requires-python"] == ">=3.11"
    assert said["description-content-type"] == "text/markdown"
    named = [each for each in said.get_all("classifier") if re.search(r":: 3\.\d+$", each)]
    assert [each.rpartition(" ")[2] for each in named] == list(PYTHONS)
    with zipfile.ZipFile(wheel) as file:
        licenses = {name.partition("/licenses/")[2]: name for name in file.namelist() if "/licenses/" in name}
        assert set(licenses) == set(said.get_all("license-file"))
        for place, name in licenses.items():
            assert file.read(name) == (ROOT / place).read_bytes()
    expected = {"LICENSE", "THIRD-PARTY.md", *OF_OTHERS} if side == "server" else {"LICENSE"}
    assert set(licenses) == expected
    assert f"# tasker{'-client' if side == 'client' else ''}\n" in said.get_payload()


def test_the_clients_way_with_pip_and_then_the_servers(dist, environment):
    version = metadata_of(dist.client)["version"]
    environment.pip("install", dist.client)
    failed = environment.what_cannot_be_imported("tasker-client")
    assert rooms_of(failed) == FOR_USERS_OF | {"tasker.cli": "click"}
    assert output_of(environment.bin / "tasker", "--version", cwd=environment.folder) == f"tasker {version}\n"
    assert "pip install 'tasker-client[cli]'" in environment.refusal("keys", "list")

    environment.pip("install", f"{dist.client}[cli]")
    assert rooms_of(environment.what_cannot_be_imported("tasker-client")) == FOR_USERS_OF
    for arguments in ([], ["serve"], ["--listen-port", "0"], ["db", "migrate"]):
        assert "pip install tasker-server" in environment.refusal(*arguments)

    environment.pip("install", dist.server)
    environment.check_files(("tasker_client", version), ("tasker_server", version))
    assert set(environment.what_cannot_be_imported("tasker-server").values()) <= WITH_EXTRAS | FOR_TESTS
    with server(environment.bin / "tasker", environment.folder) as url:
        assert environment.python(FIRST_TASK, url) == "done\n"

    environment.pip("install", "--no-deps", dist.later_client)
    environment.check_files(("tasker_client", "99.0.0"), ("tasker_server", version))
    environment.pip("install", "--no-deps", dist.later_server)
    environment.check_files(("tasker_client", "99.0.0"), ("tasker_server", "99.0.0"))
    with server(environment.bin / "tasker", environment.folder) as url:
        assert environment.python(FIRST_TASK, url) == "done\n"

    environment.pip("uninstall", "--yes", "tasker-server")
    environment.check_files(("tasker_client", "99.0.0"))
    assert "pip install tasker-server" in environment.refusal("serve")
    assert environment.python("import tasker; print(tasker.Client.__name__)") == "Client\n"
    environment.pip("uninstall", "--yes", "tasker-client")
    environment.check_files()


def test_with_pip_in_the_other_order_no_file_is_lost_either(dist, environment):
    version = metadata_of(dist.client)["version"]
    environment.pip("install", "--no-deps", dist.server)
    environment.check_files(("tasker_server", version))
    environment.pip("install", "--no-deps", dist.client)
    environment.check_files(("tasker_client", version), ("tasker_server", version))
    environment.pip("install", "--no-deps", dist.later_server)
    environment.check_files(("tasker_client", version), ("tasker_server", "99.0.0"))
    environment.pip("install", "--no-deps", dist.later_client)
    environment.check_files(("tasker_client", "99.0.0"), ("tasker_server", "99.0.0"))
    environment.pip("uninstall", "--yes", "tasker-client")
    environment.check_files(("tasker_server", "99.0.0"))
    environment.pip("uninstall", "--yes", "tasker-server")
    environment.check_files()


def test_as_a_tool_of_uv_the_server_is_added_to_the_command_of_the_client(dist, tmp_path):
    offered, tools, programs = (tmp_path / name for name in ("offered", "tools", "programs"))
    shutil.copytree(dist.now, offered)
    where = {"UV_TOOL_DIR": str(tools), "UV_TOOL_BIN_DIR": str(programs)}
    uv, python = pythons.uv(), ("--python", sys.executable)

    def tool(*arguments):
        output_of(uv, "tool", *arguments, cwd=tmp_path, **where)

    tool("install", "--quiet", *python, "--find-links", offered, "tasker-client", "--with", "tasker-server")
    assert [path.name for path in programs.iterdir()] == ["tasker"]
    with server(programs / "tasker", tmp_path) as url:
        inside = tools / "tasker-client" / "bin" / "python"
        assert output_of(inside, "-c", FIRST_TASK, url, cwd=tmp_path) == "done\n"
    for wheel in dist.later.iterdir():
        shutil.copy(wheel, offered)
    tool("upgrade", "--quiet", "tasker-client")
    assert output_of(programs / "tasker", "--version", cwd=tmp_path) == "tasker 99.0.0\n"
    with server(programs / "tasker", tmp_path):
        pass  # it starts, on the database of the version before
    tool("uninstall", "tasker-client")
    assert list(programs.iterdir()) == []


@pytest.mark.parametrize("python", [each for each in PYTHONS if not sys.version.startswith(f"{each}.")])
def test_it_works_on_each_python(dist, tmp_path, python):
    interpreter = pythons.python(python)
    if interpreter is None:
        pytest.skip(f"Python {python} is not on this machine, and cannot be had from where uv looks for it")
    environment = Environment(tmp_path, interpreter)
    wheels = (f"{dist.client}[cli]", f"{dist.server}[otel,postgres]")
    inside = environment.bin / "python"
    output_of(pythons.uv(), "pip", "install", "--quiet", "--python", inside, *wheels, cwd=tmp_path)
    assert environment.python("import sys; print('%d.%d' % sys.version_info[:2])") == f"{python}\n"
    assert set(environment.what_cannot_be_imported("tasker-server").values()) <= FOR_TESTS
    with server(environment.bin / "tasker", tmp_path) as url:
        assert environment.python(FIRST_TASK, url) == "done\n"
