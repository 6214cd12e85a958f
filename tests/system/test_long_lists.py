"""Long lists: exact, in little memory whatever their length, and a client that takes its time holds up nothing."""

import asyncio
import re
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from databases import FOLLOW
from tasker.model import instants
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.server import TaskerServer
from tasker.testing.task_factory import a_task
from tasker.timing.clock import SystemClock

MANY = 250_000
"""Tasks of the long list: more than 75 MB of JSON."""

MEMORY_BYTES = 16 << 20
"""What listing them may add to the peak memory of the server: room for a few pages of them, and for
the allocator's moods."""

HOUR = 3_600 * instants.SECOND
PIECE_BYTES = 1 << 18

_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')


def fill(folder: Path, tasks):
    """Store *tasks*, an iterator, in the database that the server of *folder* opens.

    Return their ids as a list has them.
    """

    async def store_all():
        store = SqliteStore(str(folder / "tasks.db"), follow=FOLLOW, clock=SystemClock())
        await store.open()
        places = []
        while batch := [*islice(tasks, 5_000)]:
            await store.create(batch)
            places += [(task.execution_at, task.id) for task in batch]
        await store.close()
        return [task_id.encode() for _, task_id in sorted(places, key=lambda place: place[0])]

    return asyncio.run(store_all())


def in_an_hour():
    return SystemClock().now() + HOUR


def connect(server, *, buffer_bytes=PIECE_BYTES) -> HTTPConnection:
    """A connection on which the client's side takes no more than *buffer_bytes* ahead."""
    address = urlsplit(server.url)
    connection = HTTPConnection(address.hostname, address.port)
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    connection.sock.settimeout(30)
    connection.sock.connect((address.hostname, address.port))
    return connection


def ids(response, begun=b"") -> Iterator[bytes]:
    """The ids in a list, as they come in; *begun* has been read already.

    Fails if the list does not end as it should.
    """
    text = begun
    while piece := response.read(PIECE_BYTES):
        text += piece
        end = 0
        for match in _ID.finditer(text):
            yield match[1]
            end = match.end()
        text = text[max(end, len(text) - 50) :]
    assert text.endswith(b"}]\n")


def peak_memory(process_id) -> int:
    """The largest resident set the process has had so far, in bytes."""
    (line,) = (line for line in Path(f"/proc/{process_id}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_a_list_of_250000_tasks_is_exact_and_takes_no_memory(tmp_path):
    rand, first = Random(1), in_an_hour()
    expected = fill(tmp_path, (a_task(due_at=first + rand.randrange(MANY // 2)) for _ in range(MANY)))
    with TaskerServer(tmp_path) as server:
        server.call("GET", "/tasks/type/webhook?limit=1000")
        before = peak_memory(server.process.pid)
        connection = connect(server)
        connection.request("GET", "/tasks/state/todo")
        for place, (found, right) in enumerate(zip(ids(connection.getresponse()), expected, strict=True)):
            assert found == right, place
        connection.close()
        assert peak_memory(server.process.pid) - before < MEMORY_BYTES


def log_number(database: Path) -> int:
    """How often the write-ahead log has begun anew: it does so once all of it is in the database and nobody reads it.

    Source: SQLite's file format, section 4.1: the checkpoint sequence number in the header of the
    log.
    """
    with Path(f"{database}-wal").open("rb") as log:
        return int.from_bytes(log.read(16)[12:])


def test_while_a_client_reads_a_list_byte_by_byte_the_log_begins_anew(tmp_path):
    count, body = 20_000, "x" * 2_000
    first = in_an_hour()
    fields = b'{"url":"http://localhost/","body":"%b"}' % body.encode()
    expected = fill(tmp_path, (a_task(due_at=first + place, payload=fields) for place in range(count)))
    with TaskerServer(tmp_path) as server:
        connection = connect(server, buffer_bytes=1 << 16)
        connection.request("GET", "/tasks/type/webhook")
        response = connection.getresponse()
        read = response.read(1)

        def create(due_at, length):
            webhook = {"execution_time": instants.text(due_at), "url": "http://localhost/", "body": "x" * length}
            return server.call("POST", "/tasks/new", {"webhook": webhook})["id"]

        begun, written = log_number(server.database), 0
        while log_number(server.database) < begun + 3:
            create(first - HOUR // 2, 1_000_000)  # behind the place that the list has reached
            read += response.read(1)
            written += 1
            assert written < 400, "the log has grown by 400 MB"

        last = create(first + HOUR, 1)
        assert [*ids(response, read)] == [*expected, last.encode()], "the list was on its way all the time"
