"""What is counted of calls: by phase, and by destination and result."""

from tasker.egress.call_meter import DESTINATIONS_NAMED, PHASES, RESULTS, CallMeter
from tasker.egress.connector import Durations, Origin
from tasker.model.histogram import TOGETHER


def count(meter, host="a.example", port=443, status=200, **how):
    origin = None if host is None else Origin(host, port, port == 443)
    meter.ended(origin, Durations(**how), first_byte=0.002, total=0.01, status=status)


def phases(meter):
    return {phase: (each.count, each.sum) for phase, each in meter.phases.items()}


def test_a_call_on_an_open_connection_has_two_phases():
    meter = CallMeter()
    count(meter)
    assert tuple(meter.phases) == PHASES
    assert phases(meter) == {
        "lookup": (0, 0),
        "connect": (0, 0),
        "tls": (0, 0),
        "first_byte": (1, 2_000),
        "total": (1, 10_000),
    }


def test_calls_that_were_counted_together_are_not_counted_again():
    meter = CallMeter()
    for calls in (TOGETHER - 1, 1, 1, TOGETHER):
        before = meter.phases["total"].count
        for _ in range(calls):
            count(meter)
        assert meter.phases["total"].count == before + calls
    assert phases(meter)["first_byte"] == (2 * TOGETHER + 1, 2_000 * (2 * TOGETHER + 1))
    assert meter.by_destination() == {"a.example:443": [0, 0, 2 * TOGETHER + 1, 0, 0, 0]}


def test_what_tls_takes_is_no_part_of_connecting():
    meter = CallMeter()
    count(meter, dns=0.001, connect=0.005, tls=0.003)
    found = phases(meter)
    assert (found["lookup"], found["tls"]) == ((1, 1_000), (1, 3_000))
    assert found["connect"][0] == 1
    assert abs(found["connect"][1] - 2_000) <= 1


def test_a_call_that_came_to_no_answer_has_no_first_byte():
    meter = CallMeter()
    meter.ended(Origin("a", 80, False), Durations(dns=0.5), first_byte=None, total=0.5, status=None)
    assert {phase for phase, (calls, _) in phases(meter).items() if calls} == {"lookup", "total"}
    assert meter.by_destination() == {"a:80": [1, 0, 0, 0, 0, 0]}


def test_destinations_are_called_by_host_and_port_and_counted_by_result():
    meter = CallMeter()
    for status in (200, 204, 301, 404, 500, 599, 999, 150, None):
        count(meter, status=status)
    meter.ended(Origin("a.example", 443, is_secure=False), Durations(), first_byte=None, total=1, status=None)
    count(meter, host="::1", port=80)
    count(meter, host=None)
    assert meter.by_destination() == {"a.example:443": [2, 1, 2, 1, 1, 3], "[::1]:80": [0, 0, 1, 0, 0, 0]}
    assert len(RESULTS) == 6


def test_the_first_destinations_keep_their_names_and_the_others_share_one():
    meter = CallMeter()
    for number in range(DESTINATIONS_NAMED + 10):
        count(meter, host=f"host{number}")
    for _ in range(100):
        count(meter, host=f"host{DESTINATIONS_NAMED}")
        count(meter, host="host0")
    found = meter.by_destination()
    assert len(found) == DESTINATIONS_NAMED + 1
    assert list(found)[-1] == "other"
    assert sum(found["other"]) == 110
    assert sum(found["host0:443"]) == 101
