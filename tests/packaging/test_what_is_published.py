"""What PyPI shows of the distributions, and what is said of the work of others in them."""

import re
import tomllib
from zipfile import ZipFile

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from readme_renderer import markdown

from distributions import ROOT, SIDES, distributions
from tasker import __version__

THIRD_PARTY = (ROOT / "THIRD-PARTY.md").read_text()
NO_FILES_OF_OTHERS = {"SHA256SUMS"}


def below(text, heading):
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]


def test_every_file_of_others_is_named_with_its_licence():
    vendored = [path for path in (ROOT / "src").glob("**/vendor/*") if path.name not in NO_FILES_OF_OTHERS]
    named = re.findall(r"^\| `([^`]+)`", below(THIRD_PARTY, "What is contained"), re.MULTILINE)
    texts = re.findall(r"\(src/tasker/dashboard/static/vendor/(\S+\.LICENSE)\)", THIRD_PARTY)
    assert sorted([*named, *texts]) == sorted(path.name for path in vendored)


def test_no_file_of_others_is_anywhere_else():
    """Files that say that they are somebody's, in the package and in what is beside it."""
    said = re.compile(r"copyright \(c\)|@license|licensed under the|^/\*!", re.IGNORECASE | re.MULTILINE)
    kinds = {".py", ".js", ".css", ".html", ".svg", ".sql"}
    files = [path for path in (ROOT / "src").rglob("*") if path.suffix in kinds and path.parent.name != "vendor"]
    assert len(files) > 100
    assert [path for path in files if said.search(path.read_text())] == []
    fonts = {".woff", ".woff2", ".ttf", ".otf", ".eot"}
    assert [path for path in (ROOT / "src").rglob("*") if path.suffix in fonts] == []


def test_every_package_that_is_installed_with_it_is_named():
    named = re.findall(r"^\| `([^`]+)` \| (.+?) \|", below(THIRD_PARTY, "What is installed with it"), re.MULTILINE)
    assert dict(named) == installed_with()
    assert len(named) == len(dict(named))


def installed_with():
    """Each package that the distributions ask for, and what for."""
    found = {}
    for side in SIDES:
        told = tomllib.loads((ROOT / "packages" / side / "pyproject.toml").read_text())
        hooks = told["tool"].get("hatch", {}).get("metadata", {}).get("hooks", {}).get("custom", {})
        for asked in [*told["project"].get("dependencies", []), *hooks.get("dependencies", [])]:
            found[Requirement(asked).name] = f"the {side}"
        for extra, more in told["project"].get("optional-dependencies", {}).items():
            found |= {Requirement(asked).name: f"the extra `{extra}`" for asked in more}
    return found


@pytest.fixture(scope="module", params=SIDES)
def metadata(request, tmp_path_factory):
    wheel = getattr(distributions(tmp_path_factory), request.param)
    return metadata_of(wheel)


def metadata_of(wheel):
    """The metadata of a wheel, checked as PyPI checks them.

    Raises:
        ExceptionGroup: they are not valid.
    """
    with ZipFile(wheel) as file:
        (name,) = [name for name in file.namelist() if name.endswith(".dist-info/METADATA")]
        return Metadata.from_email(file.read(name), validate=True)


def test_the_metadata_are_valid_and_have_the_version(metadata):
    assert str(metadata.version) == __version__
    assert metadata.description_content_type == "text/markdown"


def test_the_readme_is_shown_and_its_links_lead_somewhere_from_there(metadata):
    shown = markdown.render(metadata.description)
    assert shown is not None
    assert "<h1>" in shown or "<h1 " in shown
    links = re.findall(r'(?:href|src)="([^"]+)"', shown)
    assert [link for link in links if not link.startswith(("https://", "#"))] == []


def test_the_readme_of_the_server_promises_what_the_repository_does():
    promises = re.compile(r"^- \*\*(.*?)(?=^- |^$)", re.MULTILINE | re.DOTALL)
    ours, published = (
        promises.findall((ROOT / place).read_text()) for place in ("README.md", "packages/server/README.md")
    )
    assert len(published) == 6
    assert ours[:6] == published
