"""Puts a server together. The only module that names concrete task types."""

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from typing import Final, NamedTuple, Protocol

import structlog
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from tasker import __version__
from tasker.access import Access
from tasker.api.app import build_app, make_context
from tasker.api.calls import Context
from tasker.api.metrics.listener import build_metrics_app
from tasker.api.receiving import receiving_protocol, waiters_that_fit
from tasker.api.rewriting import Rewriting
from tasker.app_workers import AppWorkers
from tasker.callbacks import Callbacks
from tasker.config import Settings, is_loopback
from tasker.dashboard.door import build_dashboard
from tasker.egress.address_policy import EgressPolicy
from tasker.egress.alert_sender import AlertSender
from tasker.egress.connector import Connector
from tasker.egress.egress_proxy import read_proxy
from tasker.egress.http_client import HttpClient
from tasker.egress.pooled_client import PooledClient
from tasker.egress.shortage import connections_that_fit
from tasker.egress.signing import Signer
from tasker.engine.alerts import Alerts
from tasker.engine.clock_mover import ClockMover
from tasker.engine.engine import Engine
from tasker.engine.key_ring import KeyRing
from tasker.engine.telemetry import Telemetry
from tasker.errors import (
    AppNotLoadedError,
    DatabaseError,
    ListenError,
    OpenToOthersError,
    StoreUnavailableError,
    TaskEndedError,
    TaskNotFoundError,
    UpgradeUnfinishedError,
)
from tasker.interfaces.keys import KeyBook
from tasker.interfaces.store import Store
from tasker.interfaces.task_type import TaskType
from tasker.interfaces.tracing import Tracer
from tasker.model import instants
from tasker.model.audit import HERE, TASKER, Action, Entry, Kind
from tasker.model.gate import queue_of_type
from tasker.model.task import TaskId
from tasker.service.metrics import Calls, Sources
from tasker.service.service import Service
from tasker.stores.copying import CopyEnd
from tasker.stores.examining import Examined
from tasker.stores.kind import StoreContext, kind_of, shown
from tasker.stores.maintenance import Due, Maintenance
from tasker.task_types.hash import HashType
from tasker.task_types.job import JobType
from tasker.task_types.registry import Registry, installed
from tasker.task_types.webhook import WebhookType
from tasker.timing.clock import Clock, SystemClock, since_boot
from tasker.timing.clock_steps import ClockSteps
from tasker.timing.loop_lag import LoopLag
from tasker.timing.movable_clock import MovableClock
from tasker.worker.loading import load_app

_log = structlog.get_logger()

_LONG_SECONDS: Final = 2.0

BACKLOG: Final = 2_048
"""Connections that may wait to be accepted."""

_CANCELLED_AT_ONCE: Final = 100

_DESCRIPTORS_OF_THE_STORE: Final = 64
"""With what else the process has open, and some to spare."""


class Client(HttpClient, Calls, Protocol):
    """Sends webhooks, and says what it has sent."""

    @property
    def ailment(self) -> str | None:
        """Why no connections could be made from here in the latest seconds, in a few words; None while it is well."""


