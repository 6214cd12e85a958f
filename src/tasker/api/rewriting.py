"""Makes the changes that operations ask for: each task is changed as ``PATCH /tasks/{id}`` changes it."""

from tasker.api.new_task import NewTaskDecoder
from tasker.api.patches import PatchDecoder
from tasker.changing import changed
from tasker.model.change import Change
from tasker.model.instants import Instant
from tasker.model.operation import Rewrite
from tasker.model.task import Task
from tasker.task_types.registry import Registry


class Rewriting:
    """Reads what is asked for, and says what a task becomes by it."""

    def __init__(self, registry: Registry) -> None:
        self._patches = PatchDecoder(registry)
        self._new_tasks = NewTaskDecoder(registry)
        self._webhooks = registry.webhooks

    def __call__(self, change: bytes) -> Rewrite:
        """Return what makes of a task the change that *change*, the body of a ``PATCH``, asks for.

        Raises:
            InvalidTaskError: *change* is no change.
        """
        patch = self._patches.decode(change)

        def rewrite(task: Task, now: Instant) -> Change | None:
            return changed(task, patch, now=now, decode=self._new_tasks.decode, webhooks=self._webhooks)

        return rewrite
