"""Reads answers, also those of a server that is newer than this client: what it does not know is passed on.

A word that was added to a list of words, such as the states of tasks, is no reason to fail. Members
that were added are passed over, as everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec import Raw, Struct

T = TypeVar("T")


def decoder(kind: type[T]) -> Callable[[bytes], T]:
    """Return what decodes JSON as *kind*.

    It raises ``msgspec.DecodeError`` for what is no JSON, and ``msgspec.ValidationError`` for what lacks
    members that *kind* has to have, or has an object where there should be none.
    """
    decode = msgspec.json.Decoder(kind).decode

    def decode_or_pass_on(content: bytes) -> T:
        try:
            return decode(content)
        except msgspec.ValidationError:
            return cast("T", _made(kind, msgspec.json.decode(content)))

    return decode_or_pass_on


def _made(kind: Any, value: Any) -> Any:
    """Return *value* as *kind*, as far as it is that."""
    plain = _without_notes(kind)
    origin, arguments = get_origin(plain), get_args(plain)
    if origin in (Union, UnionType):
        return _made(_one_of(arguments, value), value)
    if isinstance(plain, type) and issubclass(plain, Struct):
        return _struct(plain, msgspec.convert(value, dict[str, Any]))
    if plain is Raw:
        return Raw(msgspec.json.encode(value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {name: _made(arguments[1], each) for name, each in msgspec.convert(value, dict[str, Any]).items()}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return [_made(arguments[0], each) for each in msgspec.convert(value, list[Any])]
    return value


def _struct(kind: type[Struct], members: Mapping[str, Any]) -> Struct:
    given = {
        field.name: _made(field.type, members[field.encode_name])
        for field in msgspec.structs.fields(kind)
        if field.encode_name in members
    }
    try:
        return kind(**given)
    except TypeError as error:  # it lacks a member
        raise msgspec.ValidationError(str(error)) from None


def _one_of(kinds: Sequence[Any], value: object) -> Any:
    """Return the one of several kinds that *value* may be; Any: whatever has neither members nor elements."""
    fitting: tuple[type, ...] = ()
    if isinstance(value, dict):
        fitting = (Struct, Mapping)
    elif isinstance(value, list):
        fitting = (Sequence,)
    for kind in kinds:
        plain = _without_notes(kind)
        bare = get_origin(plain) or plain
        if plain is Raw or (isinstance(bare, type) and bare is not str and issubclass(bare, fitting)):
            return kind
    return Any


def _without_notes(kind: Any) -> Any:
    """Return a type without the descriptions and bounds that it is annotated with."""
    while hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    return kind
