"""Query parameters that may come more than once."""

from collections.abc import Mapping, Sequence

from tasker.errors import InvalidQueryError, cut


def given_in(pairs: Sequence[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    """Return the values of each parameter, in their order."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    return given


def one_of(given: Mapping[str, Sequence[str]], name: str) -> str | None:
    """Return the value of a parameter that is given once; None: it is not given.

    Raises:
        InvalidQueryError: it is given more than once.
    """
    values = given.get(name, ())
    if len(values) > 1:
        raise InvalidQueryError(name, f"expected one value, got {len(values)}")
    return values[0] if values else None


def word_of(given: Mapping[str, Sequence[str]], name: str, known: Sequence[str]) -> str | None:
    """Return the value of a parameter that is one of the *known* words; None: it is not given.

    Raises:
        InvalidQueryError: it is another word, or given more than once.
    """
    word = one_of(given, name)
    if word is None or word in known:
        return word
    right = f"one of {', '.join(known)}" if len(known) > 2 else " or ".join(known)
    raise InvalidQueryError(name, f"expected {right}, got: {cut(word)!r}")
