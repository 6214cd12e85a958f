"""The synchronous client is the asynchronous one: it is made of it, and is up to date."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MAKER = ROOT / "tools" / "synchronous_client.py"


def maker():
    spec = importlib.util.spec_from_file_location("synchronous_client", MAKER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_synchronous_client_is_what_make_client_writes():
    generated = maker().generated()
    for path, text in generated.items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is out of date: run make client"
    written = set((ROOT / "src/tasker/client/synchronous").glob("*.py"))
    assert written == set(generated)
