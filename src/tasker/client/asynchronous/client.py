"""The client itself."""

import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self, Unpack
from uuid import UUID

import httpx2
from msgspec import UNSET

from tasker.client.answers import Event, Task
from tasker.client.answers import event as event_of
from tasker.client.asynchronous.by_key import AsyncTaskByKey, change, wait_for
from tasker.client.asynchronous.connection import RETRIES, TIMEOUT, AsyncConnection
from tasker.client.asynchronous.operating import AsyncDestinations, AsyncInbox, AsyncKeys, AsyncOperations
from tasker.client.asynchronous.schedules import AsyncSchedules
from tasker.client.asynchronous.work import AsyncCompletions, AsyncQueues
from tasker.client.calls import events, server, tasks
from tasker.client.core import Page, Request, as_is, encode
from tasker.client.errors import ApiError
from tasker.client.options import (
    ChangeOptions,
    EventFilters,
    Filters,
    Length,
    Moment,
    NewWebhook,
    TaskOptions,
    WebhookOptions,
    When,
)
from tasker.wire.attempts import AttemptView
from tasker.wire.audit import ActionWord as AuditActionWord
from tasker.wire.audit import ChangeView, HistoryView, KindWord
from tasker.wire.explanations import Explanation
from tasker.wire.server import Health, NodeView, PauseView, Stats
from tasker.wire.statistics import DueView, FailuresView, StatsHistory
from tasker.wire.tasks import AtLeast, Created, CreatedInBatch

_CLOSING: Final = "closing"
"""The event that says that the stream ends, since the server stops."""

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class AsyncSending:
    """Creates many tasks, as it is iterated: see ``client.schedule_many``."""

    def __init__(self, results: AsyncIterator[CreatedInBatch]) -> None:
        self._results = results
        self._has_begun = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> CreatedInBatch:
        self._has_begun = True
        return await self._results.__anext__()

    def __del__(self) -> None:
        if not self._has_begun:
            warnings.warn("schedule_many was not iterated: no task was created", RuntimeWarning, stacklevel=2)


