"""What is known of a server before anything is judged: each check draws on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasker.config import Settings
from tasker.doctor.server_answers import ServerAnswers
from tasker.model.instants import Instant
from tasker.stores.examining import Examined


@dataclass(frozen=True, kw_only=True)
class Case:
    """A server: its settings, its database, and what it says itself if it runs."""

    settings: Settings
    doubts: Sequence[str]
    """What looks like a mistake in the settings, a line each."""
    target: str | None
    """The URL that somebody wants to be called; None: there is none."""
    now: Instant
    """By this machine's clock."""
    database: Examined
    answers: ServerAnswers

    @property
    def is_at_work(self) -> bool:
        """Whether a server runs on the database, as far as can be seen."""
        return self.answers.is_there or self.database.holder is not None or bool(self.nodes_there)

    @property
    def nodes_there(self) -> Sequence[str]:
        """The URLs of the servers that share the database now, as it says."""
        contents = self.database.contents
        if contents is None:
            return []
        return [
            node.address for node in contents.nodes if node.lease_until is not None and node.lease_until > contents.at
        ]
