"""What is in which of the two distributions: said here, and nowhere else.

``CLIENT`` and ``SERVER_WITHIN`` are the list. The builds of both take their files by it, and the
tests hold the imports to it (``tests/packaging``). Hatchling loads this file, which stands in both
folders as a link.

Once released, a file never changes hands: an upgrade of the one that had it would remove it after
the other had brought it.
"""

from pathlib import Path, PurePosixPath
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

CLIENT = (
    "__init__.py",
    "__main__.py",
    "callers.py",
    "cli/",
    "client/",
    "django/",
    "errors.py",
    "event_filters.py",
    "explaining.py",
    "fastapi.py",
    "filters.py",
    "ids.py",
    "model/",
    "postgres.py",
    "py.typed",
    "webhooks.py",
    "wire/",
    "worker/",
)
"""The files and folders of tasker-client, in src/tasker. All else is tasker-server's."""

SERVER_WITHIN = (
    "cli/server/",
    "model/recurrence.py",
    "model/schedule.py",
    "model/zones.py",
    "wire/changes.py",
    "wire/schedule_views.py",
    "wire/task_views.py",
)
"""What within those folders is tasker-server's, too."""


def owner_of(path: PurePosixPath) -> str:
    """Return the distribution that has a file, whose *path* begins in src/tasker."""

    def is_in(places: tuple[str, ...]) -> bool:
        return any(str(path) == place or (place.endswith("/") and str(path).startswith(place)) for place in places)

    return "tasker-client" if is_in(CLIENT) and not is_in(SERVER_WITHIN) else "tasker-server"


def files_of(package: Path) -> list[PurePosixPath]:
    """Return the files of *package*, without what Python has left there."""
    found = (file.relative_to(package) for file in sorted(package.rglob("*")) if file.is_file())
    return [PurePosixPath(file) for file in found if "__pycache__" not in file.parts]


class Files(BuildHookInterface):  # type: ignore[type-arg]  # of any builder
    """Gives a wheel its files, and a source distribution files in place of links."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name them, unless the wheel only points to the working tree (``editable``)."""
        forced = build_data["force_include"]
        if self.target_name == "sdist":  # what this folder has as links would lead out of the archive
            build_data["force_include"] = {str(Path(path).resolve()): place for path, place in forced.items()}
        elif version != "editable":
            source = Path(self.root, "src")
            ours = [path for path in files_of(source / "tasker") if owner_of(path) == self.metadata.name]
            forced |= {str(source / "tasker" / path): f"tasker/{path}" for path in ours}


class Pin(MetadataHookInterface):
    """Gives the server its dependencies: those that its pyproject.toml lists, and the client of the same version."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set them."""
        metadata["dependencies"] = [f"tasker-client[cli]=={metadata['version']}", *self.config["dependencies"]]
