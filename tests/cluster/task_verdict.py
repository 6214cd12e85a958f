"""Did every promise hold about tasks that run once?"""

import base64
import hashlib
from collections import Counter, defaultdict

from evidence import UNREAD, Evidence, Sort
from faults import Fault
from task_load import Call, What

from cluster import HASH_ROUNDS
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.model.lifecycle import MAX_CRASHES
from tasker.model.task import State
from tasker.testing.webhook_receiver import Delivery


class TaskVerdict:
    """Each attribute but the first two is a list of what broke one promise, empty if none did."""

    def __init__(self, evidence: Evidence, calls: list[Call]):
        self.calls = calls
        self._evidence = evidence
        self._rows = evidence.of(Sort.PLAIN)
        self._arrived: dict[str, list[Delivery]] = defaultdict(list)
        for task_id in self._rows:
            for delivery in evidence.deliveries.get(task_id, ()):
                self._arrived[delivery.body.decode()].append(delivery)
        self._created = [call for call in calls if call.is_created]
        self._forms: dict[str, list[Call]] = defaultdict(list)
        """By the id of the task."""
        self._unanswered: dict[str, list[Call]] = defaultdict(list)
        """By the key: what may have replaced a task with it."""
        for call in calls:
            if call.text is not None and call.task_id is not None:
                self._forms[call.task_id].append(call)
            elif call.key is not None and call.may_be_done:
                self._unanswered[call.key].append(call)
        self._cancelled = {
            call.task_id for call in calls if call.what is What.CANCEL and (call.is_open or call.status in (200, 202))
        }
        self._tasks_of = self._find_tasks()

        self.quarantined = {task_id for task_id in self._rows if evidence.is_quarantined(task_id)}
        """Tasks that ended as failed, and say so, because faults took the node from them as often
        as is tried."""
        self.lost = [call for call in calls if call.is_accepted and self._is_lost(call)]
        self.unfinished = [
            (task_id, row)
            for task_id, row in self._rows.items()
            if not (row.state is State.DONE or task_id in self.quarantined or self._was_cancelled(task_id))
        ]
        self.early = self._early()
        self.recorded_twice = self._recorded_twice()
        self.created_twice = self._created_twice(is_idempotent=False)
        self.idempotency_keys_with_two_tasks = self._created_twice(is_idempotent=True)
        self.keys_held_twice = self._keys_held_twice()
        self.old_forms = self._old_forms()
        self.ran_after_cancel = self._ran_after_cancel()
        self.refused_but_delivered = [call for call in calls if _is_refused(call) and self._arrived.get(call.text)]
        self.wrong_ids = self._wrong_ids()
        self.without_retry_after = [call for call in calls if call.status == 503 and call.retry_after is None]
        self.odd_answers = [call for call in calls if _is_odd(call)]

    @property
    def broken(self) -> dict[str, list]:
        """What broke, by the promise."""
        names = (
            "lost",
            "unfinished",
            "early",
            "recorded_twice",
            "created_twice",
            "idempotency_keys_with_two_tasks",
            "keys_held_twice",
            "old_forms",
            "ran_after_cancel",
            "refused_but_delivered",
            "wrong_ids",
            "without_retry_after",
            "odd_answers",
        )
        return {name: getattr(self, name) for name in names}

    @property
    def counts(self) -> dict[str, int]:
        """How much there was of everything."""
        statuses = Counter(call.status for call in self.calls)
        created = Counter(call.what for call in self._created)
        replaced = [call for call in self.calls if call.is_replaced]
        return {
            "tasks accepted": sum(created.values()),
            "of these webhooks": sum(call.kind == "webhook" for call in self._created),
            "of these hashes": sum(call.kind == "hash" for call in self._created),
            "of these with an id of the caller's": created[What.CREATE_WITH_ID],
            "of these with an `Idempotency-Key`": created[What.CREATE_IDEMPOTENTLY] + created[What.CREATE_WITH_KEY],
            "of these with a key": created[What.CREATE_WITH_KEY],
            "tasks replaced by another with their key": sum(call.what is What.CREATE_WITH_KEY for call in replaced),
            "tasks changed: PATCH answered with 200": sum(call.what is What.CHANGE for call in replaced),
            "tasks cancelled: answered with 200": len(self._surely_cancelled()),
            "refused with 503 and Retry-After": statuses[503],
            "without an answer: the connection broke or nothing came for 8 s": statuses[0],
            "refused with 400: due before the call came through": statuses[400],
            "refused with 409: another holds the key, or the task runs or has ended": statuses[409],
            "sent again to another node": sum(call.times_sent > 1 for call in self.calls),
            "of these answered as before: `Idempotency-Replayed`, or 200 for the same id": sum(
                map(_is_again, self.calls)
            ),
            "tasks stored": len(self._rows),
            "deliveries": sum(map(len, self._arrived.values())),
            f"failed with `crashed_worker`: {MAX_CRASHES} faults in a row took the node from them": len(
                self.quarantined
            ),
            "lost": len(self.lost),
            "early": len(self.early),
            "results recorded twice": len(self.recorded_twice),
            "more than one task for an `Idempotency-Key`": len(self.idempotency_keys_with_two_tasks),
            "keys held twice": len(self.keys_held_twice),
            "sent in an old form after the change was answered": len(self.old_forms),
            "ran after a cancel was answered with 200": len(self.ran_after_cancel),
        }

    def resumed_seconds(self, fault: Fault) -> float | None:
        """How long after the database had come back the last of the nodes accepted a task."""
        firsts = [
            min(
                (call.answered_at for call in self._created if call.place == place and call.sent_at >= fault.ended),
                default=None,
            )
            for place in fault.places
        ]
        seconds = [(at - fault.ended) / instants.SECOND for at in firsts if at is not None]
        return max(seconds) if fault.is_of_database and seconds else None

    def _is_lost(self, call: Call) -> bool:
        row = self._rows.get(call.task_id)
        if row is None:
            return True
        if self._was_cancelled(call.task_id):
            return False
        if call.kind == "webhook":
            return not any(self._arrived.get(form.text) for form in self._may_stand_for(call))
        return call.task_id not in self.quarantined and not _is_hash_of(row.result, call.text)

    def _may_stand_for(self, call: Call) -> list[Call]:
        """The forms that a task may have in place of the one that *call* gave it, and that one."""
        forms = [*self._forms[call.task_id], *self._unanswered.get(call.key, ())]
        return [each for each in forms if each.answered_at >= call.sent_at or each.may_be_done]

    def _was_cancelled(self, task_id: str) -> bool:
        return self._rows[task_id].state is State.CANCELLED and task_id in self._cancelled

    def _surely_cancelled(self) -> list[Call]:
        return [call for call in self.calls if call.what is What.CANCEL and call.status == 200]

    def _early(self):
        due = {call.text: call.due_at for call in self.calls}
        early = [each for text, arrived in self._arrived.items() for each in arrived if each.arrived_at < due[text]]
        ran = [(task_id, row) for task_id, row in self._rows.items() if row.state is not State.CANCELLED]
        return early + [(task_id, row) for task_id, row in ran if row.began_at < row.due_at]

    def _recorded_twice(self):
        writes = Counter((each.what, each.task_id) for each in self._evidence.audit if each.what in ("done", "result"))
        return [write for write, count in writes.items() if count > 1]

    def _find_tasks(self) -> dict[str, set[str]]:
        """For each text the tasks that ever had it."""
        tasks: dict[str, set[str]] = defaultdict(set)
        for each in self._evidence.audit:
            if each.what == "form":
                tasks[each.about].add(each.task_id)
        return tasks

    def _created_twice(self, *, is_idempotent: bool):
        """Calls that made more than one task, of those with an Idempotency-Key, or of the others."""
        with_one = (What.CREATE_IDEMPOTENTLY, What.CREATE_WITH_KEY)
        found = [
            (call, self._tasks_of.get(call.text, set()) | call.task_ids)
            for call in self.calls
            if call.creates and (call.what in with_one) is is_idempotent
        ]
        return [(call, task_ids) for call, task_ids in found if len(task_ids) > 1]

    def _keys_held_twice(self):
        """Moments at which a task took a key that another one had not set free."""
        holders: dict[str, set[str]] = defaultdict(set)
        found = []
        for each in sorted(self._evidence.audit, key=lambda each: (each.at, each.what)):
            if each.what == "frees key":
                holders[each.about].discard(each.task_id)
            elif each.what == "holds key":
                holders[each.about].add(each.task_id)
                if len(holders[each.about]) > 1:
                    found.append((each, set(holders[each.about])))
        return found

    def _old_forms(self):
        """Deliveries in a form whose successor had been answered, each with that."""
        return [
            (delivery, new)
            for new in self.calls
            if new.is_replaced
            for old in self._forms[new.task_id]
            if old.is_accepted and old.answered_at <= new.sent_at
            for delivery in self._arrived.get(old.text, ())
            if self._may_have_left_after(new.answered_at, delivery)
        ]

    def _ran_after_cancel(self):
        cancels = [
            (call, row) for call in self._surely_cancelled() if (row := self._rows.get(call.task_id)) is not None
        ]
        return [
            (call, row)
            for call, row in cancels
            if row.state is not State.CANCELLED
            or row.began_at > call.answered_at
            or any(
                self._may_have_left_after(call.answered_at, each)
                for each in self._evidence.deliveries.get(call.task_id, ())
            )
        ]

    def _may_have_left_after(self, answered_at: Instant, delivery: Delivery) -> bool:
        """Whether the first byte of *delivery* left after a call had been answered that found its task waiting.

        If it left before, a fault before the answer has caught it: otherwise its end had been
        written, or the call would have found the task running. So the receiver's clock decides only
        where there was such a fault, and there a second is allowed for it.
        """
        faults = [fault for fault in self._evidence.faults if fault.began <= answered_at]
        caught = any(self._evidence.may_repeat(fault, [delivery]) for fault in faults)
        return not caught or delivery.arrived_at > answered_at + UNREAD

    def _wrong_ids(self):
        """Deliveries of one call's task that do not all carry the one id.

        That is the id in the answer, if there was one.
        """
        ids = {call.text: call.task_id for call in self.calls}
        wrong = []
        for text, arrived in self._arrived.items():
            found = {each.headers["webhook-id"] for each in arrived}
            if found != {ids[text] or min(found)}:
                wrong.append((text, ids[text], found))
        return wrong


