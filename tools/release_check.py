"""Says what is missing for a release of the version in ``src/tasker/__init__.py``, once ``make dist`` has been run.

Prints a line for each look, and ends with 1 if one of them has found something. Tests see to the rest:
``make release-check`` runs those that are about what is published.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

from packaging.metadata import Metadata
from packaging.version import Version
from promises import promises
from readme_renderer import markdown

from tasker import __version__

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
SAMPLE = ROOT / "tests" / "samples" / __version__
SIDES = ("client", "server")


class NotFitError(Exception):
    """What is missing, and what to do."""


def the_version_is_one_to_release() -> str:
    """It has three numbers, and is no development version."""
    version = Version(__version__)
    if version.is_prerelease or version.is_devrelease or len(version.release) != 3:
        raise NotFitError(f"{__version__} is no version such as 1.0.0: change src/tasker/__init__.py")
    return __version__


def it_is_later_than_all_that_were_released() -> str:
    """By the samples that are kept of them."""
    kept = [Version(path.name) for path in SAMPLE.parent.iterdir()]
    later = [version for version in kept if version > Version(__version__)]
    if later:
        raise NotFitError(f"there is a sample of {later[0]}, which is later")
    return f"{len(kept) - (Version(__version__) in kept)} before it"


def the_changelog_has_it_with_the_day() -> str:
    """As its first entry; nothing is left above it."""
    first = re.search(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    heading = first[1] if first else ""
    if not re.fullmatch(rf"{re.escape(__version__)} - \d{{4}}-\d\d-\d\d", heading):
        raise NotFitError(f"its first entry is '{heading}': write '{__version__} - YYYY-MM-DD', the day of the release")
    return heading


def what_is_generated_has_it() -> str:
    """``make docs`` has been run."""
    described = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))["info"]["version"]
    if described != __version__:
        raise NotFitError(f"docs/openapi.json says {described}: run make docs")
    return "docs/openapi.json"


def its_sample_is_kept() -> str:
    """Of its databases and its promises; a test compares the tables."""
    missing = [
        name
        for name in ("sqlite.db.gz", "postgresql.sql", "shown.json", "promised.json")
        if not (SAMPLE / name).is_file()
    ]
    if missing:
        raise NotFitError(f"{SAMPLE.relative_to(ROOT)} lacks {', '.join(missing)}: run make sample")
    if json.loads((SAMPLE / "promised.json").read_text(encoding="utf-8")) != promises():
        raise NotFitError("promised.json is not what there is now: run make sample")
    return str(SAMPLE.relative_to(ROOT))


def all_of_it_is_committed() -> str:
    """What is built is what is in the repository."""
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    if changed.stdout:
        raise NotFitError("there are changes that are not committed: " + ", ".join(changed.stdout.split()[1::2][:5]))
    return "nothing is changed"


def both_are_built() -> str:
    """A wheel and a source distribution of each, and nothing else."""
    expected = {f"tasker_{side}-{__version__}{kind}" for side in SIDES for kind in ("-py3-none-any.whl", ".tar.gz")}
    found = {path.name for path in DIST.iterdir() if path.suffix in (".whl", ".gz")}
    if found != expected:
        raise NotFitError(
            f"dist/ has {', '.join(sorted(found))}, expected {', '.join(sorted(expected))}: run make dist"
        )
    return ", ".join(sorted(found))


def the_metadata_are_valid_and_the_readmes_are_shown() -> str:
    """As PyPI checks them, and shows them."""
    for wheel in DIST.glob(f"*-{__version__}-py3-none-any.whl"):
        with ZipFile(wheel) as file:
            (name,) = [name for name in file.namelist() if name.endswith(".dist-info/METADATA")]
            metadata = Metadata.from_email(file.read(name), validate=True)
        if not metadata.description or markdown.render(metadata.description) is None:
            raise NotFitError(f"the README of {wheel.name} cannot be shown")
    return "both"


LOOKS: tuple[Callable[[], str], ...] = (
    the_version_is_one_to_release,
    it_is_later_than_all_that_were_released,
    the_changelog_has_it_with_the_day,
    what_is_generated_has_it,
    its_sample_is_kept,
    all_of_it_is_committed,
    both_are_built,
    the_metadata_are_valid_and_the_readmes_are_shown,
)


def main() -> int:
    """Look at everything, and return the exit status."""
    faults = 0
    for look in LOOKS:
        name = look.__name__.replace("_", " ")
        try:
            print(f"ok       {name}: {look()}")  # noqa: T201 - its output
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the other looks are worth knowing
            faults += 1
            print(f"MISSING  {name}: {error}")  # noqa: T201 - as above
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
