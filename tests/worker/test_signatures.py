"""Arguments become JSON and arguments again; what a function cannot be called with is refused."""

import dataclasses
import datetime as dt
import decimal
import inspect
import uuid
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasker.errors import BadArgumentsError, DeclarationError
from tasker.worker.signature import Signature

UTC_TIMES = st.datetimes(timezones=st.just(dt.UTC))


@dataclasses.dataclass
class Line:
    product: str
    count: int = 1


class Order(msgspec.Struct):
    id: uuid.UUID
    lines: list[Line]


def orders():
    lines = st.builds(Line, st.text(max_size=9), st.integers(-(2**53), 2**53))
    return st.builds(Order, st.uuids(), st.lists(lines, max_size=3))


VALUES = {
    "int": (int, st.integers(-(2**63), 2**64 - 1)),
    "float": (float, st.floats(allow_nan=False, allow_infinity=False)),
    "str": (str, st.text()),
    "bool": (bool, st.booleans()),
    "bytes": (bytes, st.binary()),
    "datetime": (dt.datetime, UTC_TIMES),
    "date": (dt.date, st.dates()),
    "decimal": (decimal.Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    "literal": (Literal["a", 2], st.sampled_from(["a", 2])),
    "optional": (int | None, st.none() | st.integers(0, 9)),
    "list": (list[str], st.lists(st.text())),
    "dict": (dict[str, int], st.dictionaries(st.text(), st.integers(-9, 9))),
    "tuple": (tuple[int, str], st.tuples(st.integers(0, 9), st.text())),
    "struct": (Order, orders()),
    "any": (Any, st.none() | st.booleans() | st.integers(0, 9) | st.text()),
}


@pytest.mark.parametrize("kind", VALUES)
def test_what_is_written_is_read_again(kind):
    type_, values = VALUES[kind]

    def function(value):
        pass

    function.__annotations__["value"] = type_
    signature = Signature("f", function)

    @given(values)
    def check(value):
        assert signature.read(bytes(signature.written(value))) == ([], {"value": value})

    check()


@given(st.data())
def test_arguments_reach_the_parameters_that_python_would_give_them(data):
    kinds = [inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY]
    count = data.draw(st.integers(0, 4))
    chosen = sorted(data.draw(st.lists(st.sampled_from(kinds), min_size=count, max_size=count)))
    parameters, has_default = [], False
    for place, kind in enumerate(chosen):
        optional = data.draw(st.booleans()) or (has_default and kind is not inspect.Parameter.KEYWORD_ONLY)
        has_default = has_default or optional
        default = f"default {place}" if optional else inspect.Parameter.empty
        parameters.append(inspect.Parameter(f"p{place}", kind, default=default, annotation=str))
    python = inspect.Signature(parameters)

    def function(*args, **kwargs):
        bound = python.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    function.__signature__ = python
    function.__annotations__ = {each.name: str for each in parameters}
    given_ = data.draw(st.integers(0, sum(kind is not inspect.Parameter.KEYWORD_ONLY for kind in chosen)))
    named = data.draw(st.sets(st.sampled_from([p.name for p in parameters] or ["p0"])))
    args, kwargs = [f"value {n}" for n in range(given_)], {name: f"named {name}" for name in named}
    signature = Signature("f", function)
    try:
        expected = function(*args, **kwargs)
    except TypeError:
        with pytest.raises(BadArgumentsError):
            signature.written(*args, **kwargs)
        return
    read = signature.read(bytes(signature.written(*args, **kwargs)))
    assert function(*read.positional, **read.named) == expected


def build(customer: int, layout: str = "pdf", *, since: dt.datetime | None = None):
    pass


BUILD = Signature("report.build", build)


def test_what_is_left_out_is_not_stored():
    assert bytes(BUILD.written(42)) == b'{"customer":42}'
    assert bytes(BUILD.written(42, layout="pdf")) == b'{"customer":42,"layout":"pdf"}'
    assert BUILD.read(b'{"customer":42}') == ([], {"customer": 42})


ENDLESS = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("args", "named", "problem"),
    [
        ((), {}, "missing a required argument: 'customer'"),
        ((1, "pdf", None), {}, "too many positional arguments"),
        ((1,), {"colour": "red"}, "got an unexpected keyword argument 'colour'"),
        (("42",), {}, "Expected `int`, got `str` - at `$.customer`"),
        ((1,), {"layout": object()}, "they cannot be written as JSON"),
        ((1,), {"layout": ENDLESS}, "they cannot be written as JSON"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_anything_is_sent(args, named, problem):
    with pytest.raises(BadArgumentsError) as refused:
        BUILD.written(*args, **named)
    assert str(refused.value).startswith("the arguments do not fit report.build: ")
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b'{"customer":"42"}',
        b'{"customer":4,"colour":1}',
        b"[]",
        b"",
        b"{",
        b"\xff",
        b'{"customer":' + b"[" * 9999,
    ],
)
def test_what_is_stored_and_does_not_fit_is_refused(text):
    with pytest.raises(BadArgumentsError):
        BUILD.read(text)


def test_constraints_of_a_type_hold():
    def function(name: Annotated[str, msgspec.Meta(max_length=3)] = "x"):
        pass

    signature = Signature("f", function)
    assert bytes(signature.written("abc")) == b'{"name":"abc"}'
    with pytest.raises(BadArgumentsError, match="length <= 3"):
        signature.written("abcd")


def test_the_schema_has_the_defaults_that_json_can_say():
    def function(a: int = 3, b: dt.date = dt.date(2027, 1, 1), c: object = function_without_json):
        pass

    schema = msgspec.json.schema(Signature("f", function).shape)["$defs"]["Arguments_f"]
    shown = {name: member.get("default") for name, member in schema["properties"].items()}
    assert shown == {"a": 3, "b": "2027-01-01", "c": None}


def function_without_json():
    pass


class Unknown:
    pass


@pytest.mark.parametrize("type_", [Unknown, list[Unknown], dict[str, Unknown | None], tuple[Unknown, ...]])
def test_a_type_that_json_cannot_be_read_as_is_refused_with_the_parameter(type_):
    def function(value):
        pass

    function.__annotations__["value"] = type_
    with pytest.raises(
        DeclarationError, match=r"the parameter 'value' of the function of 'f' .* Unknown cannot be read"
    ):
        _ = Signature("f", function).shape


def test_a_type_that_stands_below_the_function_is_found_when_it_is_needed():
    def function(value: "Below"):  # noqa: F821
        pass

    signature = Signature("f", function)
    function.__globals__["Below"] = int
    try:
        assert bytes(signature.written(3)) == b'{"value":3}'
    finally:
        del function.__globals__["Below"]


def test_a_type_that_is_nowhere_is_refused():
    def function(value: "Nowhere"):  # noqa: F821
        pass

    with pytest.raises(DeclarationError, match="names a type that is not known"):
        _ = Signature("f", function).shape


def test_any_number_of_arguments_is_refused():
    with pytest.raises(DeclarationError, match=r"has \*args: expected parameters with names"):
        Signature("f", lambda *args: None)
    with pytest.raises(DeclarationError, match=r"has \*\*named: expected parameters with names"):
        Signature("f", lambda **named: None)
