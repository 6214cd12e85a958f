"""What the styles, scripts and templates promise, read from the files: no browser is needed."""

import hashlib
import itertools
import re
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).parents[2] / "src" / "tasker" / "dashboard"
STATIC = DASHBOARD / "static"
CSS = (STATIC / "tasker.css").read_text()
TEMPLATES = sorted((DASHBOARD / "templates").glob("*.html"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))

MOST_LINES = 800
"""Of JavaScript of our own."""

GROUNDS = ("ground", "surface", "raised")
TEXTS = ("text", "muted", "accent", "good", "warn", "bad")
"""Colours that text and marks have on any ground."""

OTHER_PAIRS = (
    ("on-accent", "accent"),
    *((text, f"{word}-ground") for word in ("good", "warn", "bad") for text in ("text", word, "accent", "muted")),
)

THEMES = ("light", "dark")


def tokens():
    """The colours of both themes, by name."""
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", CSS)
    return {name: dict(zip(THEMES, colours, strict=True)) for name, *colours in found}


def luminance(colour):
    """Source: WCAG 2.2, relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_the_standard_does():
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), [*itertools.product(TEXTS, GROUNDS), *OTHER_PAIRS])
def test_text_can_be_read(text, ground, theme):
    assert contrast(tokens()[text][theme], tokens()[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("edge", "ground"),
    [*itertools.product(("edge", "accent"), GROUNDS), *((name, "surface") for name in tokens() if "part-" in name)],
)
def test_what_can_be_used_has_an_edge_that_can_be_seen(edge, ground, theme):
    assert contrast(tokens()[edge][theme], tokens()[ground][theme]) >= 3


def test_examples_in_fields_can_be_read_like_other_text():
    assert "::placeholder { color: var(--muted); opacity: 1; }" in CSS, "axe does not look at them"


def test_colours_are_said_once():
    """Whatever has a colour takes it from the tokens, which have one for each theme."""
    rules = CSS.partition("\n/* Ground */")[2]
    assert rules
    shades = r"rgb\(0 0 0 / [\d.]+\)"  # what darkens what is behind, in both themes
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s,)])|rgba?\(|hsla?\(", re.sub(shades, "", rules)) == []
    used = set(re.findall(r"var\(--([\w-]+)\)", CSS))
    assert used <= set(re.findall(r"--([\w-]+):", CSS))


def test_libraries_of_others_are_as_they_were_published():
    sums = dict(reversed(line.split()) for line in (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines())
    files = {path.name for path in (STATIC / "vendor").iterdir() if path.suffix in {".js", ".css"}}
    assert set(sums) == files
    for name, digest in sums.items():
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest, name


def test_there_is_little_javascript_of_our_own():
    lines = {path.name: len(path.read_text().splitlines()) for path in SCRIPTS}
    assert sum(lines.values()) <= MOST_LINES, lines


def test_each_script_is_begun():
    imported = {name for path in SCRIPTS for name in re.findall(r'^import .*"\./([\w-]+\.js)"', path.read_text(), re.M)}
    assert imported == {path.name for path in SCRIPTS} - {"main.js"}


def test_scripts_make_no_markup_of_text():
    for path in SCRIPTS:
        assert (
            re.findall(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", path.read_text()
            )
            == []
        ), path.name


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_neither_code_nor_styles_in_it(path):
    text = path.read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"<style|\sstyle=|\shx-on|[\"']js:|\son\w+=|javascript:", text) == []
    assert re.findall(r"\|\s*safe\b|Markup|autoescape", text) == [], "all that is shown is escaped"


def test_the_page_of_components_has_each_of_them():
    macros = re.findall(r"{% macro (\w+)\(", (DASHBOARD / "templates" / "components.html").read_text())
    shown = (DASHBOARD / "templates" / "all_components.html").read_text()
    assert [name for name in macros if f"c.{name}(" not in shown] == []
