"""The pages lead somewhere, and what is generated in them is up to date."""

import importlib.util
import json
import re
import subprocess

import pytest
from pages import DOCS, PAGES, ROOT, anchors, blocks, name_of, prose

DECISIONS = sorted((DOCS / "decisions").iterdir())


def links(page):
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_two_headings_of_a_page_have_the_same_anchor(page):
    if page.name != "CHANGELOG.md":  # every version has its "Added"
        assert len(set(anchors(page))) == len(anchors(page))


def test_every_page_can_be_reached_from_the_readme():
    reached, left = set(), [ROOT / "README.md"]
    while left:
        page = left.pop()
        if page not in reached and page.is_file():
            reached.add(page)
            left += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if ".md" in link]
    assert set(PAGES) <= reached


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_json_that_is_shown_is_json(page):
    for language, text in blocks(page):
        if language == "json":
            json.loads(text)


def test_the_generated_parts_are_up_to_date(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for path, text in generate.generated().items():
        assert path.read_text() == text, f"{name_of(path)} is out of date: run make docs"


@pytest.mark.parametrize("page", DECISIONS, ids=name_of)
def test_a_decision_says_why_and_what_follows(page):
    number = int(page.name.partition("-")[0])
    headings = re.findall(r"^#+ .+$", page.read_text(), re.MULTILINE)
    assert headings[0].startswith(f"# {number}. ")
    assert headings[1:] == ["## Status", "## Context", "## Decision", "## Consequences"]


def test_decisions_are_numbered_without_gaps():
    assert [page.name[:4] for page in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


def test_every_target_of_the_makefile_is_described():
    targets = subprocess.run(["make", "-pqn"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    (phony,) = re.findall(r"^\.PHONY: (.*)$", targets, re.MULTILINE)
    described = re.findall(r"^\| `make ([\w-]+)` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert sorted(described) == sorted(phony.split())


def test_the_packages_go_by_their_own_names_and_nobody_is_told_to_install_another():
    texts = [path.read_text() for path in [*PAGES, *(ROOT / "src").rglob("*.py")]]
    installed = re.findall(r"(?:pip|pipx|uv tool) (?:install|upgrade)[^`\n]*?'?(\btasker[\w-]*)", "\n".join(texts))
    assert set(installed) == {"tasker-client", "tasker-server"}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in ("install.md", "quickstart.md")], ids=name_of
)
def test_the_command_is_written_in_one_way(page):
    assert "bin/tasker" not in page.read_text()
