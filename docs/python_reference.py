"""The reference of the Python client, of its docstrings: a part of what ``make docs`` writes."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Unpack, get_args, get_origin

import msgspec

import tasker
from tasker import webhooks
from tasker.client import errors
from tasker.client.answers import Event, Job, Schedule, Task
from tasker.client.synchronous.by_key import TaskByKey

_CLIENT: Final = tasker.Client("http://127.0.0.1:8080", "no-key")
_GROUPS: Final = (
    ("client", _CLIENT),
    ("client.by_key(key)", TaskByKey(_CLIENT._connection, "key")),  # noqa: SLF001 - its own package has no other way
    *((f"client.{name}", getattr(_CLIENT, name)) for name in vars(_CLIENT) if not name.startswith("_")),
)
_BEGINNING: Final = """\
This page is made of the docstrings. [The Python client](python-client.md) shows how to use it.
`AsyncClient` has the same names and parameters: its methods are awaited, and its iterators are asynchronous.
Parameters that may be left out are shown with `=`.
Those of a task, a change, a filter and a schedule are `TypedDict`s of `tasker.client.options`, for programs that pass
them on."""
_SHAPES: Final = """\
Most methods return the shapes of the API, which are in `tasker.wire`.
The [REST pages](rest/index.md) say what each member means.
All are frozen. A member that an answer does not have is `msgspec.UNSET`, which is false; moments are text in RFC 3339.
These have more than the API:"""
_SECTIONS: Final = ("Args", "Returns", "Raises")


def reference() -> str:
    """Return the whole page."""
    parts = [
        "# Reference of the Python client",
        _BEGINNING,
        "## Client",
        _text(type(_CLIENT)),
    ]
    for name, group in _GROUPS:
        if name != "client":
            parts += [f"## {name}", _text(type(group))]
        parts += [part for method in _methods(group) for part in _method(name, method)]
    parts += ["## tasker.new_id", _call("tasker.new_id", tasker.new_id), _text(tasker.new_id)]
    parts += ["## What is returned", _returned(), "## Exceptions", _exceptions(), "## For receivers"]
    parts += [f"### webhooks.{webhooks.verify.__name__}", _call("webhooks.verify", webhooks.verify)]
    parts += [_text(webhooks.verify)]
    return "\n\n".join(parts) + "\n"


def _methods(group: object) -> Iterator[Callable[..., Any]]:
    for name, value in vars(type(group)).items():
        if inspect.isfunction(value) and not name.startswith("_"):
            yield value


def _method(group: str, method: Callable[..., Any]) -> Sequence[str]:
    name = f"{group}.{method.__name__}"
    return [f"### {name}", _call(name, method), _text(method)]


def _call(name: str, method: Callable[..., Any]) -> str:
    return f"```text\n{name}({', '.join(_parameters(method))})\n```"


def _parameters(method: Callable[..., Any]) -> Iterator[str]:
    is_named = False
    for name, each in inspect.signature(method).parameters.items():
        if name == "self":
            continue
        if each.kind is each.VAR_KEYWORD:
            if not is_named:
                yield "*"
            yield from (f"{option}=" for option in _options(each.annotation))
            continue
        if each.kind is each.KEYWORD_ONLY and not is_named:
            is_named = True
            yield "*"
        yield name if each.default is each.empty else f"{name}="


def _options(annotation: Any) -> Sequence[str]:  # noqa: ANN401 - an annotation
    assert get_origin(annotation) is Unpack  # noqa: S101 - all are
    return list(get_args(annotation)[0].__annotations__)


def _text(documented: Any) -> str:  # noqa: ANN401 - whatever has a docstring
    """Return a docstring as Markdown."""
    parts = re.split(rf"^({'|'.join(_SECTIONS)}):\n", inspect.cleandoc(documented.__doc__ or ""), flags=re.MULTILINE)
    text = [_inline(parts[0].strip())]
    for section, body in zip(parts[1::2], parts[2::2], strict=True):
        match section:
            case "Args":
                text.append(_table("Parameter", body))
            case "Raises":
                text.append(_table("Raises", body))
            case _:
                text.append("Returns: " + _inline(inspect.cleandoc(body)))
    return "\n\n".join(text)


def _table(head: str, body: str) -> str:
    entries = re.split(r"^(?=[\w, ]+: )", inspect.cleandoc(body).replace("\n ", " "), flags=re.MULTILINE)
    rows = [entry.strip().partition(": ") for entry in entries if entry.strip()]
    lines = [f"| {head} | Meaning |", "|---|---|"]
    for names, _, meaning in rows:
        shown = ", ".join(f"`{name.strip()}`" for name in names.split(","))
        said = _inline(" ".join(meaning.split())).replace("|", "\\|")
        lines.append(f"| {shown} | {said} |")
    return "\n".join(lines)


def _inline(text: str) -> str:
    """Return text with the marks of Markdown in place of those of reStructuredText."""
    return re.sub(r"(?<![*\w])\*(\w+)\*(?![*\w])", r"`\1`", text.replace("``", "`"))


def _returned() -> str:
    shapes = (Task, Job, Event, Schedule)
    parts = [_SHAPES]
    for shape in shapes:
        members = ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(shape))
        extra = [name for name, value in vars(shape).items() if isinstance(value, property)]
        also = f" And {', '.join(f'`{name}`' for name in extra)}." if extra else ""
        parts.append(f"### {shape.__name__}\n\n{_text(shape)}\n\n{members}.{also}")
    return "\n\n".join(parts)


def _exceptions() -> str:
    lines = [_inline(inspect.cleandoc(errors.ApiError.__doc__ or "")), ""]
    lines += ["| Exception | `code` | Status and meaning |", "|---|---|---|"]
    lines += [f"| `{kind.__name__}` | `{code}` | {_first(kind)} |" for code, kind in errors.BY_CODE.items()]
    lines += ["", "Those that are no refusals:", "", "| Exception | Meaning |", "|---|---|"]
    others: Mapping[str, Any] = {name: getattr(tasker, name) for name in tasker.__all__ if name != "__version__"}
    lines += [
        f"| `{name}` | {_first(kind)} |"
        for name, kind in sorted(others.items())
        if isinstance(kind, type) and issubclass(kind, tasker.TaskerError) and not issubclass(kind, tasker.ApiError)
    ]
    return "\n".join(lines)


def _first(kind: type) -> str:
    return _inline(re.sub(r"\s+", " ", inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]))
