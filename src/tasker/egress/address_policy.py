"""Which addresses are never called: where a cloud machine's credentials can be read."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

_METADATA: Final = "a metadata address of a cloud"
_LINK_LOCAL: Final = "a link-local address"

_REFUSED: Final = tuple(
    (ip_network(network), rule)
    for network, rule in (
        ("169.254.0.0/16", _LINK_LOCAL),  # AWS, Google, Azure and others: 169.254.169.254; ECS: 169.254.170.2
        ("100.100.100.200/32", _METADATA),  # Alibaba
        ("168.63.129.16/32", _METADATA),  # Azure WireServer
        ("192.0.0.192/32", _METADATA),  # Oracle
        ("fe80::/10", _LINK_LOCAL),
        ("fd00:ec2::/32", _METADATA),  # AWS
        ("fd20:ce::/32", _METADATA),  # Google
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


def refusal(address: str) -> str | None:
    """Return the rule that refuses to call the IP *address*, in a few words; None if it may be called.

    IPv4 addresses within IPv6 ones (mapped, compatible, NAT64, 6to4) are judged as what they reach.

    >>> refusal("169.254.169.254"), refusal("::ffff:a9fe:a9fe"), refusal("10.0.0.1")
    ('a link-local address', 'a link-local address', None)
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "an address that cannot be read"
    for candidate in (parsed, _embedded(parsed)):
        for network, rule in _REFUSED:
            if candidate is not None and candidate.version == network.version and candidate in network:
                return rule
    return None


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64 or int(address) >> 32 == 0:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
