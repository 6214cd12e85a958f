"""Time zones: local times and the moments at which the clocks show them."""

import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime, timedelta
from importlib import resources

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from tasker.model import instants, walls, zones
from tasker.model.walls import TimeNote

names = sorted(zones.names())


def at(local_time, zone):
    moment, note = walls.moment_of(local_time, zones.zone_named(zone))
    return instants.text(moment)[:19] + "Z", note.value


@pytest.mark.parametrize(
    ("local_time", "zone", "moment", "note"),
    [
        ("2027-03-28T01:59:59", "Europe/Berlin", "2027-03-28T00:59:59Z", "normal"),
        ("2027-03-28T02:00:00", "Europe/Berlin", "2027-03-28T01:00:00Z", "moved_by_gap"),
        ("2027-03-28T02:59:59", "Europe/Berlin", "2027-03-28T01:00:00Z", "moved_by_gap"),
        ("2027-03-28T03:00:00", "Europe/Berlin", "2027-03-28T01:00:00Z", "normal"),
        ("2027-10-31T01:59:59", "Europe/Berlin", "2027-10-30T23:59:59Z", "normal"),
        ("2027-10-31T02:30:00", "Europe/Berlin", "2027-10-31T00:30:00Z", "first_of_two"),
        ("2027-10-31T03:00:00", "Europe/Berlin", "2027-10-31T02:00:00Z", "normal"),
        ("2027-04-30T00:30:00", "Africa/Cairo", "2027-04-29T22:00:00Z", "moved_by_gap"),
        ("2027-10-03T02:15:00", "Australia/Lord_Howe", "2027-10-02T15:30:00Z", "moved_by_gap"),
        ("2027-04-04T01:45:00", "Australia/Lord_Howe", "2027-04-03T14:45:00Z", "first_of_two"),
        ("2011-12-30T09:00:00", "Pacific/Apia", "2011-12-30T10:00:00Z", "moved_by_gap"),
        ("2027-06-01T12:00:00", "UTC", "2027-06-01T12:00:00Z", "normal"),
    ],
)
def test_a_local_time_is_a_moment_with_what_is_special_about_it(local_time, zone, moment, note):
    assert at(local_time, zone) == (moment, note)


@given(
    st.sampled_from(names), st.integers(instants.parse("1900-01-01T00:00:00Z"), instants.parse("2100-01-01T00:00:00Z"))
)
def test_what_the_clocks_show_at_a_moment_is_that_moment_or_its_twin(name, instant):
    zone, moment = zones.zone_named(name), datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
    wall = walls.wall_at(instant, zone)
    assert walls.text(wall) == moment.astimezone(zoneinfo.ZoneInfo(name)).replace(tzinfo=None).isoformat()
    place = walls.place(wall, zone)
    assert instant in (place.first, place.second)
    assert place.note is (TimeNote.NORMAL if place.second is None else TimeNote.FIRST_OF_TWO)
    assert walls.moment_of(walls.text(wall), zone) == (place.first, place.note)
    assert instants.parse(walls.text_with_offset(instant, zone)) == instant


def test_a_fraction_is_rounded_up_to_a_microsecond():
    assert walls.parse("1970-01-01T00:00:00.0000001") == 1
    assert walls.text(1) == "1970-01-01T00:00:00.000001"


@pytest.mark.parametrize(
    ("local_time", "right"),
    [
        ("2027-03-28T02:30:00Z", "no offset: time_zone says what it is"),
        ("2027-03-28T02:30:00+01:00", "no offset"),
        ("2027-03-28T02:30+01", "no offset"),
        ("2027-03-28", "a time of day"),
        ("2027-03-28 02:30:00", "a T between"),
        ("2027-03-28T02:30", "seconds"),
        ("2027-03-28T24:00:00", "hours up to 23"),
        ("2027-02-29T00:00:00", "a day of the calendar"),
        ("9999-12-31T23:59:60", "up to the year 9999"),
        ("tomorrow", "a date and a time of day"),
        ("٢027-03-28T02:30:00", "a date and a time of day"),
        ("", "a date and a time of day"),
    ],
)
def test_what_is_no_local_time_is_refused_with_what_would_be_right(local_time, right):
    with pytest.raises(ValueError, match=f"expected .*{right}.*, got: "):
        walls.parse(local_time)


def test_a_local_time_beyond_the_year_9999_in_utc_is_refused():
    zone = zones.zone_named("America/New_York")
    assert walls.moment_of("9999-12-31T18:59:59", zone)[0] < instants.LAST
    with pytest.raises(ValueError, match="year 9999 in UTC"):
        walls.moment_of("9999-12-31T19:00:00", zone)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("europe/berlin", "as it is spelled, Europe/Berlin"),
        ("Berlin", "as it is spelled, Europe/Berlin"),
        ("America/New York", "as it is spelled, America/New_York"),
        ("+01:00", "no offset"),
        ("UTC+1", "no offset"),
        ("Mars/Base", "the name of a time zone"),
        ("../../../etc/localtime", "the name of a time zone"),
        ("Europe", "the name of a time zone"),
        ("a\0b", "the name of a time zone"),
        ("", "the name of a time zone"),
    ],
)
def test_what_is_no_zone_is_refused_with_what_would_be_right(name, right):
    with pytest.raises(ValueError, match=f"expected .*{right}.*, got: "):
        zones.zone_named(name)


def test_every_zone_is_there():
    assert len(names) > 590
    for name in names:
        assert zones.zone_named(name).key == name


def test_zones_come_from_the_package_whatever_the_machine_has(tmp_path):
    """A machine on which Berlin is as far as Tokyo changes nothing."""
    tokyo = resources.files(tzdata).joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Berlin").write_bytes(tokyo)
    program = (
        "import zoneinfo; early = zoneinfo.ZoneInfo('Europe/Berlin')\n"
        "from tasker.model import zones\n"
        "from datetime import datetime\n"
        "for zone in (early, zones.zone_named('Europe/Berlin')): print(zone.utcoffset(datetime(2027, 1, 1)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout.split() == ["9:00:00", "1:00:00"]


def test_the_version_is_that_of_the_zones_and_sorts():
    assert len(zones.VERSION) == 5
    assert "2026f" <= zones.VERSION < "2100a"
