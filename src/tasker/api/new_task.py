"""What a request for a new task looks like, and what is said about one that looks otherwise."""

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tasker.building import Asked
from tasker.errors import InvalidTaskError, cut
from tasker.interfaces.task_type import TaskType
from tasker.model import instants
from tasker.model.names import is_type_name
from tasker.task_types.registry import Registry
from tasker.wire.fields import RequestFields, request_type

S = TypeVar("S", bound=Struct)
T = TypeVar("T")

NESTED_LIMIT: Final = 200
"""How deeply arrays and objects may stand in each other. What is stored is decoded again wherever
it is needed: how deeply that works depends on how deeply the calls stand in each other there."""

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SPACE: Final = b" \t\r\n"
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_LEVELS: Final = {**dict.fromkeys(b"[{", 1), **dict.fromkeys(b"]}", -1)}
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$([^`]*)`)?", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_UNKNOWN_HERE: Final = "got a name that is unknown here"
_WAYS_TO_A_FUNCTION: Final = (
    "functions are known to a server that is started with their --app; "
    "without it, create a job, and have a worker claim it"
)
_PLACED: Final = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)
_INDEX: Final = re.compile(r"\[\d+\]", re.ASCII)
_INVALID_WORD: Final = re.compile(r"Invalid enum value .*", re.DOTALL)
_TYPES: Final = re.compile(r"`(\w+(?: \| \w+)*)`")
_EMPTY: Final = re.compile(r"Expected `\w+` of length >= 1")
_MOMENTS: Final = ("execution_time", "expires_at")
_WORDS: Final = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "an array",
}


class BodyDecoder:
    """Decodes and validates the JSON body of a request in one pass.

    Of a name that comes twice in an object, the last one counts.
    """

    def __init__(self, shape: type[Struct], names: list[str]) -> None:
        """Make one.

        Args:
            shape: what the body is decoded to.
            names: the members that it may have, for those who try others.
        """
        self._names = names
        self._shape = shape
        self._decode = msgspec.json.Decoder(self._shape).decode
        self._members = {"": self._names}
        self._words: dict[str, list[str]] = {}
        self._learn(msgspec.inspect.type_info(self._shape), "")

    def decode_body(self, body: bytes) -> Any:  # noqa: ANN401 - the shape is made at run time
        """Return *body* in the decoder's shape.

        Raises:
            InvalidTaskError: it does not fit.
        """
        try:
            decoded = self._decode(body)
        except msgspec.ValidationError as error:
            raise self._described(str(error)) from None
        except RecursionError:
            raise _nested_too_deeply() from None
        except UnicodeDecodeError:
            raise InvalidTaskError("", "expected JSON in UTF-8, got other bytes") from None
        except msgspec.DecodeError as error:
            found = str(error).removeprefix("JSON is malformed: ")
            if found == "Input data was truncated":
                found = "it ends too early" if body.strip() else "there is no body; with curl, use: curl --json '...'"
            raise InvalidTaskError("", f"expected JSON: {found}") from None
        if (
            len(body) > 2 * NESTED_LIMIT  # each level has a bracket at both ends
            and body.count(b"[") + body.count(b"{") > NESTED_LIMIT
            and _levels(body) > NESTED_LIMIT
        ):
            raise _nested_too_deeply()
        return decoded

    def _described(self, text: str) -> InvalidTaskError:
        """Put a message of msgspec, such as ``Expected `str`, got `int` - at `$.webhook.url` ``, in our words."""
        if (unknown := _UNKNOWN.fullmatch(text)) is not None:
            path = _path(unknown[2])
            expected = self._members.get(path, ())
            return InvalidTaskError(
                _joined(path, cut(unknown[1])),
                f"expected {'one of ' if len(expected) > 1 else ''}{', '.join(expected)}, {_UNKNOWN_HERE}",
            )
        placed = _PLACED.fullmatch(text)
        problem, path = (placed[1], _path(placed[2])) if placed is not None else (text, "")
        if (missing := _MISSING.fullmatch(problem)) is not None:
            return InvalidTaskError(_joined(path, missing[1]), "expected a value, it is missing")
        if _EMPTY.fullmatch(problem) is not None:
            return InvalidTaskError(path, "expected a value that is not empty")
        if problem == "Number out of range":
            return InvalidTaskError(path, "expected a number of a usual size")
        if _INVALID_WORD.fullmatch(problem) is not None:
            words = [*self._words.get(_INDEX.sub("[]", path), ()), *(["an object"] if path in self._members else [])]
            # What it got may be anything, a secret in the wrong place among it.
            return InvalidTaskError(
                path, f"expected {'one of ' if len(words) > 1 else ''}{', '.join(words)}, got something else"
            )
        if path.endswith("[...]"):
            path, problem = path.removesuffix("[...]"), problem.replace(", got", " for each value, got")
        problem = _TYPES.sub(
            lambda types: " or ".join(_WORDS.get(word, word) for word in types[1].split(" | ")), problem
        )
        return InvalidTaskError(path, problem[:1].lower() + problem[1:])

    def _learn(self, shape: msgspec.inspect.Type, path: str) -> None:
        """Note by path the member names of each object in a request, and the words of each choice."""
        match shape:
            case msgspec.inspect.StructType():
                if path:
                    self._members[path] = [field.encode_name for field in shape.fields]
                for field in shape.fields:
                    self._learn(field.type, _joined(path, field.encode_name))
            case msgspec.inspect.UnionType():
                for each in shape.types:
                    self._learn(each, path)
            case msgspec.inspect.Metadata():
                self._learn(shape.type, path)
            case msgspec.inspect.ListType():
                self._learn(shape.item_type, f"{path}[]")
            case msgspec.inspect.LiteralType():
                self._words[path] = [str(value) for value in shape.values]


