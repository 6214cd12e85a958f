"""What the commands of the client print: data on standard output, and talk on standard error.

On a terminal data is a table, unless ``--output`` says otherwise; elsewhere it is JSON, a line for each
thing. ``rich`` is imported only to draw for a terminal.
"""

import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from tasker.cli.redact import one_line
from tasker.wire.spreadsheets import as_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

C = TypeVar("C", bound=Callable[..., object])
T = TypeVar("T")

FORMS: Final = ("table", "json", "ndjson", "csv")
"""What data can be printed as."""

_FLEXIBLE: Final = 20
"""The narrowest that the last column of a table gets, before another column is left out."""
_GAP: Final = 2


class Column(NamedTuple):
    """A column of a list."""

    name: str
    """The member whose value it has; with dots, one of a member. The heading in CSV."""
    title: str
    """The heading of a table; empty: it is not in tables."""
    shown: Callable[[Mapping[str, Any]], str] | None = None
    """What a table has in place of the value."""
    style: Callable[[Mapping[str, Any]], str] | None = None
    """How a table looks there: a style of rich."""
    rank: int = 0
    """Where there is no room, columns of the highest rank are left out first; those of 0 never."""
    in_csv: bool = True
    """False: it only tells people what another column says."""


def output_options(command: C) -> C:
    """Give a command the options ``--output`` and ``--no-color``, as its parameter ``printer``."""

    def printer(context: click.Context, _parameter: click.Parameter, form: str | None) -> "Printer":
        return Printer(form, color=not context.params.pop("no_color", False))

    command = click.option(
        "-o",
        "--output",
        "printer",
        type=click.Choice(FORMS),
        callback=printer,
        help="What to print.  [default: table on a terminal, else ndjson]",
    )(command)
    return click.option(
        "--no-color",
        is_flag=True,
        is_eager=True,
        help="Print without colours; so does the variable NO_COLOR.",
    )(command)


class Printer:
    """Prints data in one form."""

    def __init__(self, form: str | None, *, color: bool = True) -> None:
        """Make a printer.

        Args:
            form: one of ``FORMS``; None: what fits where it is printed.
            color: whether tables may have colours; ``NO_COLOR`` forbids them, too.
        """
        self.is_terminal = sys.stdout.isatty()
        self.form = form or ("table" if self.is_terminal else "ndjson")
        self._color = color

    @property
    def is_table(self) -> bool:
        """Whether it prints for people."""
        return self.form == "table"

    def each(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[Column], nothing: str) -> int:
        """Print a list as it comes, a table at its end, and return how many there were.

        Args:
            rows: as the API shows them; each whole in JSON.
            columns: those of a table and of CSV.
            nothing: what a table of none says, on standard error.
        """
        match self.form:
            case "table":
                return self._table(list(rows), columns, nothing)
            case "csv":
                return _counted(_csv(rows, columns))
            case "json":
                return _counted_array(rows)
            case _:
                return _counted(map(_json, rows))

    def one(self, facts: Mapping[str, Any], pairs: Iterable[tuple[str, str]], columns: Sequence[Column] = ()) -> None:
        """Print one thing: *pairs* of words as a table, or *facts* as JSON.

        Args:
            columns: those of CSV; without them, the members.
        """
        match self.form:
            case "table":
                self._pairs(list(pairs))
            case "csv":
                for line in _csv([facts], columns or [Column(name, "") for name in facts]):
                    click.echo(line)
            case _:
                pretty = self.form == "json" and self.is_terminal
                click.echo(json.dumps(facts, ensure_ascii=False, indent=2) if pretty else _json(facts))

    def lines(self, rows: Iterable[T], line: Callable[[T], Sequence[tuple[str, str]]]) -> None:
        """Print a line for each, as it comes: texts, each with a style of rich."""
        from rich.text import Text  # noqa: PLC0415 - as below

        console = self.console()
        for row in rows:
            console.print(Text.assemble(*((one_line(text), style) for text, style in line(row))), soft_wrap=True)

    def console(self) -> "Console":
        """Return what draws on the terminal."""
        from rich.console import Console  # noqa: PLC0415 - its import takes a while, and only terminals need it

        width = None if self.is_terminal else _width()
        return Console(
            no_color=not self._color or None, highlight=False, emoji=False, markup=False, soft_wrap=False, width=width
        )

    def _table(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], nothing: str) -> int:
        if not rows:
            talk(nothing)
            return 0
        from rich.table import Table  # noqa: PLC0415 - as above
        from rich.text import Text  # noqa: PLC0415 - as above

        console = self.console()
        titled = [column for column in columns if column.title]
        cells = {
            column.name: [
                one_line(column.shown(row) if column.shown else shown(value_of(row, column.name))) for row in rows
            ]
            for column in titled
        }
        used = [column for column in titled if any(cells[column.name]) or not column.rank]
        kept = _fitting(used, cells, console.width)
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
        for number, column in enumerate(kept):
            is_last = number == len(kept) - 1
            table.add_column(
                column.title, no_wrap=True, overflow="ellipsis", min_width=None if is_last else _wide(column, cells)
            )
        for number, row in enumerate(rows):
            table.add_row(
                *(Text(cells[column.name][number], column.style(row) if column.style else "") for column in kept)
            )
        self.draw(table)
        return len(rows)

    def _pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        from rich.table import Table  # noqa: PLC0415 - as above
        from rich.text import Text  # noqa: PLC0415 - as above

        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
        table.add_column(no_wrap=True, style="bold")
        table.add_column(overflow="fold")
        for name, text in pairs:
            table.add_row(Text(name), Text("\n".join(map(one_line, text.split("\n")))))
        self.draw(table)

    def draw(self, table: "Table") -> None:
        """Print a table, without the blanks that fill its lines."""
        console = self.console()
        with console.capture() as captured:
            console.print(table)
        for line in captured.get().splitlines():
            click.echo(line.rstrip(), color=True)


