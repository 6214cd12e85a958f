"""The pages of the documentation, and what is in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OUTSIDE = ("README", "CONTRIBUTING", "CHANGELOG", "SECURITY", "THIRD-PARTY")
PAGES = [*(ROOT / f"{name}.md" for name in OUTSIDE), *sorted(DOCS.rglob("*.md"))]

_FENCED = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(page):
    """Return the fenced blocks of a page, each as its language and its text."""
    return [
        (language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE))
        for indent, language, text in _FENCED.findall(page.read_text())
    ]


def prose(page):
    """Return a page without its fenced blocks."""
    return _FENCED.sub("", page.read_text())


def table(page, heading):
    """Return the rows of the first table below a heading, each as a list of its cells."""
    _, _, below = f"\n{page.read_text()}".partition(f"\n{heading}\n")
    assert below, f"{name_of(page)} has no heading {heading!r}"
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def code(cell):
    """Return what a cell of a table has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
