"""Makes texts fit to be shown: takes out what may be a secret in a URL, and what would break a line."""

import re
from typing import Final

_URL: Final = re.compile(
    r"""://
    (?P<userinfo>[^\s/?#"'<>]*@)?
    (?P<place>[^\s?#"'<>]*)
    (?P<query>[?#][^\s"'<>]*)?""",
    re.VERBOSE,
)
_PARAMETERS: Final = re.compile(r"""\?[^\s"'<>=?]{1,200}=[^\s"'<>]*""")
"""A query string without a URL before it, such as that of a path."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def redact(text: str) -> str:
    """Return *text* without the userinfo, the query strings and the fragments of URLs in it.

    >>> redact("calling https://me:secret@example.org/x?token=1 failed")
    'calling https://***@example.org/x?*** failed'
    """
    return _PARAMETERS.sub("?***", _URL.sub(_bare, text))


def _bare(url: re.Match[str]) -> str:
    return "://" + ("***@" if url["userinfo"] else "") + url["place"] + ("?***" if url["query"] else "")


def one_line(text: str) -> str:
    r"""Return *text* with its control characters and line ends shown as escapes.

    >>> one_line("a\nb")
    'a\\x0ab'
    """
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
