"""Everything tasker raises on purpose.

* TaskerError
  + InvalidRequestError          the body of a request cannot be used
    - InvalidTaskError           it cannot become a task
  + InvalidQueryError            a parameter of a list cannot be used
  + TaskNotFoundError
  + TaskExistsError              a task with this id is stored already
  + TaskRunningError             a running task cannot be deleted
  + TaskNotFailedError           only a failed task can be run again
  + TaskExpiredError             it is too late to run the task again
  + DestinationNotFoundError
  + ClaimLostError               the task was taken back since
  + LeaseEndedError              this node may not begin an attempt: others may take its tasks back
  + RefusedError                 a door turns the call away before it reaches the service
    - UnauthorizedError          no valid API key
    - ForbiddenError             a caller that may not call, such as another web site's page
    - UnsupportedMediaTypeError
    - BodyTooLargeError
  + StoreError
    - StoreUnavailableError      cannot be read or written now; a write may have happened
      . StoreFullError           no space left; a write may have happened
    - StoreBusyError             too many writes wait already; nothing was written
  + SettingError                 a flag, variable or key has a value that cannot be used (exit 2)
  + StartError                   the server cannot start here and now (exit 1)
    - ListenError                the address cannot be listened on
    - DatabaseError              the database cannot be opened
      . DatabaseInUseError       another tasker holds it
      . DatabaseTooNewError      a newer tasker wrote it
      . SchemaOutdatedError      its tables are of an earlier tasker
      . NotADatabaseError
    - TakeOverError              a row of the earlier server's tables cannot be read

An error takes its data and builds its own message; the message says what to do next where that
is known. No message carries a secret, a webhook body, userinfo or a query string.
"""


class TaskerError(Exception):
    """Anything tasker raises on purpose."""


class InvalidRequestError(TaskerError):
    """The body of a request cannot be used.

    Args:
        field: where the problem is, as a dotted path in the body (``webhook.url``); empty for the body as a whole.
        problem: what is wrong and what would be right, as a clause: ``expected a URL with a host, got: http://``.
    """

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}" if field else problem)


class InvalidTaskError(InvalidRequestError):
    """The body of a request cannot become a task."""


class InvalidQueryError(TaskerError):
    """A parameter of a list cannot be used."""

    def __init__(self, parameter: str, problem: str) -> None:
        self.parameter = parameter
        self.problem = problem
        super().__init__(f"{parameter}: {problem}")


class TaskNotFoundError(TaskerError):
    """No task has this id: there never was one, or it was deleted."""

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(f"there is no task with the id {task_id}")


class TaskExistsError(TaskerError):
    """A task with this id is stored already. Nothing was written."""

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(f"a task with the id {task_id} exists already")


class TaskRunningError(TaskerError):
    """The task is running and cannot be deleted now."""

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(f"the task {task_id} is running and cannot be deleted now: try again when its attempt has ended")


class TaskNotFailedError(TaskerError):
    """The task cannot be run again: it has not failed."""

    def __init__(self, task_id: str, state: str) -> None:
        self.task_id = task_id
        super().__init__(f"the task {task_id} is {state}: only one that is failed can be run again")


class TaskExpiredError(TaskerError):
    """The task cannot be run again: its ``expires_at`` has passed."""

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(f"the expires_at of the task {task_id} has passed: it cannot start any more; create a new task")


class DestinationNotFoundError(TaskerError):
    """No destination has this id."""

    def __init__(self, gate_id: str) -> None:
        self.gate_id = gate_id
        super().__init__(f"there is no destination with the id {gate_id}; GET /destinations lists those there are")


class ClaimLostError(TaskerError):
    """The task was taken back since it was claimed. Nothing was written, the result is void."""

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(f"the claim on task {task_id} is lost: it was taken back since")


class LeaseEndedError(TaskerError):
    """This node could not reach the store for so long that others may take back what it claimed. The attempt must not begin."""

    def __init__(self) -> None:
        super().__init__("this node's lease has ended: the attempt must not begin")


class RefusedError(TaskerError):
    """A door turns the call away before it reaches the service."""


class UnauthorizedError(RefusedError):
    """The call carries no valid API key, and this server asks for one."""

    def __init__(self) -> None:
        super().__init__("this server asks for an API key: send it as 'Authorization: Bearer <key>'")


class ForbiddenError(RefusedError):
    """The caller may not call, whatever the request says."""


class UnsupportedMediaTypeError(RefusedError):
    """The body is not declared to be JSON."""

    def __init__(self, got: str) -> None:
        super().__init__(
            f"expected the header 'content-type: application/json', got: {got or 'none'}; with curl, use: curl --json '...'"
        )


class BodyTooLargeError(RefusedError):
    """The body is longer than this server takes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"expected a body of at most {limit} bytes (--max-body-bytes), got more")


class StoreError(TaskerError):
    """The store could not do what it was asked."""


class StoreUnavailableError(StoreError):
    """The store cannot be used now. A write that was on its way may have happened, or not.

    Args:
        reason: the cause in a few words.
        retry_after: seconds after which another try makes sense.
    """

    def __init__(self, reason: str, *, retry_after: int = 1) -> None:
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(
            f"the database cannot be used now ({reason}); a write may have happened or not: look before you try again"
        )


class StoreFullError(StoreUnavailableError):
    """There is no space left for the database. A write that was on its way may have happened, or not."""


class StoreBusyError(StoreError):
    """Too many writes wait already. Nothing was written."""

    def __init__(self, *, retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__("too many writes wait for the database already, nothing was written: try again later")


class SettingError(TaskerError):
    """A setting has a value that cannot be used.

    Args:
        setting: the flag, environment variable or key as the user wrote it.
        problem: what would be right and what was given: ``expected a port from 0 to 65535, got: 70000``.
    """

    def __init__(self, setting: str, problem: str) -> None:
        self.setting = setting
        self.problem = problem
        super().__init__(f"{setting}: {problem}")


class StartError(TaskerError):
    """The server cannot start here and now; the message is one line that says what to do."""


class ListenError(StartError):
    """The address cannot be listened on."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"cannot listen on {address}: {reason}; choose another with --listen-ip and --listen-port")


class DatabaseError(StartError):
    """The database cannot be opened."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        super().__init__(f"cannot open the database {path}: {problem}")


class DatabaseInUseError(DatabaseError):
    """Another tasker holds the database."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "another tasker uses it; stop that one, or choose another file with --database-url")


class DatabaseTooNewError(DatabaseError):
    """A newer tasker wrote the database."""

    def __init__(self, path: str, *, found: int, known: int) -> None:
        super().__init__(
            path,
            f"a newer tasker wrote it (schema {found}, this one knows up to {known}); install that version or a later one",
        )


class SchemaOutdatedError(DatabaseError):
    """The tables are of an earlier tasker, and this one was told not to change them."""

    def __init__(self, path: str, *, found: int, known: int) -> None:
        super().__init__(path, f"its tables are of schema {found}, this tasker needs {known}; run: tasker db migrate")


class NotADatabaseError(DatabaseError):
    """The file is something else."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "the file is no tasker database; choose another with --database-url")


class TakeOverError(StartError):
    """A row of the earlier server's tables cannot be read. Nothing was changed."""

    def __init__(self, table: str, row_id: str, problem: str) -> None:
        self.table = table
        self.row_id = row_id
        super().__init__(
            f"cannot take over the row {row_id} of the table {table}: {problem}; "
            "nothing was changed: mend or delete that row and start again"
        )