def _is_refused(call: Call) -> bool:
    """Whether the answer says that the call did nothing; one that was sent again may have before."""
    kept = call.what is What.CREATE_WITH_KEY and call.outcome == "kept"
    return call.times_sent == 1 and (kept or call.status in (400, 409))


def _is_again(call: Call) -> bool:
    return call.is_replay or (call.what is What.CREATE_WITH_ID and call.status == 200)


def _is_odd(call: Call) -> bool:
    """Whether no call of its kind is answered so."""
    match call.what:
        case What.CREATE | What.CREATE_IDEMPOTENTLY:
            expected = {201}
        case What.CREATE_WITH_ID:
            expected = {200, 201}  # the node itself may have stored it before it lost the database
        case What.CREATE_WITH_KEY:
            expected = {200, 201, 409}
        case What.CHANGE:
            expected = {200, 409}
        case What.CANCEL:
            expected = {200, 202, 409}
    if call.status == 400:
        return call.what is What.CANCEL or call.due_at > call.answered_at
    return call.status not in (0, 503, *expected)


def _is_hash_of(result: str, secret: str) -> bool:
    if not result:
        return False
    _, _, _, salt, digest = result.strip('"').split("$")
    expected = hashlib.pbkdf2_hmac("sha256", secret.encode(), base64.b64decode(f"{salt}=="), HASH_ROUNDS)
    return base64.b64encode(expected).decode().rstrip("=") == digest