class Node:
    """One server: a store, an engine that runs what is due, and the doors. Needs a running event loop."""

    def __init__(self, settings: Settings, *, client: Client | None = None, is_demo: bool = False) -> None:
        """Make a server that is not started yet.

        Args:
            client: sends the webhooks; None: one that really does. It is closed in the end.
            is_demo: whether pages say so, and show what only those see who make them.
        """
        self._settings = settings
        self._client = client
        self._is_demo = is_demo
        self._dev_clock = MovableClock(SystemClock(), frozen=True) if settings.dev_clock else None
        self._closing = contextlib.AsyncExitStack()
        self._server: uvicorn.Server
        self._serving: asyncio.Task[None]
        self._engine: Engine
        self._workers: AppWorkers | None = None
        self.url = ""
        """Where it listens, once it has started."""
        self.metrics_url: str | None = None
        """Where it serves the metrics alone, once it has started; None: nowhere."""

    async def start(self) -> None:
        """Take the address and the database, take back what a dead process left running, and begin to serve.

        May be cancelled: everything is let go of then, too. Callers are let in at the end.

        Raises:
            StartError: it cannot; everything that was taken is let go of.
            SettingError: a variable of OpenTelemetry, which is asked for, cannot be used.
        """
        settings = self._settings
        async with self._closing as closing:
            tracer = _tracer() if settings.otel else None
            if tracer is not None:
                closing.push_async_callback(tracer.close)  # once the engine is drained
            listening = closing.enter_context(bind(settings.listen_ip, settings.listen_port))
            self.url = _url(listening)
            metrics_listening = None
            if settings.metrics_listen is not None:
                metrics_listening = closing.enter_context(bind(*settings.metrics_listen, way="--metrics-listen"))
                self.metrics_url = _url(metrics_listening)
            store = make_store(settings, address=self.url, clock=self._dev_clock)
            with _said_if_long():
                await store.open()
            closing.push_async_callback(store.close)
            completion_key = await _completion_key(store, settings)
            client = self._client or PooledClient(_connector(settings, egress_policy(settings)))
            registry = make_registry(settings, client, self._outside(store), completion_key)
            for task_type in registry.types:
                closing.push_async_callback(task_type.close)
            self._engine = Engine(
                store,
                registry.types,
                Telemetry(),
                rand=random.random,
                rewriting=Rewriting(registry),
                keep_done=settings.keep_done,
                keep_failed=settings.keep_failed,
                keep_audit=settings.keep_audit,
                circuit_patience=settings.circuit_patience,
                lacks=lambda: client.ailment,
                key_lines=settings.api_keys,
                max_waiters=waiters_that_fit(_kept_descriptors(settings)),
                tracer=tracer,
            )
            closing.push_async_callback(self._engine.drain, timedelta(0))  # should the start fail, or be called off
            try:
                with _said_if_long():
                    await self._engine.key_ring.refresh()
                    self._check_access(self._engine.key_ring)
                    if settings.paused:
                        await _pause(store, settings)
                    await self._engine.start()
            except StoreUnavailableError as error:
                raise DatabaseError(
                    shown(settings.database_url), f"{error.reason}; see to that and start again"
                ) from error
            alerts = self._send_alerts(store, closing)
            lag = closing.enter_context(contextlib.closing(LoopLag(SystemClock())))
            steps = closing.enter_context(contextlib.closing(ClockSteps(SystemClock(), since_boot)))
            service = Service(
                store,
                self._engine,
                registry,
                idempotency_retention=settings.idempotency_retention,
                sources=Sources(calls=client, loop_lag=lag.micros, clock_steps=steps.counts, callers=self._callers),
                mover=self._mover(store, alerts),
            )
            context = make_context(service, registry, settings)
            self._engine.take_from_inbox(
                partial(service.inbox.take, decode=context.new_tasks.decode, largest=settings.max_body_bytes)
            )
            access = Access(settings, self._engine.key_ring)
            self._server = _Server(
                _uvicorn_config(
                    _doors(context, access, settings, is_demo=self._is_demo),
                    settings,
                    refused=service.metrics.count_refused,
                )
            )
            if metrics_listening is not None:
                await closing.enter_async_context(
                    _serving_metrics(build_metrics_app(service.metrics), metrics_listening, settings)
                )
            _listen(listening)
            self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
            closing.push_async_callback(self._stop_serving)
            await self._server.listening.wait()
            self._start_workers(self._engine.key_ring)
            self._closing = closing.pop_all()
        self._say_serving(store, tracer)

    def _say_serving(self, store: Store, tracer: Tracer | None) -> None:
        """Say in the log what this server is, and what should be known of it."""
        settings = self._settings
        database = shown(settings.database_url)
        _log.info(
            "serving",
            version=__version__,
            pid=os.getpid(),
            url=self.url,
            database=database,
            **_shown_egress(settings),
            **({} if settings.alert_url is None else {"alerts": "on"}),
            **({} if tracer is None else {"tracing": "on"}),
        )
        if self.metrics_url is not None:
            _log.info("serving the metrics without a key", url=f"{self.metrics_url}/metrics")
        if settings.max_deliveries > connections_that_fit():
            _log.warning(
                "the limit of open files leaves room for fewer connections to targets than --max-deliveries; "
                "raise it (ulimit -n)",
                max_deliveries=settings.max_deliveries,
                connections=connections_that_fit(),
            )
        if settings.dev_clock:
            _log.warning(
                "this server is for tests: its clock stands still, and POST /dev/clock moves it; "
                "without --dev-clock it would run by the time of day",
                stands_at=instants.text(store.clock.now()),
            )
        if settings.egress_level == "any":
            _log.warning("webhooks may call almost any address; --egress lan or public refuses some")

    def _check_access(self, ring: KeyRing) -> None:
        """Refuse to be open to others by accident."""
        if not (ring.asks or self._settings.no_auth or is_loopback(self._settings.listen_ip)):
            raise OpenToOthersError(self._settings.listen_ip)
        if ring.store_asks and self._settings.no_auth:
            _log.warning("API keys are asked for, since the database has some: --no-auth changes nothing")

    async def stop(self) -> None:
        """Stop listening and claiming, let what runs end, and close everything.

        What does not end within the grace period is given back. Workers of the app stop with it:
        until they have, the server listens.
        """
        grace = self._settings.grace_period
        if self._workers is not None:
            # They tell how their calls end while the server still listens.
            clock = SystemClock()
            since = clock.monotonic()
            self._engine.stop_claiming()
            await self._workers.stop(grace)
            grace = max(grace - timedelta(seconds=clock.monotonic() - since), timedelta(0))
        self._server.should_exit = True
        await self._engine.drain(grace)
        await self._closing.aclose()

    def silent(self, longest: float) -> str | None:
        """Return a job of the engine that has been silent for more than *longest* seconds; None: all get on."""
        return self._engine.pulse.silent(longest)

    async def wait_failed(self) -> None:
        """Return if the server has stopped serving by itself."""
        await asyncio.wait({self._serving})

    def _outside(self, store: Store) -> Clock:
        """Return the clock that receivers live by: the time of day, whatever a clock for tests says."""
        return SystemClock() if self._settings.dev_clock else store.clock

    def _mover(self, store: Store, alerts: Sequence[Alerts]) -> ClockMover | None:
        if self._dev_clock is None:
            return None
        app = self._settings.app if self._settings.app_workers else None
        return ClockMover(
            self._engine,
            store,
            self._dev_clock,
            looks=[each.look for each in alerts],
            own_queues=() if app is None else [*map(queue_of_type, load_app(app).functions)],
        )

    def _send_alerts(self, store: Store, closing: contextlib.AsyncExitStack) -> Sequence[Alerts]:
        """Tell the operator what is wrong from now on, if there is an address for that."""
        if self._settings.alert_url is None:
            return ()
        sender = make_alert_sender(self._settings, self._outside(store))
        closing.push_async_callback(sender.close)
        alerts = Alerts(store, self._engine.overdue.look, sender, after=self._settings.alert_after, address=self.url)
        closing.push_async_callback(alerts.close)
        alerts.start()
        return (alerts,)

    def _start_workers(self, ring: KeyRing) -> None:
        """Have workers run the functions of the app, if there is one."""
        if self._settings.app is not None and self._settings.app_workers:
            self._workers = AppWorkers(self._settings, ring, SystemClock(), self.url)
            self._workers.start()

    def _callers(self) -> int:
        """Return how many connections of callers there are."""
        return len(self._server.server_state.connections)

    async def _stop_serving(self) -> None:
        self._server.should_exit = True
        await self._serving


