"""One task: where it is, what happened, and what can be done."""

from starlette.responses import Response

from tasker.callers import Scope
from tasker.dashboard.visits import Pages, Visit

pages = Pages()


@pages.get("/tasks/{id}")
async def show(visit: Visit) -> Response:
    """Show a task."""
    task = await visit.service.tasks.get(visit.caller, visit.values["id"])
    finding = await visit.service.tasks.explain(task.id)
    return visit.show("task.html", title=f"Task {task.id[:8]}", task=task, finding=finding)


@pages.post("/tasks/{id}/cancel", Scope.TASKS_WRITE)
async def cancel(visit: Visit) -> Response:
    """Cancel it."""
    task = await visit.service.tasks.cancel(visit.caller, visit.values["id"])
    return visit.go(f"/tasks/{task.id}", done="cancel")
