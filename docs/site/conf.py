"""How Sphinx makes a site of the Markdown in this repository: ``make docs-site``.

The pages stay as they are: what a site needs beyond them is made here. The source folder is the
repository, so that links to the changelog, and to files such as ``deploy/prometheus/alerts.yml``,
lead to them here as they do there.
"""

import posixpath
import re
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]

project = "tasker"
project_copyright = "the tasker maintainers"
version = release = re.search(r'^__version__ = "(.+)"$', (ROOT / "src/tasker/__init__.py").read_text(), re.MULTILINE)[1]

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["docs/**", "examples/**"]
include_patterns += [f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY", "THIRD-PARTY")]
exclude_patterns = ["**/.venv", "packages", "site", "src", "tests"]

myst_heading_anchors = 4
"""Headings down to this level have the anchors that links in the repository use."""

suppress_warnings = ["misc.highlighting_failure", "myst.header"]
"""Examples leave things out with ``...``; and a page that is included nowhere may begin as it likes."""

html_theme = "furo"
html_title = f"tasker {version}"
html_extra_path = ["start"]
html_show_sourcelink = False
html_show_search_summary = False  # it would have to read pages by script, which browsers refuse for files
html_copy_source = False


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the table of contents to the first page, unseen there: its own lists of links, and what docs/ has not."""
    if page == root_doc:
        parts = parts_of(source[0])
        listed = {target for targets in parts.values() for target in targets}
        outside = {f"/{name}" for name in app.env.found_docs if not name.startswith("docs/")}
        parts["In the repository"] = sorted(outside - listed)
        for caption, targets in parts.items():
            source[0] += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", *targets, "```", ""])


def parts_of(text: str) -> dict[str, list[str]]:
    r"""Return the pages that *text* links, by the heading or the line above their list; each where it comes first.

    >>> parts_of("Start here:\n\n- [Install](install.md): with pip, or [later](later.md#how).")
    {'Start here': ['/docs/install', '/docs/later']}
    """
    parts: dict[str, list[str]] = {}
    seen: set[str] = set()
    caption = ""
    for line in text.splitlines():
        begins = re.fullmatch(r"## (.+)|([A-Z][^:.\[]+):", line)
        if begins:
            caption = begins[1] or begins[2]
        for link in re.findall(r"\]\(([\w./-]+)\.md[#)]", line):
            target = posixpath.normpath(f"/docs/{link}")
            if caption and target not in seen:
                seen.add(target)
                parts.setdefault(caption, []).append(target)
    return parts


def setup(app: Sphinx) -> None:
    """Connect the above."""
    app.connect("source-read", add_navigation)
    app.add_lexer("mermaid", TextLexer)