class InProcess(NamedTuple):
    """A server without a network."""

    api: ASGIApp
    """Answers the calls of the API. It needs the extensions of ``api/receiving`` in each scope."""
    engine: Engine
    store: Store


@contextlib.asynccontextmanager
async def in_process(
    settings: Settings,
    client: HttpClient,
    clock: MovableClock,
    *,
    rand: Callable[[], float],
    holds: bool = False,
    types: Sequence[TaskType] = (),
) -> AsyncIterator[InProcess]:
    """Run a server that listens nowhere, on a clock that its caller moves, until the block ends.

    It is a server in all but its doors: each call is answered, checked and written down as it would be.
    What runs when the block ends is given back. The calls of ``--dev-clock`` are there if *settings* say so.

    Args:
        client: sends the webhooks. It is closed in the end.
        rand: random numbers in [0, 1), for the jitter of retries.
        holds: as in ``ClockMover``, with those calls.
        types: further task types.
    """
    store = make_store(settings, address="http://127.0.0.1:8080", clock=clock)
    async with contextlib.AsyncExitStack() as closing:
        await store.open()
        closing.push_async_callback(store.close)
        registry = make_registry(settings, client, clock, await store.completion_key(), types)
        for task_type in registry.types:
            closing.push_async_callback(task_type.close)
        engine = Engine(
            store,
            registry.types,
            Telemetry(),
            rand=rand,
            rewriting=Rewriting(registry),
            keep_done=settings.keep_done,
            keep_failed=settings.keep_failed,
            keep_audit=settings.keep_audit,
            circuit_patience=settings.circuit_patience,
            key_lines=settings.api_keys,
        )
        await engine.key_ring.refresh()
        await engine.start()
        closing.push_async_callback(engine.drain, timedelta(0))
        mover = ClockMover(engine, store, clock, holds=holds) if settings.dev_clock else None
        service = Service(store, engine, registry, idempotency_retention=settings.idempotency_retention, mover=mover)
        api = build_app(make_context(service, registry, settings), Access(settings, engine.key_ring))
        yield InProcess(api, engine, store)


