"""The arguments of a function: how they become JSON, and how JSON becomes arguments again."""

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Final, NamedTuple, cast

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.errors import BadArgumentsError, DeclarationError

_KINDS_REFUSED: Final = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


class Arguments(NamedTuple):
    """What a function is called with."""

    positional: Sequence[Any]
    named: Mapping[str, Any]


class Signature:
    """The parameters of one function.

    They are kept by name. What a caller leaves out is not stored: the function's own default counts
    when it runs. The types are those that msgspec reads from JSON; they are looked up when they are
    first needed, so that a function may name a class that stands below it.
    """

    def __init__(self, name: str, function: Callable[..., object]) -> None:
        """Look at the parameters of *function*, which is the task *name*.

        Raises:
            DeclarationError: it has a parameter that takes any number of arguments.
        """
        self._name = name
        self._function = function
        self._signature = inspect.signature(function)
        for parameter in self._signature.parameters.values():
            if parameter.kind in _KINDS_REFUSED:
                raise DeclarationError(
                    f"the function of {name!r} has {_KINDS_REFUSED[parameter.kind]}{parameter.name}: "
                    "expected parameters with names of their own, so that arguments can be stored by name"
                )

    @cached_property
    def shape(self) -> type[Struct]:
        """The arguments as a struct: a member for each parameter. Unknown members are refused.

        Raises:
            DeclarationError: a parameter has a type that cannot be read from JSON.
        """
        try:
            types_ = typing.get_type_hints(self._function, include_extras=True)
        except NameError as error:
            raise DeclarationError(f"the function of {self._name!r} names a type that is not known: {error}") from None
        members: list[tuple[str, Any, Any]] = []
        for parameter in self._signature.parameters.values():
            type_ = types_.get(parameter.name, Any)
            if type_ is object:  # which msgspec does not know
                type_ = Any
            if parameter.default is parameter.empty:
                members.append((parameter.name, type_, msgspec.NODEFAULT))
            else:
                members.append((parameter.name, _or_left_out(type_, parameter.default), UNSET))
        for member, type_, _ in members:
            self._check(member, type_)
        return msgspec.defstruct(
            f"Arguments_{self._name}",
            [
                (member, type_) if default is msgspec.NODEFAULT else (member, type_, default)
                for member, type_, default in members
            ],
            frozen=True,
            kw_only=True,
            forbid_unknown_fields=True,
            namespace={"__doc__": f"The arguments of {self._name}."},
        )

    @property
    def is_called_without(self) -> bool:
        """Whether the function can be called without any argument."""
        return all(each.default is not each.empty for each in self._signature.parameters.values())

    def written(self, /, *positional: object, **named: object) -> Raw:
        """Return arguments as JSON, once they are checked as the server and the worker check them.

        Raises:
            BadArgumentsError: the function cannot be called with them.
        """
        try:
            given = self._signature.bind(*positional, **named).arguments
        except TypeError as error:
            raise BadArgumentsError(self._name, str(error)) from None
        try:
            text = msgspec.json.encode(given)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise BadArgumentsError(self._name, f"they cannot be written as JSON: {error}") from None
        self.read(text)
        return Raw(text)

    def read(self, text: bytes) -> Arguments:
        """Return the arguments that *text* holds, which is JSON.

        Raises:
            BadArgumentsError: the function cannot be called with them.
        """
        try:
            given = self._decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadArgumentsError(self._name, str(error) or "they are nested too deeply") from None
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for parameter in self._signature.parameters.values():
            value = getattr(given, parameter.name)
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(parameter.default if value is UNSET else value)
            elif value is not UNSET:
                named[parameter.name] = value
        return Arguments(positional, named)

    @cached_property
    def _decoder(self) -> "msgspec.json.Decoder[Any]":
        return msgspec.json.Decoder(self.shape)

    def _check(self, parameter: str, type_: object) -> None:
        """Return if msgspec can read a type from JSON; see ``shape``."""
        problem = ""
        try:
            unknown = next(_unreadable(msgspec.inspect.type_info(type_), set()), None)
        except (TypeError, NameError) as error:
            problem = str(error)
        else:
            if unknown is None:
                return
            problem = f"{unknown.__qualname__} cannot be read from JSON"
        raise DeclarationError(
            f"the parameter {parameter!r} of the function of {self._name!r} cannot be stored: {problem}; "
            "expected types such as str, int, datetime, UUID, Literal, list, dict, dataclasses and msgspec structs"
        )


def _or_left_out(type_: Any, default: object) -> Any:  # noqa: ANN401 - a type, as an annotation has it
    """Return the type of a parameter that may be left out. Its JSON schema names the default, if JSON can."""
    try:
        shown = {"default": msgspec.to_builtins(default)}
        msgspec.json.encode(shown)
    except (TypeError, ValueError, OverflowError, RecursionError):
        shown = {}
    return Annotated[type_, Meta(extra_json_schema=shown)] | UnsetType if shown else typing.Union[type_, UnsetType]  # noqa: UP007


def _unreadable(shape: msgspec.inspect.Type, seen: set[type]) -> Iterator[type]:
    """Yield the classes in *shape* that msgspec does not know."""
    if isinstance(shape, msgspec.inspect.CustomType):
        yield shape.cls
    cls = getattr(shape, "cls", None)
    if cls is not None:
        if cls in seen:
            return
        seen.add(cls)
    for member in shape.__struct_fields__:
        for part in _parts(getattr(shape, member)):
            yield from _unreadable(part, seen)


def _parts(value: Any) -> Iterator[msgspec.inspect.Type]:  # noqa: ANN401 - of whatever kind the members are
    """Yield the types in a member of a type."""
    parts = cast("tuple[object, ...]", value if isinstance(value, tuple) else (value,))
    for part in parts:
        inner = part.type if isinstance(part, msgspec.inspect.Field) else part
        if isinstance(inner, msgspec.inspect.Type):
            yield inner


def is_async(function: Callable[..., object]) -> bool:
    """Return whether calling *function* makes a coroutine."""
    if isinstance(function, types.FunctionType | types.MethodType):
        return inspect.iscoroutinefunction(function)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
