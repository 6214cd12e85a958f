"""The long form of the cluster tests: all faults several times, in a random order. Writes ``docs/cluster.md``."""

import argparse
import contextlib
import pickle
import random
import shutil
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import long_jobs
import pulled_jobs
from benchmarks import machine
from caller import RESEND_SECONDS
from evidence import UNREAD
from faults import Faults
from pulled_jobs import LEASE, LIMIT, WORKERS
from recurring import INTERVALS, KINDS
from task_load import AGAIN, DUE_SECONDS, KEYS, SHARES, THREADS, TaskLoad, What
from test_cluster import PER_SECOND
from verdict import Verdict

from cluster import HASH_ROUNDS, NODES, SLOTS, Cluster
from load import Load
from tasker.model import instants

DUE = " to ".join(f"{seconds:g}" for seconds in DUE_SECONDS)
PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"


def main():
    """Run as the command line says; the exit status is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="make cluster-test", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the order of the faults")
    parser.add_argument("--rounds", type=int, default=5, help="how often every fault happens (default: 5)")
    given = parser.parse_args()
    say(f"seed {given.seed}")
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="tasker-cluster-"))
    with (
        Cluster(folder, with_replica=True) as cluster,
        Load(cluster, per_second=PER_SECOND, seed=given.seed) as load,
    ):
        loaded = time.monotonic()
        faults = Faults(cluster, load.tasks, random.Random(given.seed))
        load.tasks.wait_until_accepted_by(range(NODES))
        for number in range(given.rounds):
            say(f"round {number + 1} of {given.rounds}")
            break_everything(faults, load.tasks, random.Random(f"{given.seed} {number}"))
        loaded = time.monotonic() - loaded
        load.finish()
        verdict = Verdict(cluster, load, faults.happened)
        postgres = cluster.query("SHOW server_version")[0][0]
        cluster.stop()
    text = page(verdict, postgres, seed=given.seed, loaded=loaded, seconds=time.monotonic() - began)
    say(text)
    if verdict.broken:
        for name, found in verdict.broken.items():
            say(f"BROKEN: {name}: {found}")
        (folder / "verdict.pickle").write_bytes(pickle.dumps(verdict))
        sys.exit(f"The nodes' logs, and all that was judged by, are in {folder}.")
    shutil.rmtree(folder)
    PAGE.write_text(text, encoding="utf-8")


def break_everything(faults: Faults, load: TaskLoad, rand: random.Random):
    """Let every fault happen once: a node is suspended or cut off for long, while some of the others happen."""
    steps = [
        faults.kill_node,
        faults.stop_node,
        faults.cut_connections,
        lambda: faults.freeze_connections(2),
        lambda: faults.freeze_connections(8),  # longer than a statement may take
        faults.restart_database,
        faults.kill_database,
        faults.fail_over,
        faults.fail_over_to_a_replica_that_lags,
    ]
    meanwhile = [faults.suspended_node, faults.isolated_node, contextlib.nullcontext, contextlib.nullcontext]
    rand.shuffle(meanwhile)
    rand.shuffle(steps)
    for left, hold in zip((4, 3, 2, 1), meanwhile, strict=True):
        share, steps = steps[: len(steps) // left], steps[len(steps) // left :]
        with hold():
            for step in share:
                step()
                say(f"  {faults.happened[-1].name}")
                faults.wait_until_all_accept()
                load.wait_for(PER_SECOND)
        if hold is not contextlib.nullcontext:
            say(f"  {faults.happened[-1].name}, and the last {len(share)} meanwhile")
            faults.wait_until_all_accept()


def page(verdict: Verdict, postgres: str, *, seed: int, loaded: float, seconds: float) -> str:
    """Return the page of the documentation that shows what happened."""
    about = {
        **{name: value for name, value in machine.description().items() if name not in ("sqlite", "libraries")},
        "postgresql": f"{postgres}, fsync on, with a replica in synchronous_standby_names",
        "asyncpg": version("asyncpg"),
    }
    machine_lines = "\n".join(f"- {name}: {value}" for name, value in about.items())
    tasks, schedules, long, pulled = map(
        _rows_of, (verdict.tasks, verdict.schedules, verdict.long_jobs, verdict.pulled)
    )
    rate = len(verdict.tasks.calls) / loaded
    return f"""# Cluster tests

`make cluster-test` makes this page anew.
It runs {NODES} nodes, PostgreSQL with a replica, a receiver of webhooks and the load on one machine,
and breaks one after the other in a random order.
`make test` runs a shorter form.

The load: {THREADS} connections that make {PER_SECOND} calls/s while all nodes answer;
the faults left {rate:.0f}/s of it.
Of 100 calls, {SHARES[What.CREATE]} create a task, {SHARES[What.CREATE_WITH_ID]} do so with an `id`,
{SHARES[What.CREATE_IDEMPOTENTLY]} with an `Idempotency-Key`,
and {SHARES[What.CREATE_WITH_KEY]} with an `Idempotency-Key` and one of {KEYS} keys, with every `on_conflict`.
{SHARES[What.CHANGE]} change the body of the task that is due next, half of them its time, too.
{SHARES[What.CANCEL]} cancel it.
A call without an answer is sent again, to another node, for up to {RESEND_SECONDS:g} s;
only the first {SHARES[What.CREATE]} are not, because they would make a second task.
Of the creates that may be sent again, {AGAIN:.0%} are although they were answered.
Nine of ten tasks are webhooks, the others hashes of {HASH_ROUNDS:,} rounds; they are due in {DUE} s.
The receiver answers at once, after 20 ms or after 0.5 s.
A node delivers up to {SLOTS} webhooks at once: so many can be under way when something happens to it.

