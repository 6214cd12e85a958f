"""The page on egress says what the guard does."""

import json
import re

import pytest
from pages import DOCS, blocks, table

from tasker.cli.server import sources
from tasker.egress.address_policy import _TABLE, EgressPolicy, read_entry

PAGE = DOCS / "securing-egress.md"


def test_the_networks_of_the_page_are_those_of_the_table_with_the_levels_that_open_them():
    described = [
        (network, re.findall(r"`(\w+)`", levels)[:1])
        for _, networks, levels in table(PAGE, "## Networks")
        for network in re.findall(r"`([^`]+)`", networks)
    ]
    assert described == [(str(row.network), [row.level] if row.level else []) for row in _TABLE]


def test_every_level_is_described():
    assert [re.findall(r"`(\w+)`", row[0]) for row in table(PAGE, "## Levels")] == [
        ["public"],
        ["lan"],
        ["any"],
        ["auto"],
    ]


def test_what_the_page_writes_for_allow_and_deny_can_be_read():
    written = [text for row in table(PAGE, "## Allow and deny") for text in re.findall(r"`([^`]+)`", row[0])]
    assert [str(read_entry(text)) for text in written] == written


def test_the_refusal_of_the_page_is_one():
    ((_, shown),) = [block for block in blocks(PAGE) if block[0] == "json"]
    assert json.loads(shown)["msg"] == f"the target is {EgressPolicy('public').refusal('10.0.0.1', 443)}"


@pytest.mark.parametrize(
    "command", [text for language, text in blocks(PAGE) if language == "sh" and text.startswith("tasker ")]
)
def test_the_options_of_the_page_are_taken(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    words = command.split()[1:]
    given = dict.fromkeys(words[::2])
    for option in given:
        given[option] = tuple(value for name, value in zip(words[::2], words[1::2], strict=True) if name == option)
    flags = {
        "egress": given["--egress"][0],
        "allow_targets": given.get("--allow-target", ()),
        "deny_targets": given.get("--deny-target", ()),
        "egress_proxy": given.get("--egress-proxy", (None,))[0],
    }
    assert sources.load(flags, {}).egress_level == "public"
