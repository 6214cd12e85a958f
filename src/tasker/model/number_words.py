"""Numbers, counts and sizes as people write them."""

from tasker.model.time_words import short_number


def count(number: int, *, is_exact: bool = True) -> str:
    """Return a number as people write it.

    >>> count(1234567), count(10000, is_exact=False)
    ('1,234,567', '10,000+')
    """
    return f"{number:,}" if is_exact else f"{number:,}+"


def many(number: int, one: str, several: str = "", *, is_exact: bool = True) -> str:
    """Return a number and what it counts.

    >>> many(1, "task"), many(0, "task"), many(2, "retry", "retries")
    ('1 task', '0 tasks', '2 retries')
    """
    return f"{count(number, is_exact=is_exact)} {one if number == 1 and is_exact else several or one + 's'}"


def bytes_of(number: int) -> str:
    """Return a size.

    >>> [bytes_of(each) for each in (0, 999, 2_048, 5_242_880)]
    ['0 B', '999 B', '2 KiB', '5 MiB']
    """
    size = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{short_number(size)} {unit}"
        size /= 1024
    raise AssertionError