Checked for every single task: if it was accepted, it is delivered as it was last changed, or has its result,
unless it was cancelled;
nothing arrives before its time;
no end and no result is written twice (triggers in the database count them);
no call makes two tasks, whatever its answer was, and however often it was sent;
no two tasks hold one key (triggers note when a task takes a key and sets it free);
nothing is sent in an old form once a change is answered, and nothing at all once a cancel is answered with 200:
what a fault caught on its way may still arrive, within {UNREAD / instants.SECOND:g} s of that answer;
a delivery is made again only if a fault caught it under way,
and then carries the same `webhook-id`.
A 503 carries `Retry-After`, and no log of a node has an exception in it.

| what | how many |
|------|----------|
{tasks}

## Schedules

Beside it there are {len(KINDS)} schedules with runs every {_or(INTERVALS)} s,
of every `overlap`, and one with a jitter.
The receiver takes up to {max(float(kind.wait) for kind in KINDS):g} s for a run, so that some meet the one before.
One after the other is changed, paused and resumed, or asked for a run now.
If such a call is not answered, nobody knows what the schedule is from then on:
it is paused and left alone, and another is put in its place.

Checked for every single run: no time of a schedule has two;
each time has one that lies between two calls that were answered, whatever happened to nodes and database then
(but for times at which no node could look for due tasks, where the schedule says `missed: once`, as those do that
allow no overlap: they may have one run together);
none arrives before its time;
none is made again unless a fault caught it under way;
each ends `done`, or was left out because another went on;
no two go on at once, from their starts to their ends, unless the schedule allows it
(triggers in the database note both);
and each schedule has counted as many as have started, and were left out.

| what | how many |
|------|----------|
{schedules}

## Long jobs

{long_jobs.PER_SECOND} webhooks a second have a `completion` with a deadline of {long_jobs.DEADLINE} s.
Their receiver tells what became of them by `tasker-completion-url`,
which leads to one node after the other, as a load balancer does:
also to one that has just died, but not to one that is known to stand still;
what is not answered is told again for up to {RESEND_SECONDS:g} s.
{long_jobs.CANCELLED:.0%} of them are cancelled meanwhile.

Checked for every single one: what was told and answered with 200 is how the task has ended,
or, where it is tried again, stands with the attempt;
no attempt and no task has two ends;
no report is refused as late before the deadline, which heartbeats may have moved;
no request is made again unless the attempt had failed, its deadline had passed, or a fault had caught it;
and what was cancelled ends so.

| what | how many |
|------|----------|
{long}

## Jobs that workers pull

{pulled_jobs.PER_SECOND} jobs a second are put into two queues. In one of them workers may have {LIMIT} at once.
{WORKERS} workers claim up to 3 jobs for {LEASE} s at a node each, and at another one while that fails them.
They report as the receiver of long jobs does.

Checked for every single one: none is handed out before its time, or while somebody has it:
until its lease ends, which heartbeats may have moved, or its end is told;
what a crash of the database undid is the one exception, because neither a claim nor a heartbeat waits for its disk;
what was told and answered with 200 is how the job has ended, and no job has two ends;
a lease that has not ended is not refused as late;
and workers never have more than the limit (triggers note when a job is handed out, and let go).

| what | how many |
|------|----------|
{pulled}

## Faults

| fault | times | deliveries made again | until its tasks were done | until every node accepted tasks |
|-------|-------|-----------------------|---------------------------|---------------------------------|
{_fault_rows(verdict)}

Times are the median and the longest.
Some faults happen while a node is suspended or frozen.
The tasks of a node that is gone are taken back when its lease has ended:
20 to 30 s after the node was last heard of, depending on when it was last renewed;
a fault of the database in these seconds adds to it,
because nobody takes anything back in the first 10 s after finding the database again.
The last column counts from when the database takes connections.

Taken in {seconds / 60:.0f} minutes with the seed {seed} on this machine:

{machine_lines}
"""


def _rows_of(verdict) -> str:
    return "\n".join(f"| {name} | {count:,} |" for name, count in verdict.counts.items())


def _or(numbers) -> str:
    return " or ".join(map(str, numbers))


def _fault_rows(verdict: Verdict) -> str:
    rows = []
    for name in sorted({fault.name for fault in verdict.faults}):
        those = [fault for fault in verdict.faults if fault.name == name]
        repeats = sum(verdict.evidence.repeats[fault] for fault in those)
        recovery, resumed = (
            _median_and_longest([of(fault) for fault in those])
            for of in (verdict.evidence.recovery_seconds, verdict.tasks.resumed_seconds)
        )
        rows.append(f"| {name} | {len(those)} | {repeats} | {recovery} | {resumed} |")
    return "\n".join(rows)


def _median_and_longest(seconds: list[float | None]) -> str:
    known = [each for each in seconds if each is not None]
    return f"{statistics.median(known):.1f} s, {max(known):.1f} s" if known else ""


def say(text: str):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
