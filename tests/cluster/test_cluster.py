"""Three nodes under load while one thing after the other breaks. ``make cluster-test`` is the long form."""

import random
from collections import Counter

import long_jobs
import pulled_jobs
from faults import Faults
from task_load import What
from verdict import Verdict

from cluster import Cluster
from load import Load

PER_SECOND = 150


def test_whatever_breaks_nothing_is_lost_or_early_or_recorded_twice_and_only_what_was_caught_comes_again(tmp_path):
    rand = random.Random(1)
    with Cluster(tmp_path) as cluster, Load(cluster, per_second=PER_SECOND, seed=1) as load:
        faults = Faults(cluster, load.tasks, rand)
        load.tasks.wait_until_accepted_by(range(3))
        with faults.suspended_node():
            faults.kill_node()
            faults.wait_until_all_accept()
            faults.freeze_connections(2)
            faults.cut_connections()
            faults.wait_until_all_accept()
        for database_fault in (faults.restart_database, faults.kill_database):
            load.tasks.wait_for(PER_SECOND)
            database_fault()
            faults.wait_until_all_accept()
        load.schedules.wait_for_times(50)
        load.finish()
        verdict = Verdict(cluster, load, faults.happened)
        assert cluster.stop() == [0, 0, 0]

    assert verdict.broken == {}
    assert len(verdict.faults) == 6
    assert verdict.tasks.counts["tasks accepted"] > 2 * PER_SECOND, "there was hardly any load"
    done = Counter(call.what for call in verdict.tasks.calls if call.is_accepted or call.status == 200)
    assert set(done) == set(What), "there was something of everything"
    assert set(verdict.long_jobs.plans) == set(long_jobs.Plan)
    assert set(verdict.pulled.plans) == set(pulled_jobs.Plan)
