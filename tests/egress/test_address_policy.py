"""Which addresses are never called, in whatever way they are written."""

from ipaddress import IPv4Address

import pytest

from tasker.egress.address_policy import refusal

METADATA_V4 = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.0.0",
    "169.254.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
]
CALLABLE_V4 = [
    "127.0.0.1",
    "127.255.255.255",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "93.184.216.34",
    "169.253.255.255",
    "169.255.0.0",
    "100.100.100.199",
    "168.63.129.17",
    "192.0.0.193",
]


def inside_ipv6(address):
    """Every IPv6 address that leads to an IPv4 one, by the way it embeds it."""
    number = int(IPv4Address(address))
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    return {
        "itself": address,
        "mapped": f"::ffff:{address}",
        "mapped, in hexadecimal": f"::ffff:{high}:{low}",
        "mapped, written out": f"0000:0000:0000:0000:0000:FFFF:{high:0>4}:{low:0>4}",
        "compatible": f"::{address}",
        "NAT64": f"64:ff9b::{address}",
        "NAT64, in hexadecimal": f"64:FF9B::{high}:{low}",
        "6to4": f"2002:{high}:{low}::1",
    }


WAYS = list(inside_ipv6("0.0.0.0"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("address", METADATA_V4)
def test_metadata_and_link_local_addresses_are_refused_however_they_are_embedded(address, way):
    assert refusal(inside_ipv6(address)[way]) in ("a link-local address", "a metadata address of a cloud")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("address", CALLABLE_V4)
def test_loopback_private_and_public_addresses_may_be_called_however_they_are_embedded(address, way):
    assert refusal(inside_ipv6(address)[way]) is None


@pytest.mark.parametrize(
    "address",
    [
        "fe80::1",
        "FE80::1",
        "fe80::1%eth0",
        "fe80::1%",
        "fe80:0:0:0:0:0:0:1%25eth0",
        "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fe80::ffff:169.254.169.254",
        "::ffff:169.254.169.254%eth0",
        "fd00:ec2::254",
        "fd00:0ec2:0000::0254",
        "fd20:ce::254",
    ],
)
def test_ipv6_metadata_and_link_local_addresses_are_refused_whatever_their_zone(address):
    assert refusal(address) in ("a link-local address", "a metadata address of a cloud")


@pytest.mark.parametrize(
    "address",
    [
        "::1",
        "::",
        "fe7f:ffff::1",
        "fec0::1",
        "fd00:ec1::254",
        "fd00:ec3::254",
        "fd12:3456::1",
        "fc00::1%eth0",
        "2606:2800:220:1::1",
        "64:ff9b:0:1::a9fe:a9fe",
        "2003:a9fe:a9fe::1",
        "::1:a9fe:a9fe",
    ],
)
def test_other_ipv6_addresses_may_be_called(address):
    assert refusal(address) is None


@pytest.mark.parametrize(
    "address", ["", "localhost", "0x7f000001", "2130706433", "127.1", "169.254.169.0254", "[::1]", "%eth0"]
)
def test_what_is_no_address_is_refused(address):
    assert refusal(address) == "an address that cannot be read"
