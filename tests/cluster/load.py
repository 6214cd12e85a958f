"""All that is asked of a cluster at once: tasks, schedules, long jobs, and jobs that workers pull."""

import contextlib

from long_jobs import LongJobLoad
from pulled_jobs import PullLoad
from recurring import ScheduleLoad
from task_load import TaskLoad

from cluster import Cluster
from tasker.testing.webhook_receiver import WebhookReceiver


class Load:
    """Runs from when it is entered until ``finish``."""

    def __init__(self, cluster: Cluster, *, per_second: float, seed: int):
        """Make it.

        Args:
            per_second: calls about tasks.
        """
        self.receiver = WebhookReceiver()
        self.tasks = TaskLoad(cluster, self.receiver, per_second=per_second, seed=seed)
        self.schedules = ScheduleLoad(cluster, self.receiver, seed=seed)
        self.long_jobs = LongJobLoad(cluster, seed=seed)
        self.pulled = PullLoad(cluster, seed=seed)
        self._cluster = cluster
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> "Load":
        with self._closing as closing:
            for each in (self.receiver, self.tasks, self.schedules, self.long_jobs, self.pulled):
                closing.enter_context(each)
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *error):
        self._closing.__exit__(*error)

    def finish(self):
        """Ask for nothing more, and return once all that was asked for has ended."""
        for each in (self.tasks, self.schedules, self.long_jobs, self.pulled):
            each.finish()
        self._cluster.wait_until_all_is_done()
