"""``tasker context``: servers with names, and where their keys go."""

import json
import stat

import pytest
from in_process import on_a_terminal

from tasker.testing.server import TaskerServer

KEY = "reader-0123456789"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    (folder / "keys").write_text(f"{KEY} read\n")
    with TaskerServer(folder, "--api-keys-file", str(folder / "keys")) as running:
        yield running


@pytest.fixture
def tasker(typist):
    return typist()


def kept(tasker):
    return tasker.folder / "config" / "tasker" / "contexts.json"


def test_a_context_names_a_server_and_its_key_which_nothing_shows(tasker, guarded):
    added = tasker.done("context", "add", "prod", guarded.url, "--key-stdin", stdin=f"{KEY}\n".encode())
    assert added.json == {"name": "prod", "url": guarded.url, "key_from": "file", "current": True}
    assert tasker.done("ls").out == ""  # the first is the current one
    assert tasker.done("ls", "--context", "prod").out == ""
    shown = tasker.done("context", "ls", "--output", "table")
    assert "* prod" in shown.out
    assert KEY not in shown.out + added.out + added.err
    assert stat.S_IMODE(kept(tasker).stat().st_mode) == 0o600
    assert stat.S_IMODE(kept(tasker).parent.stat().st_mode) == 0o700


def test_the_order_of_what_names_a_server(tasker, guarded):
    tasker.done("context", "add", "prod", guarded.url, "--key-stdin", stdin=KEY.encode())
    tasker.done("context", "add", "gone", "http://127.0.0.1:1")
    assert tasker("ls").code == 0
    assert tasker("ls", TASKER_CONTEXT="gone").code == 6
    assert tasker("ls", "--context", "prod", TASKER_CONTEXT="gone", TASKER_URL="http://127.0.0.1:1").code == 0
    assert tasker("ls", TASKER_URL="http://127.0.0.1:1", TASKER_CONTEXT="prod").code == 6
    assert tasker("ls", "--url", "http://127.0.0.1:1").code == 6
    assert "got both" in tasker.refused(2, "ls", "--url", guarded.url, "--context", "prod")
    tasker.done("context", "use", "gone")
    assert "(the URL is from the context gone)" in tasker.refused(6, "ls")
    assert "--context" not in tasker.refused(3, "ls", "--context", "nope")
    assert "there is no context ''" in tasker.refused(3, "ls", "--context", "", TASKER_CONTEXT="prod")


def test_the_key_of_a_context_goes_to_no_other_server(tasker, guarded):
    tasker.done("context", "add", "prod", "http://127.0.0.1:1", "--key-stdin", stdin=KEY.encode())
    assert tasker("ls", "--url", guarded.url).code == 5
    assert tasker("ls", TASKER_URL=guarded.url).code == 5
    tasker.done("context", "add", "bare", guarded.url)
    assert "the context bare takes a key: tasker context add" in tasker.refused(5, "ls", "--context", "bare")
    assert tasker("ls", "--context", "bare", TASKER_KEY=KEY).code == 0
    tasker.done("context", "add", "prod", guarded.url, "--key-stdin", stdin=KEY.encode())
    assert tasker("ls", "--context", "prod", TASKER_KEY="another-0123456789").code == 0


def test_a_command_gives_the_key_each_time_and_nothing_is_kept(tasker, guarded, tmp_path):
    (tmp_path / "secret").write_text(f"{KEY}\nnot this\n")
    tasker.done("context", "add", "prod", guarded.url, "--key-command", f"cat {tmp_path / 'secret'} | head -n 2")
    assert tasker("ls").code == 0
    assert KEY not in kept(tasker).read_text()
    (tmp_path / "secret").write_text("")
    assert "printed no key" in tasker.refused(1, "ls")
    tasker.done("context", "add", "prod", guarded.url, "--key-command", "exit 3")
    assert "exit code 3" in tasker.refused(1, "ls")


def test_a_terminal_asks_for_the_key_and_does_not_show_it(tasker, guarded):
    done = on_a_terminal(tasker, "context", "add", "prod", guarded.url, answers=[("press Enter)", f"{KEY}\n")])
    assert done.code == 0
    assert KEY not in done.out
    assert tasker("ls").code == 0


def test_a_context_is_forgotten_with_its_key(tasker):
    tasker.done("context", "add", "prod", "http://127.0.0.1:1", "--key-stdin", stdin=KEY.encode())
    tasker.done("context", "rm", "prod")
    assert json.loads(kept(tasker).read_text()) == {"current": None, "contexts": {}}
    assert "there are none yet" in tasker.refused(3, "context", "use", "prod")


def test_keys_that_others_may_read_are_refused(tasker):
    tasker.done("context", "add", "prod", "http://127.0.0.1:1", "--key-stdin", stdin=KEY.encode())
    kept(tasker).chmod(0o644)
    line = tasker.refused(2, "ls")
    assert "chmod 600" in line
    assert KEY not in line


def test_a_file_that_is_none_is_said_to_be_so(tasker):
    tasker.done("context", "add", "prod", "http://127.0.0.1:1")
    kept(tasker).write_text('{"contexts": []}')
    assert "tasker context add" in tasker.refused(2, "ls")


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (["prod", "localhost:8080"], b"", ["URL", "http://127.0.0.1:8080"]),
        (["prod", "http://me:s3cret@localhost"], b"", ["URL", "without a user"]),
        (["prod", "http://localhost", "--key-stdin"], b"", ["--key-stdin", "in the first line"]),
        (["prod", "http://localhost", "--key-stdin"], b"s3cret key", ["KEY", "without spaces"]),
        (["prod", "http://localhost", "--key-file", "none"], b"", ["--key-file", "none"]),
        (["prod", "http://localhost", "--key-stdin", "--key-command", "x"], b"", ["--key-command", "got several"]),
        (["a name", "http://localhost"], b"", ["NAME", "without spaces"]),
    ],
    ids=str,
)
def test_what_cannot_be_a_context_is_refused_and_no_secret_is_shown(tasker, arguments, stdin, words):
    line = tasker.refused(2, "context", "add", *arguments, stdin=stdin)
    assert [word for word in words if word not in line] == [], line
    assert "s3cret" not in line
    assert not kept(tasker).exists()