def make_registry(
    settings: Settings, client: HttpClient, clock: Clock, completion_key: bytes, types: Sequence[TaskType] = ()
) -> Registry:
    """Return the task types of a server: the built-in ones, those of installed packages, and those of its app.

    Args:
        client: sends the webhooks.
        clock: the store's.
        completion_key: what the tokens of receivers are signed with.
        types: further ones.

    Raises:
        StartError: a task type or the app cannot be used.
    """
    return Registry(
        [
            WebhookType(
                client,
                clock,
                slots=settings.max_deliveries,
                signer=Signer(settings.webhook_secrets) if settings.webhook_secrets else None,
                public_url=settings.public_url,
                completion_key=completion_key,
            ),
            HashType(iterations=settings.pbkdf2_iterations, slots=os.cpu_count() or 1),
            JobType(),
            *installed(),
            *types,
            *(() if settings.app is None else _functions_of(settings.app)),
        ]
    )


def _functions_of(app: str) -> list[TaskType]:
    from tasker.task_types.function import function_types  # noqa: PLC0415 - most servers have no app

    types = function_types(load_app(app))
    for each in types:
        if each.name in (WebhookType.name, HashType.name, JobType.name):
            raise AppNotLoadedError(app, f"{each.name!r} is a task type of tasker; give the function another name")
    return types


async def _completion_key(store: Store, settings: Settings) -> bytes:
    """Return what the tokens of receivers are signed with.

    Raises:
        DatabaseError: the database cannot be read.
    """
    try:
        return await store.completion_key()
    except StoreUnavailableError as error:
        raise DatabaseError(shown(settings.database_url), f"{error.reason}; see to that and start again") from error


async def _pause(store: Store, settings: Settings) -> None:
    """Pause everything, before anything can start.

    Raises:
        DatabaseError: nodes of the version before may be running, and would go on.
        StoreUnavailableError: it may be paused or not.
    """
    if store.is_upgrading:
        raise DatabaseError(shown(settings.database_url), str(UpgradeUnfinishedError("--paused")))
    await store.pause_all(Entry(by=TASKER, action=Action.PAUSE, kind=Kind.SERVER))


@contextlib.contextmanager
def _said_if_long() -> Iterator[None]:
    """Say in the log that a start waits for the database, if this block takes long."""
    loop = asyncio.get_running_loop()
    saying = loop.call_later(_LONG_SECONDS, _log.warning, "waiting for the database")
    try:
        yield
    finally:
        saying.cancel()


