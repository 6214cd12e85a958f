"""What requests and answers say of API keys."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from tasker.callers import GRANTED, KEY_NAME_LENGTH, Role
from tasker.model import instants
from tasker.model.api_key import ApiKey

RoleWord = Literal["metrics", "read", "write", "admin"]
ScopeWord = Annotated[
    str,
    Meta(
        extra_json_schema={
            "anyOf": [
                {"enum": [scope.value for scope in GRANTED]},
                {"pattern": "^queues:work:(type:)?[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"},
            ]
        }
    ),
]
"""One of ``callers.GRANTED``, or a scope of a single queue."""

_MOMENT = {"format": "date-time"}


class NewKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that is to be made: with a role or with scopes."""

    name: Annotated[
        str,
        Meta(min_length=1, max_length=KEY_NAME_LENGTH, description="What people know it by.", examples=["grafana"]),
    ]
    role: Annotated[RoleWord, Meta(description="A name for a set of scopes.")] | UnsetType = UNSET
    scopes: Annotated[list[ScopeWord], Meta(min_length=1, description="What it may do.")] | UnsetType = UNSET
    expires_at: (
        Annotated[
            str, Meta(description="From then on it is not valid. Without it: for ever.", extra_json_schema=_MOMENT)
        ]
        | UnsetType
    ) = UNSET


class KeyView(Struct, frozen=True, kw_only=True):
    """A key, without the key itself: that is shown once, when it is made."""

    id: Annotated[str, Meta(examples=["0a1b2c3d"], description="The part of the key that is no secret.")]
    name: str
    role: RoleWord | None
    scopes: Annotated[Sequence[str], Meta(description="What it may do; those of its role, if it has one.")]
    created_at: Annotated[str, Meta(extra_json_schema=_MOMENT)]
    expires_at: Annotated[str, Meta(extra_json_schema=_MOMENT)] | None
    used_at: Annotated[str, Meta(description="When it was last used, to the minute.", extra_json_schema=_MOMENT)] | None


class NewKeyView(KeyView, frozen=True, kw_only=True):
    """A key that was made."""

    key: Annotated[str, Meta(description="The key itself. It is kept nowhere, and not shown again.")]


class KeyPage(Struct, frozen=True):
    """Some keys, in the order in which they were made."""

    keys: Sequence[KeyView]
    next: Annotated[str, Meta(description="The path of the next page.")] | None


def key_view(key: ApiKey) -> KeyView:
    """Return *key* as answers show it."""
    return KeyView(**_members(key))


def new_key_view(key: ApiKey, text: str) -> NewKeyView:
    """Return *key* as it is shown once, when it is made."""
    return NewKeyView(**_members(key), key=text)


def _members(key: ApiKey) -> dict[str, Any]:
    scopes = key.scopes
    if key.role is not None:
        of_role = Role(key.role).scopes
        scopes = tuple(scope.value for scope in GRANTED if scope in of_role)
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "scopes": scopes,
        "created_at": instants.text(key.created_at),
        "expires_at": None if key.expires_at is None else instants.text(key.expires_at),
        "used_at": None if key.used_at is None else instants.text(key.used_at),
    }
