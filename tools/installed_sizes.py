"""Measures what each distribution in dist/ takes once it is installed, and prints the table of docs/install.md.

Each is installed in an environment of its own, with its dependencies, by uv. Times are of the
processor, each the best of several runs in new processes.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

DIST: Final = Path(__file__).parents[1] / "dist"
RUNS: Final = 20
HEADING: Final = (
    "| Installed | Packages | On disk | `import tasker; tasker.Client` | `tasker --version` | Python itself |"
)
IMPORT: Final = "import tasker; tasker.Client"

KINDS: Final = {
    "`tasker-client`": ("tasker_client", ""),
    "`tasker-client[cli]`": ("tasker_client", "[cli]"),
    "`tasker-server`": ("tasker_server", ""),
}


def _run(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own commands


def _best(*command: str | Path) -> float:
    """Return how much processor time a command takes, in milliseconds: other programs do not count then."""
    taken = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _run(*command)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(taken) * 1000


def _measure(folder: Path, name: str, extra: str) -> str:
    uv = Path(sys.executable).with_name("uv")
    python = folder / "bin" / "python"
    _run(uv, "venv", "--quiet", "--python", sys.executable, folder)
    (client,) = DIST.glob("tasker_client-*.whl")
    (wheel,) = DIST.glob(f"{name}-*.whl")
    _run(uv, "pip", "install", "--quiet", "--link-mode", "copy", "--python", python, client, f"{wheel}{extra}")
    packages = len(_run(uv, "pip", "list", "--quiet", "--python", python).splitlines()) - 2
    (site,) = folder.glob("lib/python*/site-packages")
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    bare, imported = _best(python, "-c", "pass"), _best(python, "-c", IMPORT)
    version = _best(folder / "bin" / "tasker", "--version")
    return f"{packages} | {size / 1e6:.1f} MB | {imported - bare:.0f} ms | {version:.0f} ms | {bare:.0f} ms"


def main() -> None:
    """Print the table."""
    print(HEADING)  # noqa: T201 - its output
    print("|---|---|---|---|---|---|")  # noqa: T201 - as above
    for kind, (name, extra) in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            print(f"| {kind} | {_measure(Path(folder), name, extra)} |")  # noqa: T201 - as above


main()
