"""Which addresses may be called at which level, in whatever way they are written, and what opens or closes them."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasker.egress.address_policy import BAD_PORTS, EgressPolicy, is_host_name, read_entry

LEVELS = ("public", "lan", "any")
NAT64 = IPv6Network("64:ff9b::/96")
OPEN_AT = {"public": LEVELS, "near": ("lan", "any"), "odd": ("any",), "never": ()}
"""The levels at which an address of each kind may be called."""

CORPUS = """
# where clouds keep the credentials of their machines
never 169.254.169.254 169.254.170.2 169.254.170.23 169.254.42.42 169.254.0.23 100.100.100.200 168.63.129.16 192.0.0.192
never fd00:ec2::254 fd00:ec2::23 fd00:ec2:: fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff
never fd20:ce::254 fd20:ce:0:0:ffff:ffff:ffff:ffff
never fd00:42::42 fd00:100::100:200 fd00:a9fe:a9fe::1 fd00:c1::a9fe:a9fe fe80::a9fe:a9fe
near fd00:ec1:ffff:ffff:ffff:ffff:ffff:ffff fd00:ec3:: fd20:ce:0:1:: fd20:cd:ffff:ffff:ffff:ffff:ffff:ffff
near fd00:42::41 fd00:42::43
near 100.100.100.199 100.100.100.201
public 168.63.129.15 168.63.129.17
odd 192.0.0.191 192.0.0.193

# each network of IPv4: the neighbour before, the first, the last, the neighbour after
never 0.0.0.0 0.0.0.1 0.255.255.255
public 1.0.0.0 9.255.255.255
near 10.0.0.0 10.255.255.255
public 11.0.0.0 100.63.255.255
near 100.64.0.0 100.127.255.255
public 100.128.0.0 126.255.255.255
near 127.0.0.0 127.0.0.1 127.0.0.53 127.255.255.255
public 128.0.0.0 169.253.255.255
never 169.254.0.0 169.254.255.255
public 169.255.0.0 172.15.255.255
near 172.16.0.0 172.17.0.1 172.31.255.255
public 172.32.0.0 191.255.255.255
odd 192.0.0.0 192.0.0.8 192.0.0.170 192.0.0.255
public 192.0.1.255
odd 192.0.2.0 192.0.2.255
public 192.0.1.0 192.0.3.0 192.88.98.255
never 192.88.99.0 192.88.99.1 192.88.99.255
public 192.88.100.0 192.167.255.255
near 192.168.0.0 192.168.255.255
public 192.169.0.0 198.17.255.255
odd 198.18.0.0 198.19.255.255
public 198.20.0.0 198.51.99.255
odd 198.51.100.0 198.51.100.255
public 198.51.101.0 203.0.112.255
odd 203.0.113.0 203.0.113.255
public 203.0.114.0 223.255.255.255
never 224.0.0.0 224.0.0.1 239.255.255.255 240.0.0.0 250.1.2.3 255.255.255.254 255.255.255.255

# IPv6
never :: ::2 ::ffff ::1:0 ::127.0.0.1 ::8.8.8.8 ::169.254.169.254 ::ffff:ffff ::1:0:0:0 ::ffff:0:0:0
never ::ffff:0:169.254.169.254
never 63:ffff:ffff:ffff:ffff:ffff:ffff:ffff 64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff 64:ff9b:0:0:0:1::
never 64:ff9b:1:: 64:ff9b:1:ffff::a9fe:a9fe
never 64:ff9b:2:: ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 100:0:0:2:: 1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
near ::1
odd 100:: 100::ffff:ffff:ffff:ffff 100:0:0:1:: 100:0:0:1:ffff:ffff:ffff:ffff
never 2001:: 2001::1 2001:0:ffff:ffff:ffff:ffff:ffff:ffff 2001:0:4136:e378:8000:63bf:3fff:fdd2
odd 2001:1::1 2001:2:: 2001:2:0:ffff:ffff:ffff:ffff:ffff 2001:10::1
odd 2001:20::1 2001:30::1 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff
public 2000:: 2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2001:200::
public 2001:4860:4860::8888 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff
odd 2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff
public 2001:db9:: 2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff
never 2002:: 2002:a9fe:a9fe::1 2002:7f00:1:: 2002:808:808::1 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff
public 2003:: 2003:a9fe:a9fe::1 2606:4700:4700::1111 2a00:1450:4001::1 3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff
odd 3fff:: 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff
public 3fff:1000:: 3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
never 4000:: 5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
odd 5f00:: 5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff
never 5f01:: 8000:: fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
near fc00:: fc00::1 fd12:3456:789a::1 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
never fe00:: fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe80:: fe80::1
never fe80::ffff:169.254.169.254 febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff
odd fec0:: feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
never ff00:: ff02::1 ff05::1:3 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff

