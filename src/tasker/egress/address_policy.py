"""Which addresses may be called: a table of networks, a level, and what the operator allows and denies beside it.

Sources: the IANA registries of special-purpose addresses (RFC 6890 and its updates), the clouds'
own documentation of where their machines read credentials, and
https://fetch.spec.whatwg.org/#port-blocking for ports.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

HOST_NAME: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.ASCII
)
"""A host name in ASCII and lower case."""
_ENDS_IN_A_NUMBER: Final = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)", re.ASCII)
"""A host that is an address or nothing. Source:
https://url.spec.whatwg.org/#ends-in-a-number-checker"""

_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""Where a translator reaches IPv4 from a network that has IPv6 alone. Source: RFC 6052."""


class _Row(NamedTuple):
    network: Network
    rule: str
    """What an address in it is called."""
    level: str | None
    """The strictest level at which it may be called; None: at none."""


def _rows(level: str | None, rule: str, *networks: str) -> list[_Row]:
    return [_Row(ip_network(network), rule, level) for network in networks]


_TABLE: Final = (
    *_rows(
        None,
        "a metadata address of a cloud",
        "169.254.169.254/32",  # AWS, Azure, Google and others
        "169.254.170.2/32",  # AWS, containers
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure; a public address
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::/32",  # AWS
        "fd20:ce::/64",  # Google
        "fd00:42::42/128",  # Scaleway
        "fd00:100::100:200/128",  # Alibaba
        "fd00:a9fe:a9fe::1/128",  # Linode
        "fd00:c1::a9fe:a9fe/128",  # Oracle
    ),
    *_rows(None, "a link-local address", "169.254.0.0/16", "fe80::/10"),
    *_rows(None, "a multicast address", "224.0.0.0/4", "ff00::/8"),
    *_rows(None, "the broadcast address", "255.255.255.255/32"),
    *_rows(None, "an unspecified address", "0.0.0.0/8", "::/128"),
    *_rows("lan", "a loopback address", "127.0.0.0/8", "::1/128"),
    *_rows("lan", "a private address", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    *_rows("lan", "an address behind a carrier's NAT", "100.64.0.0/10"),
    *_rows(
        "any",
        "a documentation address",
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001:db8::/32",
        "3fff::/20",
    ),
    *_rows("any", "a benchmarking address", "198.18.0.0/15", "2001:2::/48"),
    # What embeds an IPv4 address in a way that depends on the network around, or is long out of
    # use.
    *_rows(
        None,
        "an IPv4 address within IPv6",
        "192.88.99.0/24",  # relays of 6to4
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "64:ff9b:1::/48",  # NAT64 with a layout of its own
        "::/96",  # IPv4-compatible
    ),
    *_rows("any", "a site-local address", "fec0::/10"),
    *_rows("any", "a special-purpose address", "192.0.0.0/24", "2001::/23", "100::/64", "100:0:0:1::/64", "5f00::/16"),
    *_rows(
        None, "a reserved address", "240.0.0.0/4", "::/3", "4000::/2", "8000::/1"
    ),  # all IPv6 but the public 2000::/3
)
"""The first row that has an address judges it. What no row has is public."""

_OPENED_BY: Final = {"public": frozenset[str | None](), "lan": frozenset({"lan"}), "any": frozenset({"lan", "any"})}
"""The rows that a level opens."""

# fmt: off
BAD_PORTS: Final = frozenset({
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
    531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190,
    5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
})
# fmt: on
"""Ports of other protocols, some of which take a request for a message of theirs. No browser calls
them."""


class Entry(NamedTuple):
    """What ``--allow-target`` or ``--deny-target`` names: a network or a host name, at one port or at all."""

    network: Network | None
    name: str
    """In ASCII and lower case; empty: a network is named."""
    port: int | None

    def __str__(self) -> str:
        """Spell it as ``read_entry`` reads it."""
        if self.network is None:
            place = self.name
        else:
            single = self.network.prefixlen == self.network.max_prefixlen
            place = str(self.network.network_address if single else self.network)
        if self.port is None:
            return place
        return f"[{place}]:{self.port}" if ":" in place else f"{place}:{self.port}"


def read_entry(text: str) -> Entry:
    """Return what *text* names: ``CIDR``, ``IP`` or a host name, and ``:PORT`` after it, with IPv6 in brackets then.

    An IPv4 address is written as such, not within an IPv6 one, since it is judged as what it is.

    >>> str(read_entry("10.0.0.0/8:443")), str(read_entry("[FD00::/8]:443")), str(read_entry("Hooks.example.org"))
    ('10.0.0.0/8:443', '[fd00::/8]:443', 'hooks.example.org')

    Raises:
        ValueError: it is nothing of the kind.
    """
    match = re.fullmatch(
        r"\[([^][]*:[^][]*)\](?::([0-9]{1,5}))?|([^][]*:[^][]*:[^][]*)|([^][:]*)(?::([0-9]{1,5}))?", text
    )
    if match is None or "%" in text:
        raise ValueError
    place = match[1] or match[3] or match[4]
    digits = match[2] or match[5]
    port = int(digits) if digits else None
    if port is not None and not 1 <= port <= 65_535:
        raise ValueError
    name = place.lower().removesuffix(".")
    if ":" not in place and HOST_NAME.fullmatch(name) and not _ENDS_IN_A_NUMBER.fullmatch(name):
        return Entry(None, name, port)
    network = ip_network(place)
    if isinstance(network, IPv6Network) and (network.subnet_of(_MAPPED) or network.subnet_of(_NAT64)):
        raise ValueError
    return Entry(network, "", port)


class Verdict(NamedTuple):
    """Whether an address may be called."""

    refusal: str | None
    """Why it may not, and what would allow it; None: it may."""
    rule: str
    """What decides that, as it follows the words *it is*; of one that may not be called, the refusal."""


def is_host_name(host: str) -> bool:
    """Whether *host* is a name wherever it is read: nobody takes it for an address in some spelling.

    >>> is_host_name("Example.org."), is_host_name("127.1."), is_host_name("%31.example.org")
    (True, False, False)
    """
    name = _plain(host)
    return HOST_NAME.fullmatch(name) is not None and _ENDS_IN_A_NUMBER.fullmatch(name) is None


class EgressPolicy:
    """Whom a server may call. Fixed when it is made.

    What is denied stays denied, whatever is allowed. An allowed host name is trusted with its DNS:
    it may be called wherever it resolves to, at a metadata address, too. An allowed network opens
    what no level opens only if it lies within the refused network, so that ``0.0.0.0/0`` does not
    open 169.254.169.254 by accident.

    Args:
        level: ``public``, ``lan`` or ``any``.
        allow: what may be called beside, as ``read_entry`` reads it.
        deny: what may not be called.
    """

    def __init__(self, level: str = "lan", *, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        self.level: Final = level
        self._opened = _OPENED_BY[level]
        self._allow = tuple(map(read_entry, allow))
        self._deny = tuple(map(read_entry, deny))

    def refusal(self, address: str, port: int, *, name: str | None = None) -> str | None:
        """Return why the IP *address* may not be called at *port*, and what would allow it; None if it may be called.

        The address itself is not in the text. IPv4 addresses within IPv6 ones (mapped, NAT64) are
        judged as what they reach.

        Args:
            name: the host name that resolved to it; None if the target names the address.

        >>> EgressPolicy("lan").refusal("10.0.0.1", 80) is None
        True
        >>> EgressPolicy("public").refusal("::ffff:10.0.0.1", 80)
        'a private address, which --egress public refuses; --egress lan or an --allow-target for it
        allows it'
        """
        return self.verdict(address, port, name=name).refusal

    def verdict(self, address: str, port: int, *, name: str | None = None) -> Verdict:
        """Return whether the IP *address* may be called at *port*, and by which rule: see ``refusal``.

        >>> EgressPolicy("public", allow=["10.0.0.0/8"]).verdict("10.0.0.1", 80).rule
        'a private address, which --allow-target 10.0.0.0/8 allows'
        """
        try:
            written = ip_address(address.partition("%")[0])
        except ValueError:
            return _refused("an address that cannot be read")
        reached = _reached(written)
        if any(entry.port in (None, port) and _has(entry, written, reached, name) for entry in self._deny):
            return _refused(_DENIED)
        allowed = [entry for entry in self._allow if entry.port in (None, port) and _has(entry, reached, reached, name)]
        if self._is_bad_port(port, allowed):
            return _refused(_bad_port(self.level))
        row = _row(reached)
        if row is None:
            return Verdict(None, "a public address")
        if row.level in self._opened:
            return Verdict(None, f"{row.rule}, which --egress {self.level} allows")
        opening = next((entry for entry in allowed if _opens(entry, row)), None)
        if opening is not None:
            return Verdict(None, f"{row.rule}, which --allow-target {opening} allows")
        if row.level is None:
            return _refused(f"{row.rule}, which is never called unless an --allow-target names it")
        return _refused(
            f"{row.rule}, which --egress {self.level} refuses; "
            f"--egress {row.level} or an --allow-target for it allows it"
        )

    def name_refusal(self, name: str, port: int) -> str | None:
        """Return why the host *name* may not be called at *port*, wherever it resolves to; None if that decides."""
        if any(entry.port in (None, port) and _is_named(entry, name) for entry in self._deny):
            return _DENIED
        allowed = [entry for entry in self._allow if entry.port in (None, port) and _is_named(entry, name)]
        return _bad_port(self.level) if self._is_bad_port(port, allowed) else None

    def _is_bad_port(self, port: int, allowed: Iterable[Entry]) -> bool:
        return self.level == "public" and port in BAD_PORTS and all(entry.port is None for entry in allowed)


_DENIED: Final = "one that a --deny-target refuses; without that entry it may be allowed"


def _refused(refusal: str) -> Verdict:
    return Verdict(refusal, refusal)


def _bad_port(level: str) -> str:
    return (
        f"at a port of another protocol, which --egress {level} refuses; "
        "--egress lan or an --allow-target with the port allows it"
    )


def _plain(host: str) -> str:
    return host.lower().removesuffix(".")


def _is_named(entry: Entry, name: str | None) -> bool:
    return name is not None and entry.name != "" and entry.name == _plain(name)


def _has(entry: Entry, written: Address, reached: Address, name: str | None) -> bool:
    if entry.network is None:
        return _is_named(entry, name)
    return written in entry.network or reached in entry.network


def _opens(entry: Entry, row: _Row) -> bool:
    if entry.network is None or row.level is not None:
        return True
    if entry.network.version != row.network.version:
        return False
    return entry.network.subnet_of(row.network)  # type: ignore[arg-type]  # both are of one version


def _reached(address: Address) -> Address:
    """Return the IPv4 address that *address* leads to; itself if it leads to none."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _row(address: Address) -> _Row | None:
    return next((row for row in _TABLE if address in row.network), None)