def new_task_type(registry: Registry) -> type[Struct]:
    """Return an object with one optional member per spelling of a task type.

    It cannot say that exactly one of them is there.
    """
    members: list[tuple[str, Any, Any]] = []
    spelled: dict[str, str] = {}
    for task_type in registry.types:
        request = request_type(task_type.name, task_type.fields)
        for spelling in _spellings(task_type):
            member = f"member_{len(members)}"
            members.append((member, request | UnsetType, UNSET))
            spelled[member] = spelling
    return msgspec.defstruct("NewTask", members, rename=spelled, forbid_unknown_fields=True, frozen=True)


class NewTaskDecoder(BodyDecoder):
    """Decodes requests for new tasks: objects with exactly one member.

    The member is named for a task type in one of its spellings.
    """

    def __init__(self, registry: Registry) -> None:
        super().__init__(new_task_type(registry), sorted(task_type.name for task_type in registry.types))
        self._takers = tuple(
            (task_type, taker)
            for task_type in registry.types
            for taker in (_taker(task_type.fields),)
            for _ in _spellings(task_type)
        )
        self._spellings = frozenset(spelling for task_type in registry.types for spelling in _spellings(task_type))
        self._forms = {task_type.name: _form(task_type) for task_type in registry.types}

    def decode(self, body: bytes) -> Asked:
        """Return what *body* asks for.

        Raises:
            InvalidTaskError: *body* is not such a request.
        """
        try:
            members = msgspec.structs.astuple(self.decode_body(body))
        except InvalidTaskError as error:
            raise self._advised(error, body) from None
        named = len(members) - members.count(UNSET)
        if named != 1:
            form = next(iter(self._forms.values()))
            raise InvalidTaskError(
                "",
                f"expected an object with one member, named for its task type: {' or '.join(self._names)}; "
                f"got {named}; one is {form}",
            )
        place = 0
        while (request := members[place]) is UNSET:
            place += 1
        task_type, fields_of = self._takers[place]
        return Asked(
            task_type,
            fields_of(request),
            _request_fields_of(request),
            None if request.id is UNSET else sha256(body.strip(_SPACE)).digest(),
        )

    def _advised(self, error: InvalidTaskError, body: bytes) -> InvalidTaskError:
        """Return *error*, or one that says more if *body* looks like a common mistake."""
        parent, _, name = error.field.rpartition(".")
        if (
            name == "body"
            and error.problem.endswith(("got an object", "got an array"))
            and "json" in self._members.get(parent, ())
        ):
            return InvalidTaskError(error.field, f"{error.problem}; to send JSON, use json in place of body")
        if name in _MOMENTS and error.problem.endswith(("got a whole number", "got a number")):
            return InvalidTaskError(error.field, _advice_on_number(body, error.field.split(".")) or error.problem)
        if not parent and name and name not in self._spellings and (form := self._meant(body)) is not None:
            return InvalidTaskError("", f"expected the task inside an object, named for its type, such as {form}")
        if error.problem.endswith(_UNKNOWN_HERE) and self._looks_like_a_function(error.field, body):
            return InvalidTaskError(error.field, f"{error.problem}; {_WAYS_TO_A_FUNCTION}")
        return error

    def _looks_like_a_function(self, name: str, body: bytes) -> bool:
        """Return whether *body* asks for a call of a function that is not known here."""
        asked = _read(body, dict[str, msgspec.Raw], {}).get(name)
        return (
            asked is not None
            and is_type_name(name)
            and ("." in name or "args" in _read(asked, dict[str, msgspec.Raw], {}))
        )

    def _meant(self, body: bytes) -> str | None:
        """Return the form of the task type whose members stand in *body* without its name; None if there is none."""
        given = _read(body, dict[str, msgspec.Raw], {}).keys()
        found = {name: len(given & set(self._members[name])) for name in self._forms}
        best = max(found, key=found.__getitem__)
        return self._forms[best] if found[best] else None


