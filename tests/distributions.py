"""The two distributions, built once for all of a run, and an environment that has nothing but them."""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pythons
from made_once import made_once

ROOT = Path(__file__).parents[1]
SIDES = ("client", "server")


def output_of(*command, cwd, **variables):
    """Run a program that must succeed, with nothing of this environment, and return what it prints."""
    ours = ("VIRTUAL_ENV", "PYTHONPATH", "LISTEN_PORT", "DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("TASKER_")}
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def _built(source, target, kind):
    """Build one distribution from the folder *source*, and return its file."""
    output_of(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", target, cwd=source)
    name = f"tasker_{source.name.removeprefix('tasker_').partition('-')[0]}"
    (found,) = target.glob(f"{name}-*{'.tar.gz' if kind == 'sdist' else '.whl'}")
    return found


def _build_all(folder):
    """Build the wheels, each from its source distribution, and those of a later version."""
    now, later, sources = folder / "now", folder / "later", folder / "sources"
    for each in (now, later, sources):
        each.mkdir()
    for side in SIDES:
        archive = _built(ROOT / "packages" / side, sources, "sdist")
        with tarfile.open(archive) as file:
            file.extractall(sources, filter="data")
        source = sources / archive.name.removesuffix(".tar.gz")
        _built(source, now, "wheel")
        (source / "PKG-INFO").unlink()  # it has the version that the archive was made of
        package = source / "src" / "tasker" / "__init__.py"
        package.write_text(re.sub(r'(?<=^__version__ = ")[^"]+', "99.0.0", package.read_text(), flags=re.MULTILINE))
        _built(source, later, "wheel")


def distributions(tmp_path_factory):
    """Return the wheels, by their side, and those of a later version."""
    folder = made_once(tmp_path_factory, "dist", _build_all)
    now, later = folder / "now", folder / "later"
    wheels = {side: next(now.glob(f"tasker_{side}-*.whl")) for side in SIDES}
    wheels |= {f"later_{side}": next(later.glob(f"tasker_{side}-*.whl")) for side in SIDES}
    return SimpleNamespace(**wheels, now=now, later=later)


def installed(tmp_path_factory):
    """Return the Python of an environment that has only the wheels, and what they need. Nobody changes it."""
    dist = distributions(tmp_path_factory)

    def install(folder):
        uv, environment = pythons.uv(), folder / "env"
        output_of(uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, environment, cwd=folder)
        wheels = (dist.client, dist.server)
        output_of(uv, "pip", "install", "--quiet", "--python", environment / "bin" / "python", *wheels, cwd=folder)

    return made_once(tmp_path_factory, "installed", install) / "env" / "bin" / "python"