# zones, capitals, everything written out
never fe80::1%eth0 fe80::1% fe80:0:0:0:0:0:0:1%25eth0 FE80::1 fd00:ec2::254%eth0 0000:0000:0000:0000:0000:0000:0000:0000
near ::1%lo 0:0:0:0:0:0:0:1 fc00::1%eth0 FC00::1
public 2606:4700:4700::1111%eth0 2606:4700:4700:0000:0000:0000:0000:1111
"""
CASES = [
    (address, kind)
    for kind, *addresses in (line.split() for line in CORPUS.splitlines() if line and not line.startswith("#"))
    for address in addresses
]


def inside_ipv6(address):
    """Every IPv6 address that leads to an IPv4 one and is judged as it."""
    number = int(IPv4Address(address))
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    return [
        f"::ffff:{address}",
        f"::ffff:{high}:{low}",
        f"0000:0000:0000:0000:0000:FFFF:{high:0>4}:{low:0>4}",
        f"::ffff:{address}%eth0",
        f"64:ff9b::{address}",
        f"64:FF9B::{high}:{low}",
    ]


def test_the_corpus_is_large_and_names_nothing_twice():
    assert len(CASES) >= 150
    assert len({address for address, _ in CASES}) == len(CASES)
    assert {kind for _, kind in CASES} == set(OPEN_AT)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("address", "kind"), CASES)
def test_an_address_may_be_called_at_the_levels_that_open_its_network_and_at_no_other(address, kind, level):
    assert (EgressPolicy(level).refusal(address, 443) is None) == (level in OPEN_AT[kind])
    assert (EgressPolicy(level).refusal(address, 443, name="hooks.example") is None) == (level in OPEN_AT[kind])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("address", "kind"), [case for case in CASES if ":" not in case[0]])
def test_an_ipv4_address_within_an_ipv6_one_is_judged_as_what_it_is(address, kind, level):
    policy = EgressPolicy(level)
    assert {policy.refusal(written, 443) is None for written in inside_ipv6(address)} == {level in OPEN_AT[kind]}


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "0x7f000001",
        "2130706433",
        "127.1",
        "169.254.169.0254",
        "[::1]",
        "%eth0",
        "10.0.0.1:80",
        "1.2.3.4 ",
    ],
)
def test_what_is_no_address_is_refused(address):
    assert EgressPolicy("any", allow=["0.0.0.0/0", "::/0"]).refusal(address, 443) == "an address that cannot be read"


@given(st.ip_addresses())
def test_what_python_does_not_call_global_is_refused_at_public(address):
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global:
        assert EgressPolicy("public").refusal(str(address), 443) is not None


@given(st.ip_addresses(), st.integers(1, 65_535))
def test_a_stricter_level_opens_nothing_that_a_laxer_one_closes(address, port):
    refused = [EgressPolicy(level).refusal(str(address), port) is not None for level in LEVELS]
    assert refused == sorted(refused, reverse=True)


# Ports


@pytest.mark.parametrize("port", [1, 22, 25, 53, 110, 143, 389, 587, 2049, 3659, 6000, 6566, 6667, 10_080])
def test_ports_of_other_protocols_are_refused_at_public_alone(port):
    assert "a port of another protocol" in EgressPolicy("public").refusal("93.184.216.34", port)
    assert "a port of another protocol" in EgressPolicy("public").name_refusal("example.org", port)
    for level in ("lan", "any"):
        assert EgressPolicy(level).refusal("93.184.216.34", port) is None
        assert EgressPolicy(level).name_refusal("example.org", port) is None


@pytest.mark.parametrize("port", [80, 443, 2, 24, 3000, 5000, 5432, 8000, 8080, 8443, 9000, 65_535])
def test_other_ports_may_be_called(port):
    assert EgressPolicy("public").refusal("93.184.216.34", port) is None
    assert EgressPolicy("public").name_refusal("example.org", port) is None


def test_a_port_of_another_protocol_is_opened_by_an_entry_that_names_it_and_not_by_one_that_names_the_address_alone():
    policy = EgressPolicy("public", allow=["10.0.0.1", "10.0.0.2:25", "one.example", "two.example:25"])
    assert "with the port allows it" in policy.refusal("10.0.0.1", 25)
    assert policy.refusal("10.0.0.2", 25) is None
    assert "with the port allows it" in policy.refusal("93.184.216.34", 25, name="one.example")
    assert policy.refusal("93.184.216.34", 25, name="two.example") is None
    assert policy.name_refusal("one.example", 25) is not None
    assert policy.name_refusal("two.example", 25) is None


def test_no_port_that_people_use_for_http_is_among_the_bad_ones():
    assert BAD_PORTS.isdisjoint({80, 443, 591, 3000, 4567, 5000, 7000, 8000, 8008, 8080, 8081, 8443, 8888, 9000, 9090})
    assert len(BAD_PORTS) == 83


# What is allowed and denied beside


def may_call(policy, place, *, name=None):
    address, _, port = place.rpartition(" ")
    return policy.refusal(address, int(port), name=name) is None


@pytest.mark.parametrize(
    ("entry", "opened", "closed"),
    [
        (
            "10.1.0.0/16",
            ["10.1.0.0 80", "10.1.255.255 443", "::ffff:10.1.2.3 80", "64:ff9b::a01:203 80"],
            ["10.0.255.255 80", "10.2.0.0 80"],
        ),
        ("10.1.2.3", ["10.1.2.3 65535"], ["10.1.2.4 80", "127.0.0.1 80"]),
        ("10.1.2.3:8080", ["10.1.2.3 8080"], ["10.1.2.3 80", "10.1.2.4 8080"]),
        ("10.0.0.0/8:443", ["10.9.9.9 443"], ["10.9.9.9 80"]),
        ("fd12::/16", ["fd12:ffff::1 80"], ["fd13::1 80"]),
        ("[fd12::1]:8080", ["fd12::1 8080", "fd12::1%eth0 8080"], ["fd12::1 80", "fd12::2 8080"]),
        ("[fd12::/16]:8080", ["fd12::2 8080"], ["fd12::2 80"]),
        ("::1", ["::1 80"], ["127.0.0.1 80"]),
        ("127.0.0.0/8", ["127.1.2.3 80"], ["::1 80"]),
        ("198.18.0.0/15", ["198.19.0.1 80"], ["203.0.113.1 80"]),
        # what no level opens has to be named
        (
            "169.254.169.254",
            ["169.254.169.254 80", "::ffff:169.254.169.254 80"],
            ["169.254.169.253 80", "169.254.170.2 80"],
        ),
        ("169.254.169.254:80", ["169.254.169.254 80"], ["169.254.169.254 8080"]),
        ("169.254.0.0/16", ["169.254.1.1 80"], ["169.254.169.254 80"]),
        ("fe80::/10", ["fe80::1%eth0 80"], ["ff02::1 80"]),
        ("0.0.0.0", ["0.0.0.0 80"], ["0.0.0.1 80"]),
        ("64:ff9b:1::/48", ["64:ff9b:1::a01:203 80"], ["64:ff9b:2:: 80"]),
        (
            "0.0.0.0/0",
            ["10.0.0.1 80", "127.0.0.1 80"],
            ["169.254.169.254 80", "0.0.0.0 80", "168.63.129.16 80", "224.0.0.1 80", "::1 80"],
        ),
        ("100.64.0.0/10", ["100.64.0.1 80"], ["100.100.100.200 80"]),
        ("fd00::/8", ["fd00::1 80"], ["fd00:ec2::254 80", "fd20:ce::254 80"]),
        (
            "::/0",
            ["fd00::1 80", "::1 80"],
            ["fe80::1 80", "ff02::1 80", "2002:a9fe:a9fe:: 80", "::ffff:10.0.0.1 80", "64:ff9b::10.0.0.1 80"],
        ),
    ],
)
def test_an_allowed_network_opens_what_lies_in_it_and_nothing_else(entry, opened, closed):
    policy = EgressPolicy("public", allow=[entry])
    assert [place for place in opened if not may_call(policy, place)] == []
    assert [place for place in closed if may_call(policy, place)] == []


def test_an_allowed_name_may_be_called_wherever_it_resolves_to():
    policy = EgressPolicy("public", allow=["hooks.internal", "meta.internal:80"])
    for name in ("hooks.internal", "HOOKS.internal", "hooks.internal."):
        assert may_call(policy, "10.0.0.1 8080", name=name)
        assert may_call(policy, "169.254.169.254 8080", name=name)
    assert may_call(policy, "169.254.169.254 80", name="meta.internal")
    assert not may_call(policy, "169.254.169.254 81", name="meta.internal")
    for name in (None, "internal", "x.hooks.internal", "hooks.internal.example", "hooks_internal"):
        assert not may_call(policy, "10.0.0.1 8080", name=name)


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_denied_stays_denied_whatever_is_allowed(level):
    everything = ["93.184.216.34", "0.0.0.0/0", "::/0", "example.org", "example.org:80"]
    policy = EgressPolicy(level, allow=everything, deny=["93.184.216.0/24", "example.org:80", "[2606:4700::/32]:443"])
    assert not may_call(policy, "93.184.216.34 443")
    assert not may_call(policy, "::ffff:93.184.216.34 443")
    assert not may_call(policy, "64:ff9b::93.184.216.34 443")
    assert not may_call(policy, "93.184.216.34 443", name="example.org")
    assert not may_call(policy, "1.1.1.1 80", name="Example.org.")
    assert may_call(policy, "1.1.1.1 443", name="example.org")
    assert may_call(policy, "1.1.1.1 80")
    assert not may_call(policy, "2606:4700::1 443")
    assert may_call(policy, "2606:4700::1 80")
    assert policy.name_refusal("Example.org.", 80) is not None
    assert policy.name_refusal("example.org", 443) is None
    assert policy.name_refusal("other.example", 80) is None


def test_ipv6_as_a_whole_can_be_denied():
    policy = EgressPolicy("any", deny=["::/0"])
    assert not any(
        may_call(policy, f"{address} 80") for address in ("2606:4700::1", "64:ff9b::1.1.1.1", "::ffff:1.1.1.1", "::1")
    )
    assert may_call(policy, "1.1.1.1 80")


# What a refusal says


@pytest.mark.parametrize(
    ("level", "address", "said"),
    [
        ("public", "127.0.0.1", ["loopback", "--egress public", "--egress lan", "--allow-target"]),
        ("public", "10.20.30.40", ["a private address", "--egress public", "--egress lan", "--allow-target"]),
        ("public", "100.64.7.7", ["carrier's NAT", "--egress lan"]),
        ("public", "198.51.100.9", ["a documentation address", "--egress public", "--egress any"]),
        ("lan", "198.18.7.7", ["a benchmarking address", "--egress lan", "--egress any", "--allow-target"]),
        ("any", "169.254.169.254", ["a metadata address", "never", "--allow-target"]),
        ("any", "fe80::77", ["a link-local address", "never", "--allow-target"]),
        ("lan", "2002:7f00:1::", ["an IPv4 address within IPv6", "never", "--allow-target"]),
        ("lan", "250.1.2.3", ["a reserved address", "never", "--allow-target"]),
        ("lan", "239.7.7.7", ["a multicast address", "never", "--allow-target"]),
    ],
)
def test_a_refusal_says_which_rule_and_what_would_allow_it_and_not_the_address(level, address, said):
    refusal = EgressPolicy(level).refusal(address, 443, name="hooks.example")
    assert [word for word in said if word not in refusal] == []
    assert address not in refusal
    assert str(ip_address(address)) not in refusal


def test_a_refusal_names_the_flag_that_denies():
    assert "--deny-target" in EgressPolicy("any", deny=["1.1.1.1"]).refusal("1.1.1.1", 443)
    assert "--deny-target" in EgressPolicy("any", deny=["example.org"]).name_refusal("example.org", 443)


@given(st.ip_addresses(), st.sampled_from(LEVELS))
def test_what_a_refusal_offers_allows_it(address, level):
    refusal = EgressPolicy(level).refusal(str(address), 443)
    if refusal is not None:
        for other in LEVELS:
            if f"; --egress {other} or" in refusal:
                assert EgressPolicy(other).refusal(str(address), 443) is None
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or (IPv4Address(int(address) & 0xFFFF_FFFF) if address in NAT64 else address)
        assert EgressPolicy(level, allow=[str(address)]).refusal(str(address), 443) is None


# How entries are written


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.1/32", "10.0.0.1"),
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("0.0.0.0/0:443", "0.0.0.0/0:443"),
        ("FD00:0::/8", "fd00::/8"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[::1]:80", "[::1]:80"),
        ("[fd00::/8]:443", "[fd00::/8]:443"),
        ("Hooks.Example.ORG.", "hooks.example.org"),
        ("localhost:65535", "localhost:65535"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a_b", "a_b"),
        ("3com.example", "3com.example"),
    ],
)
def test_an_entry_is_read_in_any_spelling_and_spelled_in_one(text, canonical):
    assert str(read_entry(text)) == canonical
    assert read_entry(canonical) == read_entry(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            ":80",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "fd00::/129",
            "fd00::1/8",
            "10.0.0.1:",
            "10.0.0.1:0",
            "10.0.0.1:65536",
            "a:b",
        ),
        *("127.1", "2130706433", "0x7f000001", "0177.0.0.1", "1.2.3", "10/8", "256.1.1.1", "example.1", "0x7f"),
        *(
            "[example.org]",
            "[10.0.0.1]:80",
            "[::1",
            "::1]",
            "[::1]80",
            "[::1]:",
            "[[::1]]",
            "fe80::1%eth0",
            "[fd00::]/8:443",
        ),
        *("::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "64:ff9b::10.0.0.1", "64:ff9b::/96", "64:ff9b::/104"),
        *(
            "*.example.org",
            "example..org",
            "-a.example",
            "http://example.org",
            "example.org/x",
            "bücher.example",
            "a b",
            "a\n",
            "x" * 300,
        ),
    ],
)
def test_what_names_no_target_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the setting says what would be right
        read_entry(text)


@given(st.ip_addresses(), st.integers(0, 128), st.none() | st.integers(1, 65_535))
def test_every_network_can_be_named_and_has_what_is_in_it(address, length, port):
    length = min(length, address.max_prefixlen)
    first = type(address)(int(address) >> (address.max_prefixlen - length) << (address.max_prefixlen - length))
    network = f"{first}/{length}"
    text = network if port is None else f"[{network}]:{port}" if address.version == 6 else f"{network}:{port}"
    try:
        entry = read_entry(text)
    except ValueError:
        assert address.version == 6
        assert str(first).startswith(("::ffff:", "64:ff9b::"))
        return
    assert read_entry(str(entry)) == entry
    assert EgressPolicy("any", deny=[text]).refusal(str(address), port or 443) is not None


@pytest.mark.parametrize(
    "host",
    ["example.org", "Example.ORG.", "localhost", "a_b.example", "xn--bcher-kva.example", "1.example", "0x7f.example"],
)
def test_a_host_name_is_one_for_everybody(host):
    assert is_host_name(host)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0X7F.1.",
            "0177.0.0.1",
            "1.2.3.4.5",
            "256.0.0.1",
            "example.0x1",
        ),
        *(
            "::1",
            "[::1]",
            "%31%32%37.0.0.1",
            "127.0.0.1%0",
            "a%2fb",
            "a b",
            "a\r\nb",
            "",
            ".",
            "..",
            "a..b",
            "\uff11.example",
            "a/b",
            "a@b",
            "a:1",
        ),
    ],
)
def test_what_somebody_might_take_for_an_address_or_for_more_than_a_name_is_none(host):
    assert not is_host_name(host)
