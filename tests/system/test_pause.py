"""A server whose process stands still for a while, as after docker pause, and goes on."""

import json
import os
import signal
import socket
import time
from urllib.parse import urlsplit

from tasker.testing.server import TaskerServer

TASK = {"webhook": {"execution_time": "2126-02-10T16:30:00Z", "url": "http://localhost:9000/", "body": "x" * 20_000}}
BODY = json.dumps(TASK)
HEAD = (
    "POST /tasks/new HTTP/1.1\r\nhost: localhost\r\n"
    f"content-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
)
CREATE = (HEAD + BODY).encode()


def test_what_arrives_while_the_process_stands_still_is_read_before_it_is_called_too_late(tmp_path):
    with TaskerServer(tmp_path, "--header-timeout", "2", "--body-timeout", "2") as server:
        address = urlsplit(server.url)
        begun = [length for length in (0, 10, 60, 1_000, len(CREATE) - 1) for _ in range(30)]
        connections = [socket.create_connection((address.hostname, address.port), timeout=10) for _ in begun]
        for connection, length in zip(connections, begun, strict=True):
            connection.sendall(CREATE[:length])
        os.kill(server.process.pid, signal.SIGSTOP)
        for connection, length in zip(connections, begun, strict=True):
            connection.sendall(CREATE[length:])
        time.sleep(2.5)  # longer than either limit: the pause itself
        os.kill(server.process.pid, signal.SIGCONT)

        statuses = [connection.recv(12)[9:] for connection in connections]

        assert statuses == [b"201"] * len(begun)
        for connection in connections:
            connection.close()
