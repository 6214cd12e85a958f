"""Three nodes under load while one thing after the other breaks. ``make cluster-test`` is the long form."""

import random
from collections import Counter

from faults import Faults
from verdict import Verdict

from cluster import Cluster
from load import Load, What
from tasker.testing.webhook_receiver import WebhookReceiver

PER_SECOND = 150


def test_whatever_breaks_nothing_is_lost_or_early_or_recorded_twice_and_only_what_was_caught_comes_again(tmp_path):
    rand = random.Random(1)
    with WebhookReceiver() as receiver, Cluster(tmp_path) as cluster:
        with Load(cluster, receiver, per_second=PER_SECOND, seed=1) as load:
            faults = Faults(cluster, load, rand)
            load.wait_until_accepted_by(range(3))
            with faults.suspended_node():
                faults.kill_node()
                faults.wait_until_all_accept()
                faults.freeze_connections(2)
                faults.cut_connections()
                faults.wait_until_all_accept()
            for database_fault in (faults.restart_database, faults.kill_database):
                load.wait_for(PER_SECOND)
                database_fault()
                faults.wait_until_all_accept()
        cluster.wait_until_all_is_done()
        verdict = Verdict(cluster, load.calls, receiver.deliveries(), faults.happened)
        assert cluster.stop() == [0, 0, 0]

    assert verdict.broken == {}
    assert len(verdict.faults) == 6
    assert verdict.counts["tasks accepted"] > 2 * PER_SECOND, "there was hardly any load"
    done = Counter(call.what for call in load.calls if call.is_accepted or call.status == 200)
    assert set(done) == set(What), "there was something of everything"
