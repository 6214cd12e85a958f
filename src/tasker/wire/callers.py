"""What answers show of who has done something."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from tasker.model.audit import Actor, actor_of


class By(Struct, frozen=True):
    """Who has done something."""

    id: Annotated[
        str,
        Meta(
            description="Of the API key; local: none was asked for; tasker: the server itself; inbox: the "
            "PostgreSQL inbox.",
        ),
    ]
    name: str


def by_view(actor: Actor) -> By:
    """Return somebody as answers show them."""
    return By(actor.id, actor.name)


def creator_view(created_by: str | None) -> By | UnsetType:
    """Return who has created a task as answers show it."""
    return UNSET if created_by is None else by_view(actor_of(created_by))
