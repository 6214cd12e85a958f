"""What a task is given: the members of a request that are stored and given back as they are."""

from datetime import timedelta
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.model import names
from tasker.model.instants import microseconds
from tasker.model.retry import STANDARD, RetryPolicy

_YEAR: Final = 365 * 86_400
_LONGEST_JOB: Final = 30 * 86_400
_DEFAULT_RETRY: Final = RetryPolicy()
_DEFAULT_PATIENCE: Final = microseconds(_DEFAULT_RETRY.patience())

BODIES: Final = ("body", "json", "body_base64")
"""The members of a webhook that say what is sent. It has one of them, or none."""

NonEmptyText = Annotated[str, Meta(min_length=1)]


class RetryFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When a failed attempt is followed by another: exponential backoff with jitter. All waits in seconds."""

    max_attempts: Annotated[int, Meta(ge=1, le=1000, description="Attempts in total; 1 means never retry.")] = 10
    initial_delay: Annotated[float, Meta(ge=0, le=_YEAR, description="Seconds to wait after the first failure.")] = 1.0
    factor: Annotated[float, Meta(ge=1, le=1000, description="What each further wait is multiplied by.")] = 3.0
    max_delay: Annotated[float, Meta(ge=0, le=_YEAR, description="The longest wait in seconds, after jitter too.")] = (
        21_600.0
    )
    jitter: Annotated[
        float, Meta(ge=0, le=1, description="Each wait is multiplied by a random factor in [1 - jitter, 1 + jitter].")
    ] = 0.1
    max_age: (
        Annotated[
            float, Meta(ge=0, le=_YEAR, description="No retry is due later than so many seconds after execution_time.")
        ]
        | UnsetType
    ) = UNSET

    def policy(self) -> RetryPolicy:
        """The same as a rule."""
        return RetryPolicy(
            max_attempts=self.max_attempts,
            initial_delay=timedelta(seconds=self.initial_delay),
            factor=self.factor,
            max_delay=timedelta(seconds=self.max_delay),
            jitter=self.jitter,
            max_age=None if self.max_age is UNSET else timedelta(seconds=self.max_age),
        )


Retry: TypeAlias = Annotated[
    RetryFields | Literal["standard"],
    Meta(
        description="When failed attempts are followed by others; "
        '"standard": after 5 s, 5 min, 30 min, ... 24 h, some 75 h.'
    ),
]
"""A policy of one's own, or the schedule of Standard Webhooks."""

Url = Annotated[
    NonEmptyText,
    Meta(
        description="http or https; without a scheme, http:// is put before it.",
        examples=["http://localhost:9000/hook"],
    ),
]
Headers = Annotated[
    dict[str, str], Meta(max_length=50, description="Sent with the request. Lists do not show their values.")
]
Timeout = Annotated[
    float,
    Meta(ge=0.1, le=3600, description="Seconds that an attempt may take, from the lookup to the status of the answer."),
]
Success = Annotated[
    list[int | str],
    Meta(min_length=1, max_length=50, description='Statuses that mean success: numbers, or classes such as "2xx".'),
]


class CallbackFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook that tells of a task's end. Its body is made by tasker."""

    url: Url
    method: Literal["POST", "PUT", "PATCH"] | UnsetType = UNSET
    headers: Headers | UnsetType = UNSET
    timeout: Timeout | UnsetType = UNSET
    success: Success | UnsetType = UNSET
    retry: Retry | UnsetType = UNSET


Callback: TypeAlias = Annotated[
    Url | CallbackFields, Meta(description="Where the end of the task is told: a URL, or more of a webhook.")
]
"""Where a task's end is told: a URL, or a whole webhook."""


Length: TypeAlias = Annotated[
    float | str, Meta(description='Seconds as a number, or text such as "90s", "30m", "12h" or "7d".')
]
"""A length of time: see ``model/lengths.py``."""


Group: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="The tasks of a group share its pause, limits and rate.",
        examples=["customer-42"],
    ),
]
"""The name of a group, which ``model.gate.group_named`` checks further."""


Queue: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=names.LENGTH,
        description=f"Where workers claim it: {names.EXPECTED}.",
        examples=["reports"],
    ),
]
"""The name of a queue, which ``model.gate.queue_named`` checks further."""


