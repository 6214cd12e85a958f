"""How templates become pages."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, meta, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from msgspec import UNSET

from tasker import __version__
from tasker.callers import Scope
from tasker.dashboard import words
from tasker.dashboard.assets import Assets
from tasker.dashboard.notices import NOTICES
from tasker.model import instants, time_words
from tasker.model.gate import HELD_COUNTED_TO
from tasker.model.instants import Instant

if TYPE_CHECKING:
    from tasker.dashboard.visits import Page, Visit

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

THEMES: Final = ("auto", "light", "dark")
THEME_COOKIE: Final = "tasker_theme"

Pieces: TypeAlias = Callable[[], Awaitable[Iterator[str]]]
"""Makes a page, piece by piece: called once."""


class Renderer:
    """Makes pages. All that is shown is escaped, and what a template names must be there."""

    def __init__(
        self,
        assets: Assets,
        root_path: str,
        places: "Sequence[tuple[Page, str]]",
        *,
        is_demo: bool,
        is_for_tests: bool,
    ) -> None:
        """Make it.

        Args:
            root_path: what is in front of ``/ui`` in addresses; empty: nothing.
            places: where the navigation leads, and what it calls these pages.
            is_demo: whether pages say that it is a demo.
            is_for_tests: whether they say that the clock can be moved.
        """
        self._root = root_path + "/ui"
        self._loader = PackageLoader("tasker.dashboard")
        self._compiled: set[str] = set()
        self._compiling = asyncio.Lock()
        self._environment = Environment(
            loader=self._loader,
            auto_reload=False,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )
        self._environment.filters |= {
            "moment": moment,
            "moment_text": moment_text,
            "when": time_words.apart,
            "ago": ago,
            "span": time_words.length_in_words,
            "number": words.count,
            "many": words.many,
            "size": words.bytes_of,
            "json": shown_json,
            "member": shown_member,
            "query": urlencode,
        }
        self._environment.tests["given"] = lambda value: value is not UNSET
        self._environment.globals |= {
            "url": self.url,
            "asset": lambda name: f"{self._root}/static/{assets.version}/{name}",
            "places": places,
            "is_demo": is_demo,
            "is_for_tests": is_for_tests,
            "version": __version__,
            "iso": instants.text,
            "HELD_COUNTED_TO": HELD_COUNTED_TO,
            "STATES": words.STATES,
            "REASONS": words.REASONS,
            "THEMES": THEMES,
            "Scope": Scope,
        }

    def url(self, path: str, pairs: Sequence[tuple[str, str]] | Mapping[str, str] = ()) -> str:
        """Return the address of a page. *path* begins behind ``/ui``."""
        query = urlencode(pairs)
        return f"{self._root}{path}?{query}" if query else self._root + path

    def page(self, template: str, visit: "Visit", **said: Any) -> Pieces:  # noqa: ANN401 - what it shows
        """Return what makes the page that *template* makes for a visitor of what is *said*.

        The first page of a template waits until that is compiled, which takes some 50 ms, on a thread.
        """
        shows = {
            "visit": visit,
            "caller": visit.caller,
            "now": visit.now,
            "theme": visit.theme,
            "notice": _notice(visit),
            **said,
        }

        async def pieces() -> Iterator[str]:
            if template not in self._compiled:
                async with self._compiling:
                    await asyncio.to_thread(self._compile, template)
            return self._environment.get_template(template).generate(shows)

        return pieces

    def _compile(self, template: str) -> None:
        """Compile a template, and all that it is made of."""
        if template in self._compiled:
            return
        environment = self._environment
        environment.get_template(template)
        source, *_ = self._loader.get_source(environment, template)
        for name in meta.find_referenced_templates(environment.parse(source)):
            assert name is not None  # noqa: S101 - each names them by a text
            self._compile(name)
        self._compiled.add(template)


def moment(at: Instant | str | None, *, kind: str = "") -> Markup:
    """Return a moment as an element that the browser shows by its own clocks; without JavaScript in UTC.

    Args:
        kind: ``bare`` leaves out the zone, which a heading names; ``short`` the year and the seconds, too;
            ``clock`` the day; ``minute`` the day and the seconds; ``day`` is the day alone.
    """
    if at is None:
        return Markup('<span class="none">none</span>')
    text = at if isinstance(at, str) else instants.text(at)
    return _time(text, kind or "full", moment_text(text, kind))


def _time(text: str, kind: str, shown: str) -> Markup:
    """Return the element. There are hundreds on a page, and ``Markup.format`` takes ten times as long."""
    text = escape(text)
    return Markup(f'<time datetime="{text}" title="{text}" data-show="{escape(kind)}">{escape(shown)}</time>')  # noqa: S704 - escaped


def moment_text(at: Instant | str, kind: str) -> str:
    """Return a moment as ``moment`` shows it without JavaScript, as text.

    >>> [moment_text(0, kind) for kind in ("", "bare", "short", "clock", "minute", "day")]
    ['1970-01-01 00:00:00 UTC', '1970-01-01 00:00:00', '1 Jan 00:00', '00:00:00', '00:00', '1 Jan']
    """
    text = at if isinstance(at, str) else instants.text(at)
    day, _, clock = text.removesuffix("Z").partition("T")
    _, month, number = day.split("-")
    short = f"{int(number)} {_MONTHS[int(month) - 1]}"
    match kind:
        case "clock":
            return clock[:8]
        case "minute":
            return clock[:5]
        case "day":
            return short
        case "short":
            return f"{short} {clock[:5]}"
        case "bare":
            return f"{day} {clock[:8]}"
        case _:
            return f"{day} {clock[:8]} UTC"


@pass_context
def ago(context: Context, at: Instant | None) -> Markup:
    """Return how far a moment is away, as an element that tells the moment, too."""
    if at is None:
        return Markup('<span class="none">none</span>')
    return _time(instants.text(at), "ago", time_words.apart(at, context["now"]))


def shown_json(value: Any) -> Markup:  # noqa: ANN401 - any JSON
    """Return a value as JSON for people, escaped."""
    raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return escape(msgspec.json.format(raw, indent=2).decode())


def shown_member(value: Any) -> Markup:  # noqa: ANN401 - any JSON
    """Return what a member is: a moment as ``moment`` shows it, all else as JSON."""
    known = msgspec.json.decode(value) if isinstance(value, (bytes, msgspec.Raw)) else value
    if isinstance(known, str) and _MOMENT.fullmatch(known):
        return moment(known)
    return Markup("<code>{}</code>").format(shown_json(value))


def _notice(visit: "Visit") -> Mapping[str, str] | None:
    """Return what the page says of an action before it; None: nothing."""
    notice = NOTICES.get(visit.asked("done") or "")
    if notice is None:
        return None
    id_ = visit.asked("id") or ""
    leads_to = notice.leads_to.replace("{id}", id_) if id_.replace("-", "").isalnum() else ""
    return {"text": notice.text, "link": notice.link, "url": visit.url(leads_to) if leads_to else ""}
