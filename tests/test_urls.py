"""URLs: which are taken, what each side gets of them, and that they go out as they were written."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasker.egress.connector import Origin
from tasker.egress.pooled_client import _target
from tasker.urls import checked, origin, parts, with_scheme
from tasker.wire.masking import masked_url

# Which are taken


@pytest.mark.parametrize(
    "url",
    [
        *(
            "localhost",
            "localhost.",
            "localhost:9000/x",
            "LOCALHOST/x",
            "example.org",
            "example.org.",
            "example.org:8080",
        ),
        *(
            "nas:8080",
            "nas/x",
            "nas?x",
            "a_b.example",
            "bücher.example/ä",
            "127.0.0.1",
            "127.0.0.1:80/x",
            "[::1]",
            "[::1]:80/x",
        ),
        *(
            "example.org/go?to=http://other.example/",
            "example.org/http://x",
            "example.org?to=ftp://x",
            "example.org#a://b",
        ),
        *("nullable/x", "http.example", "null.example", "localhost?to=user:pw@x", "example.org/a@b"),
    ],
)
def test_a_url_without_a_scheme_is_a_host_and_what_follows_it(url):
    assert checked(url) == f"http://{url}"
    parts(f"http://{url}")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https:/example.org/x", "expected https:// before the host"),
        ("http:example.org/x", "cannot be parsed"),
        ("https/example.org", "expected https:// before the host"),
        ("http//example.org/x", "expected http:// before the host"),
        ("HTTP:/example.org/x", "expected http:// before the host"),
        ("http", "expected http:// before the host"),
        ("htp:/example.org/x", "no colon"),
        ("example.org:/x", "no colon"),
        ("example.org:", "no colon"),
        ("http://example.org:/x", "no colon"),
        ("https://[::1]:", "no colon"),
        ("htp://example.org", "scheme http or https, got: htp"),
        ("ftp://example.org", "scheme http or https, got: ftp"),
        ("://example.org", "scheme http or https"),
        ("mailto:bob@example.org", "before a URL with a user"),
        ("mailto:bob", "cannot be parsed"),
        ("javascript:alert(1)", "cannot be parsed"),
        ("me:p4ss@example.org/", "before a URL with a user"),
        ("me@example.org", "before a URL with a user"),
        ("{{url}}", "single word"),
        ("{{url}}/x", "a host name or an address"),
        ("${URL}/x", "a host name or an address"),
        ("<url>/x", "a host name or an address"),
        ("http://{{host}}/x", "a host name or an address"),
        *(
            (f"{word}{rest}", f"got: {word.lower()}")
            for word in ("undefined", "null", "None", "NaN")
            for rest in ("", "/x", ":80")
        ),
        ("true", "got: true"),
        ("false/", "got: false"),
        ("nas", "single word"),
        ("url", "single word"),
        ("42", "single word"),
        ("bücher", "single word"),
        ("1.5", "a host name or an address"),
        ("127.1/x", "a host name or an address"),
        ("0x7f000001/x", "a host name or an address"),
        ("http://1.2.3.4.5/", "a host name or an address"),
        ("http://256.1.1.1/", "a host name or an address"),
        ("http://example.1/", "a host name or an address"),
        ("::1/x", "cannot be parsed"),
        ("[::1", "cannot be parsed"),
        ("[1.2.3.4]/", "a host name or an address"),
        ("[::1%]/", "a host name or an address"),
        ("", "a host name or an address"),
        ("?x", "a host name or an address"),
        ("http://a..b/", "a host name or an address"),
        ("http://.a/", "a host name or an address"),
        ("http://" + "x" * 64 + ".example/", "a host name or an address"),
        ("http://" + "x." * 127 + "example/", "a host name or an address"),
        ("http://%6cocalhost/", "a host name or an address"),
        ("http://a%2fb/", "a host name or an address"),
        ("http://a,b/", "a host name or an address"),
        ("http://h/\ud800", "percent-encode"),
        ("example.org:99999", "port from 1 to 65535"),
        ("http://h:" + "9" * 9_000, "port from 1 to 65535"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_what_cannot_be_meant_as_a_target_is_refused_in_a_line_that_says_what_is_right(url, says):
    with pytest.raises(ValueError, match=r"^expected ") as refused:
        checked(url)

    assert says in str(refused.value)
    assert "p4ss" not in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("octets", ["0.0.0.0", "127.0.0.1", "9.10.99.100", "199.200.249.255"])
@pytest.mark.parametrize("port", ["", ":1", ":80", ":9999", ":10000", ":59999", ":65535"])
def test_addresses_and_ports_are_taken_up_to_the_last_one(octets, port):
    for host in (octets, "h", "a.b-c.d1"):
        url = f"http://{host}{port}/x"
        assert checked(url) == url
        assert (parts(url).host, parts(url).port) == (host, int(port[1:] or 80))
        assert origin(url) == f"http://{host}:{port[1:] or 80}"


@pytest.mark.parametrize("place", ["1.2.3.256", "300.1.1.1", "1.2.3.4.5", "h:0", "h:65536", "h:70000", "h:100000"])
def test_beyond_the_last_address_and_port_nothing_is_taken(place):
    for path in ("", "/", "/x?y"):
        with pytest.raises(ValueError, match=r"^expected "):
            checked(f"http://{place}{path}")


@given(st.sampled_from(["http://", "https://", "HTTP://", ""]), st.text(":/?#@[].a1%é", max_size=9))
def test_a_task_goes_where_its_url_without_path_and_query_goes(scheme, rest):
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    assert origin(f"{scheme}{rest}") == origin(f"{scheme}{place}")


@given(st.text(max_size=40))
@example("a:b@://c")
@example("http://[]@/")
def test_whatever_is_taken_can_be_called_and_whatever_is_not_says_why(url):
    try:
        taken, refusal = checked(url), None
    except ValueError as error:
        taken, refusal = None, str(error)

    if taken is None:
        assert refusal.startswith("expected ")
    else:
        assert taken == with_scheme(url)
        assert parts(taken).target.isascii()
    assert origin(with_scheme(url))
    assert isinstance(masked_url(url), str)


# What each side gets of a host

HOSTS = [
    # host, destination, name within the client, whether absolute, Host
    ("example.org", "example.org", "example.org", False, "example.org"),
    ("Example.ORG", "example.org", "example.org", False, "Example.ORG"),
    ("example.org.", "example.org", "example.org", True, "example.org."),
    ("a_b.example", "a_b.example", "a_b.example", False, "a_b.example"),
    ("-a.example", "-a.example", "-a.example", False, "-a.example"),
    ("bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example", False, "xn--bcher-kva.example"),
    ("BÜCHER.example.", "xn--bcher-kva.example", "xn--bcher-kva.example", True, "xn--bcher-kva.example."),
    ("xn--BCHER-kva.example", "xn--bcher-kva.example", "xn--bcher-kva.example", False, "xn--BCHER-kva.example"),
    ("faß.example", "xn--fa-hia.example", "xn--fa-hia.example", False, "xn--fa-hia.example"),
    ("例え。テスト", "xn--r8jz45g.xn--zckzah", "xn--r8jz45g.xn--zckzah", False, "xn--r8jz45g.xn--zckzah"),
    ("💩.example", "xn--ls8h.example", "xn--ls8h.example", False, "xn--ls8h.example"),
    ("127.0.0.1", "127.0.0.1", "127.0.0.1", False, "127.0.0.1"),
    ("127.0.0.1.", "127.0.0.1", "127.0.0.1", False, "127.0.0.1."),
    ("127.1", "127.0.0.1", "127.0.0.1", False, "127.1"),
    ("0X7f000001", "127.0.0.1", "127.0.0.1", False, "0X7f000001"),
    ("１２７.0.0.1", "127.0.0.1", "127.0.0.1", False, "127.0.0.1"),  # noqa: RUF001 - it is the point
    ("[::1]", "[::1]", "::1", False, "[::1]"),
    ("[0:0::1]", "[::1]", "::1", False, "[0:0::1]"),
    ("[FD00::A]", "[fd00::a]", "fd00::a", False, "[FD00::A]"),
    ("[::ffff:7f00:1]", "[::ffff:127.0.0.1]", "::ffff:127.0.0.1", False, "[::ffff:7f00:1]"),
    ("[fe80::1%25eth0]", "[fe80::1%eth0]", "fe80::1%eth0", False, "[fe80::1]"),
    ("[fe80::1%eth0]", "[fe80::1%eth0]", "fe80::1%eth0", False, "[fe80::1]"),
]


@pytest.mark.parametrize(("host", "destination", "name", "is_absolute", "header"), HOSTS)
@pytest.mark.parametrize(
    ("scheme", "port", "number"),
    [("http", "", 80), ("http", ":80", 80), ("https", ":443", 443), ("https", ":0080", 80)],
)
def test_what_each_side_gets_of_a_host(host, destination, name, is_absolute, header, scheme, port, number):
    url = f"{scheme}://{host}{port}/x"

    said, target = parts(checked(url)), _target(url)

    assert origin(url) == f"{scheme}://{destination}:{number}"
    assert (said.host, said.port, said.is_absolute) == (name, number, is_absolute)
    assert said.host_header == (f"{header}:80" if port == ":0080" else header)
    assert target.origin == Origin(name, number, scheme == "https")
    assert target.is_absolute == is_absolute
    assert f"\r\nhost: {said.host_header}\r\n".encode() in target.head


def test_a_name_with_and_without_a_final_dot_is_one_place_for_the_pool():
    with_dot, without = _target("http://example.org./").origin, _target("http://EXAMPLE.org/").origin

    assert (with_dot, hash(with_dot)) == (without, hash(without))


def test_an_empty_port_of_a_url_that_was_taken_before_is_that_of_its_scheme():
    assert parts("https://example.org:/x").port == 443


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://{{url}}/x", "http://{{url}}"),
        ("http://me:p4ss@a..b:80?x", "http://a..b:80"),
        ("nothing", "http://nothing"),
        ("ftp://me:p4ss@h/", "ftp://h"),
        ("", "http://"),
    ],
)
def test_the_destination_of_a_url_that_would_not_be_taken_today_is_what_stands_for_the_host(url, name):
    assert origin(url) == name


# What goes out


@pytest.mark.parametrize(
    ("rest", "target"),
    [
        ("", "/"),
        ("/", "/"),
        ("?a=b", "/?a=b"),
        ("#part", "/"),
        ("/x#part?no", "/x"),
        ("/x?a#part", "/x?a"),
        ("/a/../b/./c//d", "/a/../b/./c//d"),
        ("/%7Ea/%2e%2e/%2F%2f%zz?%61=%27&b=+", "/%7Ea/%2e%2e/%2F%2f%zz?%61=%27&b=+"),
        ("/a'(b)*!;c,d=$@:[e]{f}|^`\"<>", "/a'(b)*!;c,d=$@:[e]{f}|^`\"<>"),
        ("?sig=a%2Bb%3D&x=[1]&&=&", "/?sig=a%2Bb%3D&x=[1]&&=&"),
        ("/ü/../d?x=%27", "/%C3%BC/../d?x=%27"),
        ("/%7ea?x=%27&ö=%2f/..", "/%7ea?x=%27&%C3%B6=%2f/.."),
        ("/e\u0301", "/e%CC%81"),
        ("/💩", "/%F0%9F%92%A9"),
        ("/a b\r\nx: y\0", "/a%20b%0D%0Ax:%20y%00"),
    ],
)
def test_path_and_query_go_out_as_they_were_written_but_for_what_is_not_ascii(rest, target):
    assert parts(f"http://h{rest}").target == target
    assert _target(f"http://h{rest}").head.startswith(f" {target} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    ("userinfo", "credentials"),
    [
        ("me:p4ss@", b"me:p4ss"),
        ("me@", b"me:"),
        (":p4ss@", b":p4ss"),
        ("m%40e:p%3A%ffs@", b"m@e:p:\xffs"),
        ("me:a:b@", b"me:a:b"),
        ("me:a@b@", b"me:a@b"),
        ("mé:ü@", "mé:ü".encode()),
        ("@", None),
        (":@", None),
        ("", None),
    ],
)
def test_user_and_password_are_those_before_the_last_at_sign_of_the_authority(userinfo, credentials):
    assert parts(f"http://{userinfo}h/x@y:z").credentials == credentials
    assert parts(f"http://{userinfo}h/x@y:z").host == "h"


# Passwords


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:p4ss@h/x", "http://me:***@h/x"),
        ("https://me:p4ss@[::1]:80/?a=b:c@d#e", "https://me:***@[::1]:80/?a=b:c@d#e"),
        ("http://:p4ss@h/", "http://:***@h/"),
        ("http://me:p4:ss@x@h/", "http://me:***@h/"),
        ("http://m@e:p4ss@h/", "http://m@e:***@h/"),
        ("http://m%3Ae:p4%40ss@h?x", "http://m%3Ae:***@h?x"),
        ("HTTP://Me:P4ss@H", "HTTP://Me:***@H"),
        ("me:p4ss@h/", "me:***@h/"),
        ("http://me:p4ss@{{host}}/ü b", "http://me:***@{{host}}/ü b"),
        ("http://me:p4ss\n@h/", "http://me:***@h/"),
        ("http://me:@h/", "http://me:***@h/"),
        *(
            (url, url)
            for url in (
                "http://h/",
                "http://me@h/",
                "http://h:80/a:b@c",
                "http://h?a:b@c",
                "http://[::1]/x:y@z",
                "h:80",
                "",
            )
        ),
    ],
)
def test_a_masked_url_is_the_url_with_three_stars_for_the_password(url, shown):
    assert masked_url(url) == shown
    assert masked_url(shown) == shown
