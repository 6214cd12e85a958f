"""What a function raises to say how its attempt ends. Anything else that it raises fails the attempt, too."""

from datetime import timedelta
from typing import Final

_NO_WORDS: Final = "the function asked for another attempt"


class Retry(Exception):  # noqa: N818 - it is no error: it says what is to happen
    """Ends the attempt as failed, and asks for another one.

    It counts as an attempt: after the last one that the retry policy allows, the task has failed.
    """

    def __init__(self, msg: str = _NO_WORDS, *, after: float | str | timedelta | None = None) -> None:
        """Ask for it.

        Args:
            msg: a line for people, which ``last_error`` shows.
            after: the next attempt comes no earlier than so long from now: seconds, text such as
                ``"10m"``, or a ``timedelta``; at most 24 hours count. None: as the retry policy says.
        """
        super().__init__(msg)
        self.after = after


class Fail(Exception):  # noqa: N818 - as above
    """Ends the task as failed, whatever its retry policy says: another attempt cannot help."""

    def __init__(self, msg: str, *, code: str = "failed") -> None:
        """Say so.

        Args:
            msg: a line for people, which ``last_error`` shows.
            code: a word for programs: lower case, digits and ``_``, at most 64 characters.
        """
        super().__init__(msg)
        self.code = code
