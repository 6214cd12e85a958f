"""All calls, in the order in which the documentation has them."""

from typing import Final

from tasker.api.calls import Call
from tasker.api.routes import (
    audit,
    completions,
    destinations,
    dev_clock,
    events,
    finding,
    inbox,
    keys,
    metrics,
    operations,
    queues,
    schedules,
    server,
    statistics,
    tasks,
)

CALLS: Final[tuple[Call, ...]] = (
    *tasks.CALLS,
    *finding.CALLS,
    *operations.CALLS,
    *schedules.CALLS,
    *destinations.CALLS,
    *queues.CALLS,
    *completions.CALLS,
    *inbox.CALLS,
    *keys.CALLS,
    *events.CALLS,
    *server.CALLS,
    *metrics.CALLS,
    *statistics.CALLS,
    *audit.CALLS,
    *dev_clock.CALLS,
)
