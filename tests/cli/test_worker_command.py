"""``tasker worker``: what it refuses, and how it ends."""

import pytest
from command import refusal, run


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text("import tasker\napp = tasker.App()\n@app.task('a')\ndef a() -> None: pass\n")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "status", "expected"),
    [
        ([], 2, "Missing option '--app'"),
        (["--app", "shop"], 2, "--app: expected MODULE:NAME, such as shop.tasks:app, got: 'shop'"),
        (["--app", "shop:nothing"], 1, "expected a tasker.App in shop, got: nothing of that name"),
        (["--app", "shop:app", "--slots", "0"], 2, "0 is not in the range 1<=x<=1000"),
        (["--app", "shop:app", "--slots", "2", "--processes", "2"], 2, "--slots and --processes exclude each other"),
        (["--app", "shop:app", "--lease", "2s"], 2, "--lease: expected 3s to 1d, got: 2s"),
        (["--app", "shop:app", "--lease", "long"], 2, "--lease: expected seconds as a number"),
        (["--app", "shop:app", "--grace-period", "2d"], 2, "--grace-period: expected 0s to 1h, got: 2d"),
        (["--app", "shop:app", "--only", "b"], 1, "the app has no function 'b'; it has a"),
        (["--app", "shop:app", "--url", "ftp://localhost"], 2, "expected"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(folder, options, status, expected):
    assert expected in refusal(run(folder, "worker", *options), status)


def test_a_worker_ends_well_when_whoever_started_it_is_gone(folder):
    done = run(folder, "worker", "--app", "shop:app", "--url", "http://127.0.0.1:9", "--stop-on-eof")
    assert done.returncode == 0
    assert '"event": "working"' in done.stderr
    assert '"event": "stopped"' in done.stderr