def _read(body: bytes | msgspec.Raw, shape: type[T], otherwise: T) -> T:
    """Return *body*, of which a part was refused already, in *shape*; *otherwise*, if the rest of it has a fault."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return otherwise


def _taker(shape: type[S]) -> Callable[[Any], S]:
    """Return a function that makes a *shape* of a value with the same members, as one would write it by hand.

    A loop takes twice as long.
    """
    members = ", ".join(f"{name}=value.{name}" for name in shape.__struct_fields__)
    taker: Callable[[Any], S] = eval(f"lambda value: make({members})", {"make": shape})  # noqa: S307 - names of members
    return taker


_request_fields_of: Final = _taker(RequestFields)


def _form(task_type: TaskType) -> str:
    """Return the least that a request must have, such as ``{"hash": {"execution_time": ..., "secret": ...}}``."""
    shape = request_type(task_type.name, task_type.fields)
    required = sorted(field.encode_name for field in msgspec.structs.fields(shape) if field.required)
    members = ", ".join(f'"{member}": ...' for member in ("execution_time", *required))
    return f'{{"{task_type.name}": {{{members}}}}}'


def _advice_on_number(body: bytes, path: Sequence[str]) -> str | None:
    """Say what would be right in place of the number at *path*, which is to be a time; None if it is not found."""
    value = _read(body, dict[str, Any], {})
    try:
        for name in path:
            value = value[name]
        instants.parse(str(value))
    except ValueError as error:
        return str(error)
    except (KeyError, TypeError):
        pass
    return None


def _spellings(task_type: TaskType) -> tuple[str, ...]:
    return (task_type.name, *task_type.spellings)


def _levels(body: bytes) -> int:
    """Return how deeply arrays and objects stand in each other in *body*, which is JSON."""
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_LEVELS.__getitem__, brackets)), default=0)


def _nested_too_deeply() -> InvalidTaskError:
    return InvalidTaskError("", f"expected JSON that is nested at most {NESTED_LIMIT} deep")


def _path(place: str | None) -> str:
    return (place or "").lstrip(".")


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
