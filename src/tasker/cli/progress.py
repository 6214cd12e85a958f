"""A bar that says how far a long command has come: on standard error, and only on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Tell: TypeAlias = Callable[[str, int, int | None], None]
"""Takes how far a command has come: what it is at, how much of that is done, and of how much in all; None: nobody
knows of how much. It may be called as often as one likes."""


@contextmanager
def progress() -> Iterator[Tell]:
    """Show a bar while the block lasts; a line for each thing that the command is at. Elsewhere nothing is shown."""
    if not sys.stderr.isatty():
        yield _nobody
        return
    from rich.console import Console  # noqa: PLC0415 - for terminals alone
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - as above

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        lines: dict[str, TaskID] = {}

        def tell(step: str, done: int, total: int | None) -> None:
            if step not in lines:
                lines[step] = bar.add_task(step, total=total)
            bar.update(lines[step], completed=done, total=total)

        yield tell


def _nobody(step: str, done: int, total: int | None) -> None:
    del step, done, total