class TaskFields(Struct, frozen=True, kw_only=True):
    """What every task type takes."""

    retry: Retry | UnsetType = UNSET
    expires_at: (
        Annotated[
            str,
            Meta(description="No attempt starts at this moment or later.", extra_json_schema={"format": "date-time"}),
        ]
        | UnsetType
    ) = UNSET
    on_success: Callback | UnsetType = UNSET
    on_failure: Callback | UnsetType = UNSET
    on_cancel: Callback | UnsetType = UNSET
    tags: (
        Annotated[
            list[Annotated[str, Meta(min_length=1, max_length=100)]],
            Meta(max_length=20, description="Labels of your own.", examples=[["customer:42"]]),
        ]
        | UnsetType
    ) = UNSET
    group: Group | UnsetType = UNSET
    traceparent: (
        Annotated[
            str,
            Meta(
                description="The trace that it belongs to: W3C Trace Context. Else that of the request's header.",
                examples=["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
            ),
        ]
        | UnsetType
    ) = UNSET
    keep: (
        Annotated[
            Length, Meta(description='How long it is kept after its end, or "forever"; else as the settings say.')
        ]
        | UnsetType
    ) = UNSET


class CompletionFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Says that the target may answer 202, and report later how the work ended."""

    deadline: Annotated[Length, Meta(description="How long to wait for that, from the answer: at most 30d.")]
    counts: Annotated[
        bool, Meta(description="Whether the task counts in max_running of its destination meanwhile.")
    ] = True
    url: (
        Annotated[
            str,
            Meta(
                description="Where it is reported: made by tasker, of its --public-url. What is sent is replaced.",
                extra_json_schema={"readOnly": True},
            ),
        ]
        | UnsetType
    ) = UNSET


class WebhookFields(TaskFields, frozen=True, kw_only=True):
    """A webhook: a request to ``url``."""

    url: Url
    method: (
        Annotated[
            Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            Meta(description="POST, if none is named."),
        ]
        | UnsetType
    ) = UNSET
    headers: Headers | UnsetType = UNSET
    body: (
        Annotated[
            NonEmptyText,
            Meta(
                description="Sent as it is, in UTF-8. Without it, json and body_base64, the request is sent empty.",
                examples=['{"order": 17}'],
            ),
        ]
        | UnsetType
    ) = UNSET
    json: Annotated[Raw, Meta(description="Any JSON value, in place of body. Sent as it is.")] | UnsetType = UNSET
    body_base64: (
        Annotated[
            NonEmptyText,
            Meta(
                description="Bytes in base64, in place of body or json. What is sent is the bytes.",
                examples=["AAECAw=="],
                extra_json_schema={
                    "contentEncoding": "base64",
                    "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?$",
                },
            ),
        ]
        | UnsetType
    ) = UNSET
    timeout: Timeout | UnsetType = UNSET
    success: Success | UnsetType = UNSET
    completion: CompletionFields | UnsetType = UNSET


class HashFields(TaskFields, frozen=True, kw_only=True):
    """A hash: PBKDF2-HMAC-SHA256 of ``secret``."""

    secret: Annotated[
        NonEmptyText, Meta(description="At most 4 KiB of UTF-8.", examples=["correct-horse-battery-staple"])
    ]


class JobFields(TaskFields, frozen=True, kw_only=True):
    """A job: workers that pull claim it from its ``queue``."""

    queue: Queue
    json: Annotated[Raw, Meta(description="Any JSON value: what the worker is given.")] | UnsetType = UNSET
    timeout: (
        Annotated[
            float,
            Meta(ge=0.1, le=_LONGEST_JOB, description="Seconds that an attempt may take, for the worker to keep to."),
        ]
        | UnsetType
    ) = UNSET


LocalTime: TypeAlias = Annotated[
    str,
    Meta(
        description="In place of execution_time: what the clocks of time_zone show then, without an offset.",
        examples=["2027-03-28T09:00:00"],
    ),
]
"""See ``model/walls.py``."""


TimeZone: TypeAlias = Annotated[
    str, Meta(description="The name of a time zone in the IANA database.", examples=["Europe/Berlin"])
]


class RequestFields(Struct, frozen=True):
    """What a request says of every new task, beside the fields of its type. It is not stored with them."""

    execution_time: (
        Annotated[
            str,
            Meta(
                description="The task does not start before. RFC 3339 with an offset.",
                extra_json_schema={"format": "date-time"},
                examples=["2126-02-10T16:30:00+01:00"],
            ),
        ]
        | UnsetType
    ) = UNSET
    delay: Annotated[Length, Meta(description="In place of execution_time: from now; 0 is now.")] | UnsetType = UNSET
    local_time: LocalTime | UnsetType = UNSET
    time_zone: TimeZone | UnsetType = UNSET
    id: (
        Annotated[
            str,
            Meta(
                description="An id of your own: a UUID of version 7, of a moment within a day from now.",
                extra_json_schema={"format": "uuid"},
            ),
        ]
        | UnsetType
    ) = UNSET
    key: (
        Annotated[
            str,
            Meta(min_length=1, max_length=255, description="A name of your own. One task at a time has it."),
        ]
        | UnsetType
    ) = UNSET
    on_conflict: (
        Annotated[
            Literal["reject", "keep", "replace", "debounce"],
            Meta(description="What to do if another task holds the key; reject, if nothing is said."),
        ]
        | UnsetType
    ) = UNSET
    max_wait: (
        Annotated[Length, Meta(description="Debounced, it is due at the latest so long after the first.")] | UnsetType
    ) = UNSET


def request_type(name: str, fields: type[TaskFields]) -> type[Struct]:
    """Return the shape of a new task of a type: its *fields* and ``RequestFields``; anything else is refused."""
    return msgspec.defstruct(
        f"New{name.capitalize()}",
        [(each.name, each.type, each.default) for each in msgspec.structs.fields(RequestFields)],
        bases=(fields,),
        namespace={"__doc__": fields.__doc__},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


def retry_policy(fields: TaskFields) -> RetryPolicy:
    """Return the retry policy that a task asks for; the default one where it names none."""
    match fields.retry:
        case RetryFields():
            return fields.retry.policy()
        case "standard":
            return STANDARD
        case _:
            return _DEFAULT_RETRY


def patience(fields: TaskFields) -> int:
    """Return ``RetryPolicy.patience`` of a task's policy, in microseconds."""
    if fields.retry is UNSET:  # nearly always
        return _DEFAULT_PATIENCE
    return microseconds(retry_policy(fields).patience())


decode_end_fields: Final = msgspec.json.Decoder(TaskFields).decode
"""Reads, of what a task of any type was given, the fields that say what follows an attempt: those
of ``TaskFields``."""


def readable_end_fields(payload: bytes) -> TaskFields:
    """Return those fields that every task type takes; none, if *payload* can no longer be read.

    For the end of a task, which must not fail because of what is stored with it.
    """
    try:
        return decode_end_fields(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _NO_FIELDS


_NO_FIELDS: Final = TaskFields()