def _tracer() -> Tracer | None:
    """Return what records attempts; None: the variables of OpenTelemetry turn it off.

    Raises:
        SettingError: one of them cannot be used.
    """
    from tasker.engine.otel import make_tracer  # noqa: PLC0415 - an extra, and slow to import

    tracer = make_tracer(os.environ)
    if tracer is None:
        _log.warning("--otel has no effect: OTEL_SDK_DISABLED turns OpenTelemetry off")
    return tracer


def _connector(settings: Settings, policy: EgressPolicy) -> Connector:
    return Connector(policy=policy, proxy=None if settings.egress_proxy is None else read_proxy(settings.egress_proxy))


def make_alert_sender(settings: Settings, clock: Clock) -> AlertSender:
    """Return what sends alerts to ``alert_url``, which is given. Needs a running event loop.

    The operator has named the address: it may be one that webhooks may not call. What no level
    allows, such as a metadata address, is refused all the same.

    Raises:
        StartError: whom TLS is to trust cannot be read.
    """
    assert settings.alert_url is not None  # noqa: S101 - as the docstring says
    client = PooledClient(_connector(settings, EgressPolicy("any", allow=settings.allow_targets)))
    signer = Signer(settings.webhook_secrets) if settings.webhook_secrets else None
    return AlertSender(client, settings.alert_url, clock, signer=signer)


def egress_policy(settings: Settings) -> EgressPolicy:
    """Return which addresses webhooks may call by the settings."""
    return EgressPolicy(settings.egress_level, allow=settings.allow_targets, deny=settings.deny_targets)


def _shown_egress(settings: Settings) -> dict[str, str]:
    """Return what the log says of whom webhooks may call."""
    if settings.egress_proxy is None:
        return {"egress": settings.egress_level}
    proxy = str(read_proxy(settings.egress_proxy))
    return {"egress": settings.egress_level, "egress_proxy": proxy, "host_names": "checked by the proxy"}


def make_store(settings: Settings, *, address: str, clock: Clock | None = None) -> Store:
    """Return the store that the settings name, not open yet.

    Args:
        address: the URL that this node listens at, for those who look at the nodes.
        clock: this machine's clock; None: the real one.

    Raises:
        StartError: it needs a package that is not installed.
    """
    return kind_of(settings.database_url).make(settings.database_url, _store_context(settings, address, clock))


async def migrate(settings: Settings) -> None:
    """Bring the tables of the database that the settings name up to date. A missing SQLite file is made.

    Raises:
        StartError: it cannot be done. Nothing was changed.
    """
    await kind_of(settings.database_url).migrate(settings.database_url, _store_context(settings, address=""))


async def examine(settings: Settings) -> Examined:
    """Look at the database that the settings name, and change nothing: see ``StoreKind.examine``.

    Raises:
        StartError: it needs a package that is not installed.
    """
    return await kind_of(settings.database_url).examine(settings.database_url, _store_context(settings, address=""))


def maintenance(settings: Settings) -> Maintenance:
    """Return what can be done to the database that the settings name without serving it: see ``Maintenance``.

    Raises:
        StartError: see ``StoreKind.maintenance``.
    """
    return kind_of(settings.database_url).maintenance(settings.database_url, _store_context(settings, address=""))


async def cancel_due(settings: Settings, due: Due) -> int:
    """Cancel the tasks of *due* in a database that was marked as a copy, and then let tasks start. Return how many.

    What was running when the copy was made ends as cancelled when a server starts. If everything was
    paused then, it stays so.

    Raises:
        StartError: a server uses it, or it cannot be opened.
        StoreUnavailableError: not all are cancelled, and everything is paused.
    """
    store = make_store(settings, address="")
    await store.open()
    cancelled = 0
    try:
        for start in range(0, len(due.ids), _CANCELLED_AT_ONCE):
            done = await asyncio.gather(
                *(_cancel(store, task_id) for task_id in due.ids[start : start + _CANCELLED_AT_ONCE])
            )
            cancelled += sum(done)
        if store.paused_at is not None and store.paused_at > due.copied_at:
            await store.resume_all(Entry(by=HERE, action=Action.RESUME, kind=Kind.SERVER))
    finally:
        await store.close()
    return cancelled


