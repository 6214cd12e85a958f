"""Each file is in one distribution, and what the client has needs nothing of the server."""

import ast
import importlib.util
import sys
from pathlib import Path, PurePosixPath

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "tasker"

spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "packages" / "hatch_build.py")
hatch_build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hatch_build)

FILES = hatch_build.files_of(PACKAGE)
CLIENT = [path for path in FILES if hatch_build.owner_of(path) == "tasker-client"]
NEEDED = {"httpx2", "msgspec"}
WITH_EXTRAS = {
    "click": "cli/",
    "rich": "cli/",
    "django": "django/",
    "starlette": "fastapi.py",
    "sqlalchemy": "postgres.py",
}
"""What is needed only by the commands, or by applications that have it anyhow, and which place that is."""


def module_of(path):
    return ".".join(("tasker", *path.with_suffix("").parts)).removesuffix(".__init__")


@pytest.fixture(scope="module")
def imports():
    return grimp.build_graph("tasker", include_external_packages=True, cache_dir=None)


def test_each_place_in_the_list_is_there_and_in_its_order():
    for places in (hatch_build.CLIENT, hatch_build.SERVER_WITHIN):
        assert list(places) == sorted(places)
        for place in places:
            assert (PACKAGE / place).is_dir() if place.endswith("/") else (PACKAGE / place).is_file()
    assert [place for place in hatch_build.SERVER_WITHIN if not place.startswith(folders())] == []


def folders():
    return tuple(place for place in hatch_build.CLIENT if place.endswith("/"))


def test_no_file_of_the_client_imports_one_of_the_server(imports):
    ours = {module_of(path) for path in CLIENT if path.suffix == ".py"}
    wrong = {
        (module, imported)
        for module in ours
        for imported in imports.find_modules_directly_imported_by(module)
        if imported.startswith("tasker.") and imported not in ours
    }
    assert wrong == set(), "move the file, or say in packages/hatch_build.py that it is the other's"


def test_the_client_needs_httpx2_and_msgspec_alone(imports):
    allowed = NEEDED | set(sys.stdlib_module_names) | {"tasker"}
    for path in CLIENT:
        if path.suffix == ".py":
            needed = {name.partition(".")[0] for name in imports.find_modules_directly_imported_by(module_of(path))}
            extra = {name for name, folder in WITH_EXTRAS.items() if str(path).startswith(folder)}
            assert needed <= allowed | extra, path


def test_only_the_table_of_commands_names_the_commands_of_the_server():
    naming = {
        str(path)
        for path in CLIENT
        if path.suffix == ".py"
        and any(
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith("tasker.cli.server")
            for node in ast.walk(ast.parse((PACKAGE / path).read_text()))
        )
    }
    assert naming == {"cli/root.py"}


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("__init__.py", "client"),
        ("cli/root.py", "client"),
        ("cli/server/serve.py", "server"),
        ("model/task.py", "client"),
        ("model/zones.py", "server"),
        ("node.py", "server"),
        ("errors.py", "client"),
        ("errors/more.py", "server"),
    ],
)
def test_the_owner_of_a_file_is_read_from_the_list(path, owner):
    assert hatch_build.owner_of(PurePosixPath(path)) == f"tasker-{owner}"
