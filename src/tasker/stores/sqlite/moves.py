"""Whatever is done to tasks and gates in the transactions of a store, put together."""

from collections.abc import Callable

from tasker.interfaces.queue import Follow
from tasker.model.instants import Instant
from tasker.stores.looks import Looks
from tasker.stores.sqlite.alerter import Alerter
from tasker.stores.sqlite.auditor import Auditor
from tasker.stores.sqlite.changer import Changer
from tasker.stores.sqlite.claimer import Claimer
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.expirer import Expirer
from tasker.stores.sqlite.gates import Gates
from tasker.stores.sqlite.historian import Historian
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.kept_answers import KeptAnswers
from tasker.stores.sqlite.keys import Keys
from tasker.stores.sqlite.looker import Looker
from tasker.stores.sqlite.maker import Maker
from tasker.stores.sqlite.operator import Operator
from tasker.stores.sqlite.pauses import Pauses
from tasker.stores.sqlite.pruner import Pruner
from tasker.stores.sqlite.puller import Puller
from tasker.stores.sqlite.recoverer import Recoverer
from tasker.stores.sqlite.rezoner import Rezoner
from tasker.stores.sqlite.schedules import Schedules
from tasker.stores.sqlite.settler import Settler
from tasker.stores.sqlite.sign_ins import SignIns
from tasker.stores.sqlite.stager import Stager
from tasker.stores.sqlite.starter import Starter
from tasker.stores.sqlite.transactions import Transactions


class Moves:
    """The moves that a write can make, by who makes them.

    One that cannot be made raises its ``TaskerError`` before it has written anything, so that the
    transaction can go on.
    """

    def __init__(
        self,
        queries: Queries,
        transactions: Transactions,
        now: Callable[[], Instant],
        node: bytes,
        *,
        attempts_kept: int,
        per_destination: int | None,
        follow: Follow,
        looks: Looks,
    ) -> None:
        """Make them.

        Args:
            now: the clock that decides what is due.
            node: what is written on the tasks that this boot claims.
            attempts_kept: how many attempts of a task are kept, at least 1.
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
            follow: says what follows the end of a task.
            looks: what this node knows of its looks for due tasks.
        """
        self.auditor = Auditor(queries, now)
        self.inserter = Inserter(queries, follow, now)
        self.kept_answers = KeptAnswers(queries, self.inserter, now)
        self.stager = Stager(queries, self.inserter)
        self.maker = Maker(queries, transactions, self.inserter, self.stager, self.kept_answers, self.auditor, now)
        self.gates = Gates(queries, self.auditor, now, per_destination=per_destination)
        self.pauses = Pauses(queries, self.auditor, now)
        self.looker = Looker(queries, transactions, looks, self.pauses, now)
        starter = Starter(queries)
        self.claimer = Claimer(queries, transactions, self.gates, self.looker, self.pauses, starter, now, node)
        self.puller = Puller(queries, transactions, self.inserter, self.gates, self.looker, self.pauses, now, node)
        self.settler = Settler(queries, self.inserter, self.gates, now, attempts_kept=attempts_kept)
        self.expirer = Expirer(queries, self.inserter, now)
        self.rezoner = Rezoner(queries, now)
        self.recoverer = Recoverer(queries, self.inserter, self.gates, now, node)
        self.changer = Changer(queries, self.inserter, self.gates, self.auditor, now)
        self.operator = Operator(queries, self.changer, self.auditor, self.kept_answers, now)
        self.schedules = Schedules(
            queries, self.inserter, self.stager, self.kept_answers, self.gates, self.auditor, now
        )
        self.pruner = Pruner(queries, now)
        self.alerter = Alerter(queries)
        self.keys = Keys(queries, self.auditor, now)
        self.sign_ins = SignIns(queries, self.auditor, now)
        self.historian = Historian(queries, now)
        transactions.on_begin += [self.gates.begin, self.keys.begin]
        transactions.on_undo += [self.inserter.forget, self.pauses.forget, self.keys.forget]
