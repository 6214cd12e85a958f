"""Stores describe themselves: each folder says which URLs are its own."""

from pathlib import Path

import pytest

from tasker import stores
from tasker.stores import kind


def test_every_folder_is_a_kind_of_store_and_no_two_share_a_scheme():
    folders = {path.parent.name for path in Path(stores.__file__).parent.glob("*/__init__.py")}
    assert {type(each).__module__.split(".")[-2] for each in kind.kinds()} == folders
    schemes = [scheme for each in kind.kinds() for scheme in each.schemes]
    assert len(set(schemes)) == len(schemes)
    assert kind.expected() == "sqlite:PATH, sqlite://PATH, sqlite::memory: or postgresql://HOST:PORT/DATABASE"


@pytest.mark.parametrize("url", ["", "tasks.db", "mysql://h/d", "sqlite", "sqlite:", "postgres:", "postgresql:db"])
def test_a_url_of_no_kind_or_that_its_kind_cannot_use_is_refused_without_being_shown(url):
    with pytest.raises(ValueError, match="not the URL"):
        kind.check_url(url)


@pytest.mark.parametrize(
    "url", ["SQLITE:tasks.db", "sqlite:///a/b", "sqlite::memory:", "postgres://h", "PostgreSQL:///d"]
)
def test_a_url_that_can_be_used_belongs_to_one_kind(url):
    kind.check_url(url)