def talk(text: str) -> None:
    """Say something to people, on standard error: a line."""
    click.echo(one_line(text), err=True)


def value_of(row: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON
    """Return the member that *path* leads to; None: there is none."""
    value: Any = row
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def shown(value: object) -> str:
    """Return a value of JSON as a cell: nothing for null, a list with blanks between.

    >>> shown(None), shown(["a", "b"]), shown(True), shown({"a": 1})
    ('', 'a b', 'yes', '{"a": 1}')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return " ".join(value)
    return value if isinstance(value, str) else _json(value)


def _width() -> int:
    """Return how wide a table is that goes elsewhere: nothing is cut, unless somebody has said COLUMNS."""
    return shutil.get_terminal_size((10_000, 24)).columns if os.environ.get("COLUMNS") else 10_000


def _wide(column: Column, cells: Mapping[str, Sequence[str]]) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - as above

    return max(map(cell_len, (column.title, *cells[column.name])))


def _fitting(columns: Sequence[Column], cells: Mapping[str, Sequence[str]], width: int) -> Sequence[Column]:
    """Return those of *columns* that there is room for; the last one may be cut."""
    kept = list(columns)
    while len(kept) > 1:
        last = min(_wide(kept[-1], cells), _FLEXIBLE)
        if sum(_wide(column, cells) + _GAP for column in kept[:-1]) + last <= width:
            break
        worst = max(kept, key=lambda column: column.rank)
        if not worst.rank:
            break
        kept.remove(worst)
    return kept


def _counted(lines: Iterable[str]) -> int:
    count = 0
    for count, line in enumerate(lines, 1):  # noqa: B007 - the last one is what is returned
        click.echo(line)
    return count


def _counted_array(rows: Iterable[Mapping[str, Any]]) -> int:
    """Print an array of JSON, an element on each line."""
    count = 0
    for count, row in enumerate(rows, 1):
        click.echo(("[" if count == 1 else ",\n ") + _json(row), nl=False)
    click.echo("]" if count else "[]")
    return count


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> Iterable[str]:
    """Return the lines of a table in CSV. What a spreadsheet would compute is a text to it."""
    heading = [column.name for column in columns if column.in_csv]
    for cells in chain([heading], ([_csv_cell(value_of(row, name)) for name in heading] for row in rows)):
        written = io.StringIO()
        csv.writer(written, lineterminator="").writerow(cells)
        yield written.getvalue()


def _csv_cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = shown(value)
    return as_text(text) if isinstance(value, str | list) else text


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
