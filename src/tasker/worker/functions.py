"""Functions as tasks: the app that has them, and how they are scheduled."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, ParamSpec, TypeVar, Unpack
from weakref import WeakKeyDictionary, WeakSet

import msgspec

from tasker.errors import DeclarationError
from tasker.model import lengths, names
from tasker.wire.fields import RetryFields
from tasker.worker.signature import Signature, is_async

if TYPE_CHECKING:
    from tasker.client.asynchronous.client import AsyncClient
    from tasker.client.options import Length, TaskOptions
    from tasker.client.options import Retry as RetryPolicy
    from tasker.client.synchronous.client import Client
    from tasker.wire.tasks import Created

    class CallOptions(TaskOptions, total=False):
        """What is said of a task that calls a function, beside its arguments."""

        timeout: Length | None


P = ParamSpec("P")
R = TypeVar("R")

SHORTEST_TIMEOUT: Final = timedelta(seconds=0.1)
LONGEST_TIMEOUT: Final = timedelta(days=30)

_POLICY: Final = f'some of {", ".join(RetryFields.__struct_fields__)}; or "standard"'


class App:
    """The functions of a program that can be scheduled, by name.

    It is made once, at the top of a module; a worker and a server are told where: ``shop.tasks:app``.
    """

    def __init__(self, *, url: str | None = None, key: str | None = None) -> None:
        """Make an app without functions.

        Args:
            url, key: of the server that ``schedule`` calls; None: as the clients' variables say,
                ``TASKER_URL``, ``TASKER_KEY`` and ``TASKER_KEY_FILE``. A worker does not use them.
        """
        self._url = url
        self._key = key
        self._functions: dict[str, Function[Any, Any]] = {}
        self._client: Client | None = None
        self._async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncClient] = WeakKeyDictionary()
        self._make_async_client: Callable[[], AsyncClient] | None = None
        self._lent: WeakSet[Client | AsyncClient] = WeakSet()
        self._lock = threading.Lock()

    @property
    def functions(self) -> Mapping[str, "Function[Any, Any]"]:
        """The functions by name, in the order in which they were declared."""
        return self._functions

    def task(
        self, name: str, /, *, retry: "RetryPolicy | None" = None, timeout: "Length | None" = None
    ) -> Callable[[Callable[P, R]], "Function[P, R]"]:
        """Make the function below a task with a name.

        The function may be async or not; one that is not runs in a thread of its own. Called as before,
        it does what it did before.

        Args:
            name: such as ``report.build``: lower case, digits, ``_``, and ``.`` between the parts.
                Stored with each task: to rename a function, keep the old name until none waits.
            retry: its retry policy, for tasks that name none. None: that of every task.
            timeout: how long an attempt may take, 0.1 s to 30 d, for tasks that name none. None: as
                long as it likes.

        Raises:
            DeclarationError: the name, the policy, the timeout or the function cannot be used.
        """
        # Without the brackets, it is the function.
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - not everybody checks types
            given = getattr(name, "__name__", "build")
            raise DeclarationError(f'expected a name, as in @app.task("{given}"), got: {type(name).__name__}')
        if not names.is_type_name(name):
            raise DeclarationError(
                f"expected a name such as report.build, of a-z, 0-9 and _, with . between parts that begin with a "
                f"letter, at most {names.LENGTH} characters; got: {name!r}"
            )
        policy, limit = _policy(retry, name), _timeout(timeout, name)

        def declare(function: Callable[P, R]) -> Function[P, R]:
            if name in self._functions:
                raise DeclarationError(f"two functions of this app are called {name!r}: each name is used once")
            declared = Function(self, name, function, retry=policy, timeout=limit)
            self._functions[name] = declared
            return declared

        return declare

    def use(
        self,
        client: "Client | None" = None,
        *,
        async_client: "AsyncClient | None" = None,
        make_async_client: "Callable[[], AsyncClient] | None" = None,
    ) -> None:
        """Have ``schedule_sync`` call by *client*, and ``schedule`` in this event loop by *async_client*.

        For clients with settings of their own, and for tests. ``close`` and ``aclose`` forget them, and
        do not close them.

        Args:
            make_async_client: makes the client of ``schedule`` in each event loop, until ``close``, in
                place of those that there are.
        """
        if make_async_client is not None:
            self._make_async_client = make_async_client
            self._async_clients.clear()
        if client is not None:
            self._lent.add(client)
            self._client = client
        if async_client is not None:
            self._lent.add(async_client)
            self._async_clients[asyncio.get_running_loop()] = async_client

    def client(self) -> "Client":
        """Return the client that ``schedule_sync`` calls by. It is made at the first use, and kept."""
        from tasker.client.synchronous.client import Client  # noqa: PLC0415 - a worker that schedules nothing needs none

        with self._lock:
            if self._client is None:
                self._client = Client(self._url, self._key)
            return self._client

    def async_client(self) -> "AsyncClient":
        """Return the client that ``schedule`` calls by: one for each event loop, made at the first use, and kept."""
        from tasker.client.asynchronous.client import AsyncClient  # noqa: PLC0415 - as above

        loop = asyncio.get_running_loop()
        if loop not in self._async_clients:
            made = None if self._make_async_client is None else self._make_async_client()
            self._async_clients[loop] = made or AsyncClient(self._url, self._key)
        return self._async_clients[loop]

    async def aclose(self) -> None:
        """Close the client that was made in this event loop, and do what ``close`` does."""
        mine = self._async_clients.pop(asyncio.get_running_loop(), None)
        if mine is not None and mine not in self._lent:
            await mine.close()
        self.close()

    def close(self) -> None:
        """Close the client of ``schedule_sync``, and forget what makes others: see ``use``."""
        if self._make_async_client is not None:
            self._make_async_client = None
            self._async_clients.clear()
        with self._lock:
            client, self._client = self._client, None
        if client is not None and client not in self._lent:
            client.close()

    def check(self) -> None:
        """Return if the types of all parameters can be read from JSON.

        Raises:
            DeclarationError: one cannot.
        """
        for function in self._functions.values():
            _ = function.signature.shape


class Function(Generic[P, R]):
    """A function that can be scheduled. It can be called as before, too: then it runs here and now."""

    def __init__(
        self,
        app: App,
        name: str,
        function: Callable[P, R],
        *,
        retry: RetryFields | Literal["standard"] | None = None,
        timeout: timedelta | None = None,
    ) -> None:
        """See ``App.task``."""
        self.app = app
        self.name = name
        self.function = function
        self.retry = retry
        self.timeout = timeout
        self.is_async = is_async(function)
        self.signature = Signature(name, function)
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself: nothing is scheduled."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<task {self.name}>"

    def options(self, **options: "Unpack[CallOptions]") -> "Bound[P]":
        """Say more of a task than its arguments: when, under which key, and whatever else tasks take.

        ``await build.options(delay="1h", key="july").schedule(customer=42)``. Without a time it is
        due at once.

        Args:
            options: as for ``Client.create``; and ``retry`` and ``timeout``, in place of what the
                function is declared with.

        Raises:
            DeclarationError: the policy or the timeout cannot be used.
        """
        fields: dict[str, Any] = {}
        if (policy := _policy(options.pop("retry", None), self.name)) is not None:
            fields["retry"] = policy
        if (limit := _timeout(options.pop("timeout", None), self.name)) is not None:
            fields["timeout"] = limit.total_seconds()
        return Bound(self, fields, {name: value for name, value in options.items() if value is not None})

    async def schedule(self, *args: P.args, **kwargs: P.kwargs) -> "Created":
        """Create a task that calls the function with these arguments, as soon as a worker has it.

        Once it returns, the task is stored: see ``Client.create`` for what it returns and raises.

        Raises:
            BadArgumentsError: the function cannot be called with them. Nothing was sent.
        """
        return await self._now.schedule(*args, **kwargs)

    def schedule_sync(self, *args: P.args, **kwargs: P.kwargs) -> "Created":
        """Do what ``schedule`` does, without an event loop."""
        return self._now.schedule_sync(*args, **kwargs)

    def fields(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        """Return the members of a task that calls the function with these arguments: ``{"args": {...}}``.

        For what creates tasks otherwise: schedules, batches, the API.

        Raises:
            BadArgumentsError: the function cannot be called with them.
        """
        return self._now.fields(*args, **kwargs)

    @cached_property
    def _now(self) -> "Bound[P]":
        return Bound(self, {}, {})


class Bound(Generic[P]):
    """A function, and what is said of its tasks beside their arguments. It can be used many times."""

    def __init__(self, function: Function[P, Any], fields: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        """See ``Function.options``."""
        self._function = function
        self._fields = fields
        self._said = said if said.keys() & {"at", "delay", "local_time"} else {**said, "delay": 0}

    async def schedule(self, *args: P.args, **kwargs: P.kwargs) -> "Created":
        """Create a task that calls the function with these arguments: see ``Function.schedule``."""
        fields = self.fields(*args, **kwargs)
        return await self._function.app.async_client().create(self._function.name, fields, **self._said)

    def schedule_sync(self, *args: P.args, **kwargs: P.kwargs) -> "Created":
        """Do what ``schedule`` does, without an event loop."""
        fields = self.fields(*args, **kwargs)
        return self._function.app.client().create(self._function.name, fields, **self._said)

    def fields(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        """Return the members of its task that are the function's: see ``Function.fields``."""
        return {"args": self._function.signature.written(*args, **kwargs), **self._fields}


def _policy(retry: "RetryPolicy | None", name: str) -> RetryFields | Literal["standard"] | None:
    if retry is None or isinstance(retry, RetryFields):
        return retry
    if retry == "standard":
        return "standard"
    try:
        return msgspec.convert(retry, RetryFields)
    except msgspec.ValidationError as error:
        raise DeclarationError(f"the retry policy of {name!r}: {error}; expected {_POLICY}") from None


def _timeout(timeout: "Length | None", name: str) -> timedelta | None:
    if timeout is None:
        return None
    try:
        limit = timeout if isinstance(timeout, timedelta) else lengths.parse(timeout)
    except ValueError as error:
        raise DeclarationError(f"the timeout of {name!r}: {error}") from None
    if not SHORTEST_TIMEOUT <= limit <= LONGEST_TIMEOUT:
        raise DeclarationError(f"the timeout of {name!r}: expected 0.1 s to 30 d, got: {timeout}")
    return limit