class AsyncClient:
    """Calls a tasker server.

    A client keeps connections open, and may be used by any number of tasks of an event loop at once.
    Use it as a context manager, or ``close`` it.

    **Sent again.** Unless the docstring of a method says otherwise, a call is sent again, up to *retries*
    times, after a random pause that may double each time, or after what the server asks for: if there was no
    connection, after 429, 502, 503, 504 and 507, and after a lost answer. That is safe, because twice
    is as good as once; a new task names its own ``id``, so that the server knows it again. Methods that say so are
    sent again only if the server has said, or it is plain, that nothing was done.

    **Errors.** All are ``TaskerError``. A refusal is an ``ApiError``, and for each ``code`` there is a class:
    ``key_in_use`` is ``KeyInUse``. Without a connection it is ``ServerUnreachable``. After a lost answer it is
    ``NoAnswer``: the call may or may not have had its effect. A naive datetime is a ``NaiveTimeError``.

    Args:
        url: of the server. None: that of ``TASKER_URL``, or else ``http://127.0.0.1:8080``.
        key: the API key. None: that of ``TASKER_KEY``, or in the file ``TASKER_KEY_FILE``, or else none.
        timeout: seconds to wait for the answer to one request, and in between for each part of it. What
            the server is asked to wait comes on top.
        retries: how often a request is sent again, at most; 0: never.
        transport: sends the requests, in place of HTTP over the network: for tests, and for TLS settings of
            one's own. See httpx2.

    Raises:
        SettingError: the URL or the key cannot be used. The message shows no key.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout: timedelta | float = TIMEOUT,
        retries: int = RETRIES,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = AsyncConnection(url, key, timeout=timeout, retries=retries, transport=transport)
        self.queues: Final = AsyncQueues(self._connection)
        self.completions: Final = AsyncCompletions(self._connection)
        self.schedules: Final = AsyncSchedules(self._connection)
        self.destinations: Final = AsyncDestinations(self._connection)
        self.operations: Final = AsyncOperations(self._connection)
        self.keys: Final = AsyncKeys(self._connection)
        self.inbox: Final = AsyncInbox(self._connection)

    @property
    def url(self) -> str:
        """The URL of the server, without a slash at its end."""
        return self._connection.url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections. The client cannot be used any more."""
        await self._connection.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    async def schedule(self, url: str, **options: Unpack[WebhookOptions]) -> Created:
        """Have a URL called at a time. Once this returns, the task survives a kill and a power loss of the server.

        ``client.schedule("https://example.org/hook", delay="3d", json={"order": 17}, key="order-17")``

        Say when with one of ``at``, ``delay`` and ``local_time``.

        Args:
            url: http or https.
            at: an aware datetime, in the future; or RFC 3339 with an offset.
            delay: how long from now: a timedelta, a number of seconds, or text such as ``"90s"``, ``"30m"``,
                ``"12h"`` or ``"3d"``.
            local_time: what the clocks of *time_zone* show then: a datetime without a time zone, or such text.
            time_zone: its name in the IANA database, or a ZoneInfo.
            method: POST, if none is named.
            headers: sent with the request.
            json: any JSON value, sent as the body. None is one: ``null``.
            body: text, sent in UTF-8, or bytes; in place of *json*.
            timeout: seconds that an attempt may take: 0.1 to 3600.
            success: statuses that mean success: numbers, or classes such as ``"2xx"``.
            completion: says that the target may answer 202 and report later how the work ended, such as
                ``{"deadline": "30m"}``.
            retry: when a failed attempt is followed by another: ``"standard"``, or the members of a policy such as
                ``{"max_attempts": 5}``.
            expires_at: no attempt starts at this moment or later.
            on_success: where it is told that the task is done: a URL, or the members of a webhook.
            on_failure: the same if it has failed.
            on_cancel: the same if it was cancelled.
            tags: labels of your own, up to 20, by which tasks are found.
            group: the tasks of a group share its pause, limits and rate.
            traceparent: the trace that the task belongs to: W3C Trace Context.
            keep: how long the task is kept after its end, or ``"forever"``.
            id: an id of your own, a UUID of version 7 of a moment within a day from now; else the client makes one.
            key: a name of your own. One task at a time holds it, until it ends.
            on_conflict: what to do if another task holds the key: ``"reject"``, as if nothing is said,
                ``"keep"``, ``"replace"`` or ``"debounce"``.
            max_wait: of ``"debounce"``: how long the task may be put off in all.
            idempotency_key: names the request for longer than the task is stored: whatever comes again with
                it gets the first answer.

        Returns:
            Its ``id``, its ``execution_time``, and the ``outcome``: ``created``, ``kept`` or ``replaced``.

        Raises:
            NaiveTimeError: a datetime has no time zone.
            InvalidTask: the server cannot make a task of it: ``field`` says where.
            KeyInUse: another task holds the key: ``holder`` is its id.
            IdInUse: a task with this id is stored, and has other content.
            TaskRunning: the holder of the key is running, and cannot be replaced.
            ApiError, CallFailed: see the class.
        """
        return await self._connection.call(tasks.create("webhook", {"url": url}, options))

    async def create(self, type: str, fields: Mapping[str, Any], **options: Unpack[TaskOptions]) -> Created:
        """Create a task of any type.

        ``client.create("job", {"queue": "reports", "json": {"customer": 42}}, delay="1h")``

        Args:
            type: its name: ``webhook``, ``hash``, ``job``, or one of a package.
            fields: what the type takes, by the names of the API, such as ``{"queue": "reports"}``.
            options: as in ``schedule``, but for what only webhooks have: that is among the *fields*.

        Returns:
            As ``schedule``.

        Raises:
            TaskerError: as ``schedule``.
        """
        return await self._connection.call(tasks.create(type, fields, options))

    def schedule_many(
        self,
        items: Iterable[NewWebhook | Mapping[str, Any]],
        *,
        chunk: int = 1_000,
        on_progress: Callable[[int], None] | None = None,
    ) -> AsyncSending:
        """Create many tasks. **Iterate over what this returns**: that is what sends them, a chunk at a time.

        A chunk is created as a whole or not at all. If one is refused, the chunks before it stay, and those behind
        it are not sent. As *items* are read one chunk at a time, there may be any number of them.

        Args:
            items: each with the names of the parameters of ``schedule``: ``{"url": ..., "delay": "1h"}``. With
                a ``type``, it is what ``create`` takes: ``{"type": "job", "queue": "reports", "delay": "1h"}``.
                Or as the API takes it: ``{"job": {"queue": "reports", "delay": "1h"}}``.
            chunk: how many tasks are sent in a request, 1 to 10,000.
            on_progress: called after each chunk, with how many tasks there are by now.

        Returns:
            What became of each task, in order: its ``id``, and its ``outcome``.

        Raises:
            InvalidTasks: some tasks of a chunk cannot be created; ``refusals`` has their places among all *items*.
            Conflicts: the same for their keys or ids.
            NaiveTimeError: a datetime has no time zone.
            ApiError, CallFailed: see the class.
        """
        return AsyncSending(self._sent(tasks.chunks(items, chunk), on_progress))

    async def _sent(
        self, chunks: Iterable[tasks.Chunk], on_progress: Callable[[int], None] | None
    ) -> AsyncIterator[CreatedInBatch]:
        for chunk in chunks:
            try:
                made = await self._connection.call(chunk.request)
            except ApiError as error:
                raise chunk.placed(error) from None
            if on_progress is not None:
                on_progress(chunk.start + chunk.length)
            for each in made:
                yield each

    async def get(self, id: UUID | str) -> Task:
        """Return a task as it is now.

        Raises:
            TaskNotFound: there is none with this id.
        """
        return await self._connection.call(tasks.get(tasks.by_id(id)))

    async def find(
        self,
        *,
        sort: str | None = None,
        limit: int | None = None,
        summary: bool = False,
        **filters: Unpack[Filters],
    ) -> AsyncIterator[Task]:
        """Return the tasks that pass all *filters*, page by page as they are iterated. Without filters: all.

        Tasks that change meanwhile may be missing, or come as they are by then.

        Args:
            sort: ``due``, ``ended`` or ``created``, with ``-`` before it for the last first.
            limit: at most so many; None: all.
            summary: whether bodies and results are left out.
            state: the state, or several: any of them.
            type: the task type.
            tag: a tag, or several: all of them.
            key: the key; also of tasks that had it and have ended.
            key_prefix: what the key begins with.
            destination: where it goes: the id of a destination, or its name.
            group: the name of the group.
            queue: the name of the queue that workers claim it from.
            error: the code of ``last_error``.
            fingerprint: that of ``last_error``, as ``failures`` shows it.
            reason: of a task that is todo: why it does not run yet, as ``explain`` says.
            schedule: the schedule whose runs they are.
            parent: of a callback: the id of the task that it tells of.
            due_after: the execution time is this one or later.
            due_before: it is earlier.
            ended_after: the task ended at this time or later.
            ended_before: it ended earlier.
            created_after: the task was stored at this time or later.
            created_before: it was stored earlier.

        Raises:
            InvalidQuery: a filter cannot be used, or not with this order.
        """
        fields = "summary" if summary else None

        def page_of(*, limit: int, cursor: str | None) -> Request[Page[Task]]:
            return tasks.find(filters, sort=sort, fields=fields, limit=limit, cursor=cursor)

        async for each in self._connection.pages(page_of, limit):
            yield each

    async def count(self, **filters: Unpack[Filters]) -> int | AtLeast:
        """Return how many tasks pass all *filters*; where counting stops: how many there are at least.

        Args:
            filters: as in ``find``.

        Raises:
            InvalidQuery: as ``find``.
        """
        return await self._connection.call(tasks.count(filters))

    async def wait(self, id: UUID | str, timeout: timedelta | float | None = None) -> Task:
        """Return a task once it has ended: done, failed or cancelled. One that is to be retried has not.

        Args:
            id: its id.
            timeout: seconds to wait, at most; None: as long as it takes.

        Raises:
            WaitTimedOut: it has not ended within *timeout*.
            TaskNotFound: there is none with this id, or it was deleted meanwhile.
        """
        return await wait_for(self._connection, tasks.by_id(id), timeout)

    async def update(
        self,
        id: UUID | str,
        fields: Mapping[str, Any] | None = None,
        *,
        type: str | None = None,
        if_match: str | None = None,
        **changes: Unpack[ChangeOptions],
    ) -> Task:
        """Change what a task that waits, has failed or was cancelled was given. It never runs in its old form.

        ``client.update(id, delay="1d", on_failure=None)``

        What is not named stays, None takes it away, and objects such as ``headers`` are merged.
        With *if_match*, it is not sent again after a lost answer.

        Args:
            id: the id of the task. It stays, and so do its type and its key.
            fields: members of a type other than webhook, by the names of the API.
            type: the type of the task; None: it is read first.
            if_match: the ``etag`` of the task as you have read it: if it was written since, nothing is changed.
            changes: as in ``schedule``, and ``url``.

        Returns:
            The task as it is now.

        Raises:
            RevisionPassed: it was written since *if_match*.
            TaskRunning: it is running.
            TaskEnded: it is done.
            TaskNotTodo: only a task that is todo can be given another time.
            HeadersNeeded: the URL goes elsewhere, and *headers* are not given anew.
            TaskNotFound, InvalidTask, NaiveTimeError: as elsewhere.
        """
        return await change(self._connection, tasks.by_id(id), fields, type, if_match, changes)

    async def cancel(self, id: UUID | str) -> Task:
        """Cancel a task: it is kept, and does not run. One that runs is cancelled once its attempt has failed.

        Returns:
            The task: ``cancelled``, now or before; or still ``in_progress``.

        Raises:
            TaskEnded: it is done or failed.
            TaskNotFound: there is none with this id.
        """
        return await self._connection.call(tasks.cancel(tasks.by_id(id)))

    async def run(self, id: UUID | str) -> Task | Explanation:
        """Have a task that waits run now. Not sent again after a lost answer.

        Returns:
            The task, which is due; or why it does not start all the same, such as a destination that is paused.

        Raises:
            TaskNotTodo: it does not wait.
            TaskExpired: its ``expires_at`` has passed.
            TaskNotFound: there is none with this id.
        """
        return await self._connection.call(tasks.run(tasks.by_id(id)))

    async def retry(self, id: UUID | str) -> Task:
        """Have a failed or cancelled task run again, now. Not sent again after a lost answer.

        Raises:
            TaskNotFailed: it is neither failed nor cancelled.
            TaskExpired: its ``expires_at`` has passed.
            KeyInUse: another task holds its key by now.
            TaskNotFound: there is none with this id.
        """
        return await self._connection.call(tasks.retry(tasks.by_id(id)))

    async def delete(self, id: UUID | str) -> None:
        """Delete a task that is not running, for good: it never starts any more.

        Raises:
            TaskRunning: it is running.
            TaskNotFound: there is none with this id.
        """
        await self._connection.call(tasks.delete(tasks.by_id(id)))

    async def duplicate(
        self,
        id: UUID | str,
        *,
        idempotency_key: str | None = None,
        **when: Unpack[When],
    ) -> Created:
        """Create another task like this one, for another time. Sent again after a lost answer only with a key.

        Args:
            id: of the task that is there.
            idempotency_key: names the request: whatever comes again with it gets the first answer.
            when: one of ``at``, ``delay`` and ``local_time`` with ``time_zone``, as in ``schedule``.

        Raises:
            TaskNotFound: there is none with this id.
            InvalidTask, NaiveTimeError: as ``schedule``.
        """
        return await self._connection.call(
            tasks.duplicate(tasks.by_id(id), {**when, "idempotency_key": idempotency_key})
        )

    async def attempts(self, id: UUID | str) -> Sequence[AttemptView]:
        """Return the latest attempts of a task that have ended, oldest first.

        Raises:
            TaskNotFound: there is none with this id.
        """
        return await self._connection.call(tasks.attempts(tasks.by_id(id)))

    async def explain(self, id: UUID | str) -> Explanation:
        """Say why a task is where it is, and what comes next.

        Raises:
            TaskNotFound: there is none with this id.
        """
        return await self._connection.call(tasks.explain(tasks.by_id(id)))

    async def history(self, id: UUID | str) -> HistoryView:
        """Say what happened to a task: its attempts and its changes, in one line of time.

        Raises:
            TaskNotFound: there is none with this id.
        """
        return await self._connection.call(tasks.history(tasks.by_id(id)))

    def by_key(self, key: str) -> AsyncTaskByKey:
        """Return what can be done to the task that holds a key. Nothing is sent yet."""
        return AsyncTaskByKey(self._connection, key)

    async def events(
        self,
        *,
        signals: bool = False,
        last_event_id: str | None = None,
        **filters: Unpack[EventFilters],
    ) -> AsyncIterator[Event]:
        """Return what happens, as it happens. This does not end: it comes back to the server whenever the stream ends.

        ``for event in client.events(type="webhook"): ...``

        After a pause it goes on where it was, as far as the server remembers; if something may be missing, there is
        an event ``reset``. Where more happens than is told, there is a ``gap``. To learn how each task ended,
        whatever happens, use a callback.

        Args:
            signals: no single events, only of which kinds there were some: ``signal``, with ``kinds``.
            last_event_id: the ``event_id`` of the last event that you have seen: it goes on behind it.
            state: the state of the task, once this has happened; of several, any of them.
            type: its type.
            tag: a tag; of several, all of them.
            key_prefix: what its key begins with.
            destination: where it goes: the id or the name of a destination, or the name of a group.
            schedule: the schedule that it is about, or whose run the task is.

        Raises:
            TooManyReaders: the server has no room, in several tries.
            InvalidQuery, DestinationNotFound: a filter cannot be used.
            ApiError, CallFailed: see the class. A server that is away is tried *retries* times in a row.
        """

        def request_of(last_id: str | None) -> Request[None]:
            return events.read(filters, signals=signals, last_event_id=last_id)

        async for frame in self._connection.frames(request_of, last_event_id):
            if frame.data and frame.event != _CLOSING:
                yield event_of(frame.event, frame.data, frame.id)

    async def stats(self) -> Stats:
        """Return lateness, counts and worker slots of the server. Needs the scope ``metrics``."""
        return await self._connection.call(server.stats())

    async def stats_due(
        self, *, from_: Moment | None = None, to: Moment | None = None, step: Length | None = None
    ) -> DueView:
        """Return how many tasks are due when, in steps of time.

        Args:
            from_: where the span begins; None: now.
            to: where it ends; None: 24 h after that.
            step: how long a step is; None: such that there are up to 60.

        Raises:
            InvalidQuery: there would be too many steps, or none.
            NaiveTimeError: a datetime has no time zone.
        """
        return await self._connection.call(server.stats_due(from_, to, step))

    async def stats_history(
        self, *, from_: Moment | None = None, to: Moment | None = None, step: Length | None = None
    ) -> StatsHistory:
        """Return what was created, what came of attempts, and how late they began, in steps of time.

        Args:
            from_: where the span begins; None: 24 h before its end.
            to: where it ends; None: now.
            step: as in ``stats_due``.

        Raises:
            InvalidQuery, NaiveTimeError: as ``stats_due``.
        """
        return await self._connection.call(server.stats_history(from_, to, step))

    async def failures(self, *, from_: Moment | None = None, to: Moment | None = None) -> FailuresView:
        """Return what failed, and how often: attempts that failed alike are one group.

        Args:
            from_: where the span begins; None: 24 h before its end.
            to: where it ends; None: now.

        Raises:
            InvalidQuery, NaiveTimeError: as ``stats_due``.
        """
        return await self._connection.call(server.failures(from_, to))

    async def audit(
        self,
        *,
        subject: UUID | str | None = None,
        kind: KindWord | None = None,
        action: AuditActionWord | None = None,
        by: str | None = None,
        after: Moment | None = None,
        before: Moment | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[ChangeView]:
        """Return who has changed what, the latest first, page by page as it is iterated. Needs the scope ``admin``.

        Args:
            subject: the id of what was changed; of a task also the operations that have changed it.
            kind: what was changed: ``task``, ``destination``, ``operation``, ``key``, ``schedule`` or ``server``.
            action: what was done to it.
            by: the id of the API key, ``local`` or ``tasker``.
            after: at this time or later.
            before: earlier than this.
            limit: at most so many; None: all.

        Raises:
            InvalidQuery: a filter cannot be used.
            NaiveTimeError: a datetime has no time zone.
        """
        filters = {
            "subject": subject,
            "kind": kind,
            "action": action,
            "by": by,
            "after": after,
            "before": before,
        }

        def page_of(*, limit: int, cursor: str | None) -> Request[Page[ChangeView]]:
            return server.audit(filters, limit=limit, cursor=cursor)

        async for each in self._connection.pages(page_of, limit):
            yield each

    async def nodes(self) -> Sequence[NodeView]:
        """Return the servers that share the database, in the order in which they started."""
        return await self._connection.call(server.nodes())

    async def pause(self) -> PauseView:
        """Stop everything: no task starts, on any node, until ``resume``. What is running goes on."""
        return await self._connection.call(server.pause())

    async def resume(self) -> PauseView:
        """Let tasks start again, on all nodes."""
        return await self._connection.call(server.resume())

    async def health(self) -> Health:
        """Return that the server is alive: if it is not, there is no answer."""
        return await self._connection.call(server.health())

    async def ready(self) -> Health:
        """Return whether the server should be sent work now: its ``status`` is ``ok`` or ``unavailable``."""
        return await self._connection.call(server.ready())

    async def openapi(self) -> Mapping[str, Any]:
        """Return the description of all calls of the server, in OpenAPI 3.1."""
        return await self._connection.call(server.openapi())

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = UNSET,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool | None = None,
    ) -> Any:
        """Make any call, such as one of a server that is newer than this client.

        Args:
            method: such as ``GET``.
            path: below the URL of the server, with its query, percent-encoded.
            json: the body; without it, there is none.
            headers: in addition to the usual ones.
            is_repeatable: whether it is sent again after a lost answer; None: if the method is GET, PUT or DELETE.

        Returns:
            The JSON of the answer; None if it has no body.

        Raises:
            ApiError, CallFailed: see the class.
        """
        return await self._connection.call(
            Request(
                method=method,
                path=path,
                content=None if json is UNSET else encode(json),
                headers=headers,
                read=as_is,
                is_repeatable=method in _IDEMPOTENT if is_repeatable is None else is_repeatable,
            )
        )
