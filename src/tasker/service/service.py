"""The service: all that callers can do, by noun."""

from datetime import timedelta

from tasker.engine.clock_mover import ClockMover
from tasker.engine.engine import Engine
from tasker.interfaces.store import Store
from tasker.service.audit import AuditService
from tasker.service.clock import ClockService
from tasker.service.completions import CompletionService
from tasker.service.destinations import DestinationService
from tasker.service.events import EventService
from tasker.service.finding import FindService
from tasker.service.inbox import InboxService
from tasker.service.keys import KeyService
from tasker.service.metrics import MetricsService, Sources
from tasker.service.operations import OperationService
from tasker.service.queues import QueueService
from tasker.service.repeatable import RepeatableRequests
from tasker.service.schedules import ScheduleService
from tasker.service.server import ServerService
from tasker.service.sign_ins import SignInService
from tasker.service.statistics import StatisticsService
from tasker.service.tasks import TaskService
from tasker.task_types.registry import Registry


class Service:
    """What callers can do.

    Every method raises ``StoreUnavailableError`` when the store cannot be used now. Those that
    write also raise ``StoreBusyError`` when too many writes are already waiting: then nothing was
    written.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        registry: Registry,
        *,
        idempotency_retention: timedelta = timedelta(hours=24),
        sources: Sources | None = None,
        mover: ClockMover | None = None,
    ) -> None:
        """Make it.

        Args:
            idempotency_retention: how long the answer to a request with an idempotency key is kept:
                see ``Repeatable.retention``.
            sources: what the metrics show beside what the engine and the store count.
            mover: moves the clock of a server for tests; None: it cannot be moved.
        """
        self.repeatable = RepeatableRequests(store, idempotency_retention)
        self.tasks = TaskService(store, engine, registry, takes_ids_of_any_time=mover is not None)
        self.inbox = InboxService(store, engine, registry, self.tasks)
        self.finding = FindService(store, engine, registry)
        self.operations = OperationService(store, engine, self.finding)
        self.schedules = ScheduleService(store, engine, registry)
        self.completions = CompletionService(store, engine)
        self.queues = QueueService(store, engine, registry)
        self.keys = KeyService(store, engine.key_ring)
        self.sign_ins = SignInService(store, engine.key_ring)
        self.audit = AuditService(store)
        self.destinations = DestinationService(store, engine)
        self.events = EventService(store, engine)
        self.clock = ClockService(store, mover)
        self.server = ServerService(store, engine, registry)
        self.metrics = MetricsService(store, engine, registry, sources or Sources())
        self.statistics = StatisticsService(store, engine)
