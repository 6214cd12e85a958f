"""``make release-check`` finds what is missing, and says what to do."""

import importlib.util
import json
import shutil

import pytest

from distributions import ROOT, distributions

VERSION = "7.1.0"


@pytest.fixture
def check(monkeypatch, tmp_path, tmp_path_factory):
    """The looks, at a repository in which nothing is missing."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location("release_check", ROOT / "tools" / "release_check.py")
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    monkeypatch.setattr(check, "__version__", VERSION)
    monkeypatch.setattr(check, "promises", lambda: {"REST": ["GET /"]})
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "DIST", tmp_path / "dist")
    monkeypatch.setattr(check, "SAMPLE", tmp_path / "tests" / "samples" / VERSION)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## {VERSION} - 2027-03-01\n\n## 7.0.0 - 2027-01-01\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "openapi.json").write_text(json.dumps({"info": {"version": VERSION}}))
    check.SAMPLE.mkdir(parents=True)
    for name in ("sqlite.db.gz", "postgresql.sql", "shown.json"):
        (check.SAMPLE / name).touch()
    (check.SAMPLE / "promised.json").write_text(json.dumps(check.promises()))
    (tmp_path / "dist").mkdir()
    wheels = distributions(tmp_path_factory)
    for side in check.SIDES:
        shutil.copy(getattr(wheels, side), tmp_path / "dist" / f"tasker_{side}-{VERSION}-py3-none-any.whl")
        (tmp_path / "dist" / f"tasker_{side}-{VERSION}.tar.gz").touch()
    check.subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("*\n")
    return check


def older_changelog(check):
    (check.ROOT / "CHANGELOG.md").write_text("# Changelog\n\n## 7.1.0 - not released yet\n")


def other_version(check):
    check.__version__ = "7.1.0.dev0"


def later_sample(check):
    check.SAMPLE.with_name("7.2.0").mkdir()


def stale_docs(check):
    (check.ROOT / "docs" / "openapi.json").write_text('{"info": {"version": "7.0.0"}}')


def no_dump(check):
    (check.SAMPLE / "postgresql.sql").unlink()


def other_promises(check):
    (check.SAMPLE / "promised.json").write_text("{}")


def not_committed(check):
    (check.ROOT / ".gitignore").write_text("dist\n")


def no_wheel(check):
    (check.DIST / f"tasker_client-{VERSION}.tar.gz").unlink()


def test_nothing_is_missing(check, capsys):
    assert check.main() == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("break_", "what_to_do"),
    [
        (older_changelog, "write '7.1.0 - YYYY-MM-DD'"),
        (other_version, "change src/tasker/__init__.py"),
        (later_sample, "there is a sample of 7.2.0"),
        (stale_docs, "run make docs"),
        (no_dump, "lacks postgresql.sql: run make sample"),
        (other_promises, "run make sample"),
        (not_committed, "changes that are not committed"),
        (no_wheel, "run make dist"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(check, capsys, break_, what_to_do):
    break_(check)
    assert check.main() == 1
    (line, *_) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("MISSING")]
    assert what_to_do in line