async def _cancel(store: Store, task_id: TaskId) -> bool:
    """Cancel a task, unless it has ended meanwhile: a callback, say, of one that was cancelled."""
    try:
        await store.cancel(task_id, entry=Entry(by=HERE, action=Action.CANCEL, kind=Kind.TASK, subject=task_id))
    except (TaskNotFoundError, TaskEndedError):
        return False
    return True


def open_keys(settings: Settings) -> contextlib.AbstractAsyncContextManager[KeyBook]:
    """Open the API keys of the database that the settings name, while no server uses it: see ``StoreKind.keys``.

    Raises:
        StartError: see there.
    """
    return kind_of(settings.database_url).keys(settings.database_url, _store_context(settings, address=""))


def open_for_copy(settings: Settings) -> contextlib.AbstractAsyncContextManager[CopyEnd]:
    """Open the database that the settings name as one end of a copy: see ``StoreKind.copying``.

    Raises:
        StartError: see there.
    """
    return kind_of(settings.database_url).copying(settings.database_url, _store_context(settings, address=""))


def _store_context(settings: Settings, address: str, clock: Clock | None = None) -> StoreContext:
    return StoreContext(
        clock=clock or SystemClock(),
        address=address,
        version=__version__,
        attempts_kept=settings.attempts_kept,
        per_destination=settings.per_destination,
        schema=settings.database_schema,
        no_listen=settings.no_listen,
        no_migrate=settings.no_migrate,
        follow=Callbacks(type_=WebhookType.name, pool=WebhookType.pool).follow,
        pools={built_in.name: built_in.pool for built_in in (WebhookType, HashType)},
    )


def _doors(context: Context, access: Access, settings: Settings, *, is_demo: bool) -> ASGIApp:
    """Return the ASGI application that answers with the dashboard below ``/ui``, and elsewhere with the API."""
    api = build_app(context, access)
    if settings.no_dashboard:
        return api
    dashboard = build_dashboard(context, access, settings, is_demo=is_demo)

    def answer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path = scope["path"]
        return (dashboard if path.startswith("/ui/") or path == "/ui" else api)(scope, receive, send)

    return answer


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        try:
            await super().startup(sockets)
        finally:
            self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the command line."""
        yield


@contextlib.asynccontextmanager
async def _serving_metrics(app: object, listening: socket.socket, settings: Settings) -> AsyncIterator[None]:
    """Serve the metrics alone while this block lasts."""
    server = _Server(_uvicorn_config(app, settings))
    _listen(listening, way="--metrics-listen")
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await server.listening.wait()
        yield
    finally:
        server.should_exit = True
        await serving


def _uvicorn_config(
    app: object, settings: Settings, *, refused: Callable[[str], None] = lambda _: None
) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application
        http=receiving_protocol(
            settings.header_timeout,
            settings.body_timeout,
            settings.keep_alive_timeout,
            kept_descriptors=_kept_descriptors(settings),
            refused=refused,
        ),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=max(round(settings.grace_period.total_seconds()), 1),
    )


def _kept_descriptors(settings: Settings) -> int:
    """Return how many descriptors callers do not get."""
    return settings.max_deliveries + _DESCRIPTORS_OF_THE_STORE


def bind(ip: str, port: int, *, way: str = "") -> socket.socket:
    """Return a socket with the address, so that one in use is noticed before anything else is touched.

    Nobody is let wait for an answer yet: callers are refused until ``_listen``. Somebody else may bind the
    address, too, until then.

    Raises:
        ListenError: it cannot be had.
    """
    family = socket.AF_INET6 if ip_address(ip).version == 6 else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((ip, port))
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise ListenError(f"{ip}:{port}", error.strerror or "unknown reason", way=way) from None
    return bound


def _listen(bound: socket.socket, *, way: str = "") -> None:
    """Let callers in. Of several servers that have bound the same address at the same time, one alone may."""
    try:
        bound.listen(BACKLOG)
    except OSError as error:
        ip, port = bound.getsockname()[:2]
        raise ListenError(f"{ip}:{port}", error.strerror or "unknown reason", way=way) from None


def _url(listening: socket.socket) -> str:
    ip, port = listening.getsockname()[:2]
    return f"http://[{ip}]:{port}" if ":" in ip else f"http://{ip}:{port}"
