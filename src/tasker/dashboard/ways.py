"""How a request has come here: from where, and whether others could read it on its way."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, NamedTuple

from tasker.api.receiving import PEER
from tasker.config import is_loopback

_FORWARDED: Final = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-proto", b"x-real-ip"})
"""Headers by which a proxy says that a request is somebody else's."""

_SITE_BITS: Final = 64
"""Of an IPv6 address: what a customer of a provider has at least."""

_Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address


class Way(NamedTuple):
    """How a request has come here."""

    is_encrypted: bool
    """Whether the browser has sent it by https, as a proxy says that is believed."""
    is_local: bool
    """Whether it has not left this machine, as far as can be seen."""
    client: str
    """Who has sent it: an address, or a network that one client may have as a whole. To count by."""


class Ways:
    """Looks at the peer of a connection, and believes the proxies that it is told to believe."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """Make it.

        Args:
            trusted: addresses and networks of proxies.
        """
        self._trusted: Sequence[_Network] = [ip_network(each) for each in trusted]

    def of(self, request: Mapping[str, Any]) -> Way:
        """Return how the HTTP request of an ASGI scope has come here."""
        headers: Sequence[tuple[bytes, bytes]] = request["headers"]
        peer = _address(request["extensions"][PEER]["call"]() or "")
        if peer is None:
            return Way(is_encrypted=False, is_local=False, client="")
        is_local = is_loopback(str(peer)) and not any(name in _FORWARDED for name, _ in headers)
        if not self._trusts(peer):
            return Way(is_encrypted=False, is_local=is_local, client=_client(peer))
        said = _elements(headers, b"x-forwarded-proto")
        return Way(
            is_encrypted=bool(said) and all(each.lower() == "https" for each in said),
            is_local=is_local,
            client=_client(self._first_untrusted(_elements(headers, b"x-forwarded-for"), peer)),
        )

    def _first_untrusted(self, addresses: Sequence[str], peer: _Address) -> _Address:
        """Return who has sent it to the outermost proxy that is believed: each adds whom it hears to the end."""
        client = peer
        for text in reversed(addresses):
            address = _address(text)
            if address is None:
                break
            client = address
            if not self._trusts(address):
                break
        return client

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


def _address(text: str) -> _Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _client(address: _Address) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address) >> _SITE_BITS << _SITE_BITS, _SITE_BITS)))
    return str(address)


def _elements(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    """Return what all headers of a name list."""
    lists = (value.decode("latin-1").split(",") for name, value in headers if name == wanted)
    return [each.strip() for listed in lists for each in listed]
