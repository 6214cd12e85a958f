"""A name server that answers as a test wants, a different thing each time, and a lookup that asks it."""

import secrets
import socket
import struct
import threading
from ipaddress import ip_address

A, AAAA = 1, 28
SERVFAIL = 2


class NameServer:
    """Answers queries for addresses over UDP, on a thread of its own. Use it as a context manager.

    Args:
        answer: gets a name and how often its addresses were asked for before; returns addresses as
            text, all of them in one answer, or a response code, or None: no answer at all, until
            ``give_in`` is called.
        patience: seconds for which ``look_up`` waits for an answer.
    """

    def __init__(self, answer, *, patience=0.5):
        self.queries = []
        """The names and types that were asked for, in order."""
        self._answer = answer
        self._patience = patience
        self._unanswered = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve, name="name-server", daemon=True)

    def __enter__(self):
        self._socket.bind(("127.0.0.1", 0))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.give_in()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def give_in(self):
        """Tell those who were not answered that there is no answer."""
        self._answer = lambda *_: SERVFAIL
        while self._unanswered:
            self.give_in_once()

    def give_in_once(self):
        """The same for one of them."""
        query, question, client = self._unanswered.pop()
        self._socket.sendto(query[:2] + struct.pack("!HHHHH", 0x8180 | SERVFAIL, 1, 0, 0, 0) + question, client)

    def lookups(self, name):
        """How often the addresses of *name* were looked up."""
        return self.queries.count((name, A))

    def look_up(self, host, port):
        """As ``connector.look_up``, with this server in the place of the system's: asks for A, then for AAAA."""
        found = []
        for kind, family in ((A, socket.AF_INET), (AAAA, socket.AF_INET6)):
            for address in _ask(self._socket.getsockname(), host, kind, self._patience):
                place = (address, port) if family == socket.AF_INET else (address, port, 0, 0)
                found.append((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place))
        if not found:
            raise socket.gaierror(socket.EAI_NODATA, "No address associated with hostname")
        return found

    def _serve(self):
        while True:
            query, client = self._socket.recvfrom(512)
            if not query:
                return
            name, kind, question = _read_question(query)
            before = self.lookups(name) - (kind == AAAA)
            self.queries.append((name, kind))
            answer = self._answer(name, before)
            if answer is None:
                self._unanswered.append((query, question, client))
                continue
            code, addresses = (answer, []) if isinstance(answer, int) else (0, answer)
            chosen = [ip for ip in map(ip_address, addresses) if (ip.version == 4) == (kind == A)]
            records = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(ip.packed)) + ip.packed for ip in chosen)
            head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(chosen), 0, 0)
            self._socket.sendto(head + question + records, client)


def _read_question(message):
    """Return the name and type that a message asks for, and the question as it stands there."""
    labels, at = [], 12
    while length := message[at]:
        labels.append(message[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels), struct.unpack_from("!H", message, at + 1)[0], message[12 : at + 5]


def _ask(server, name, kind, patience):
    """Return the addresses in the answer; asks once."""
    number = secrets.token_bytes(2)
    labels = b"".join(bytes([len(label)]) + label for label in name.rstrip(".").encode("ascii").split(b"."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(patience)
        asking.connect(server)
        asking.send(number + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1))
        try:
            message = asking.recv(4_096)
        except TimeoutError:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution") from None
    if message[:2] != number or message[3] & 15:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    _, _, question = _read_question(message)
    at, addresses = 12 + len(question), []
    for _ in range(struct.unpack_from("!H", message, 6)[0]):
        length = struct.unpack_from("!H", message, at + 10)[0]
        addresses.append(str(ip_address(message[at + 12 : at + 12 + length])))
        at += 12 + length
    return addresses
