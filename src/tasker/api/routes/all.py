"""All calls, in the order in which the documentation has them."""

from typing import Final

from tasker.api.calls import Call
from tasker.api.routes import audit, destinations, events, finding, keys, metrics, operations, server, statistics, tasks

CALLS: Final[tuple[Call, ...]] = (
    *tasks.CALLS,
    *finding.CALLS,
    *operations.CALLS,
    *destinations.CALLS,
    *keys.CALLS,
    *events.CALLS,
    *server.CALLS,
    *metrics.CALLS,
    *statistics.CALLS,
    *audit.CALLS,
)
