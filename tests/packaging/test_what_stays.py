"""What a released version promised to stay is still there: see the changelog."""

import importlib.util
import json

import pytest

from distributions import ROOT
from tasker import __version__

MAJOR = __version__.partition(".")[0]
SAMPLES = sorted((ROOT / "tests" / "samples").glob(f"{MAJOR}.*"))


@pytest.fixture(scope="module")
def today():
    spec = importlib.util.spec_from_file_location("promises", ROOT / "tools" / "promises.py")
    promises = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(promises)
    return promises.promises()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_nothing_is_gone_that_a_version_has_promised(sample, today):
    promised = json.loads((sample / "promised.json").read_text())
    gone = {kind: sorted(set(lines) - set(today[kind])) for kind, lines in promised.items()}
    assert not any(gone.values()), (
        f"{gone}: if {sample.name} is not released yet, write its sample anew, with make sample; "
        "if it is, put them back: they may go with the next major version alone"
    )
