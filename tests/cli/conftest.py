"""Fixtures of the tests of the command line."""

import os
import signal
from functools import partial

import pytest
from command import environment
from in_process import Typist

from tasker import cli
from tasker.cli import process
from tasker.cli.server import serve


@pytest.fixture
def settings_from(tmp_path, monkeypatch):
    """The settings with which the command, run in this process, would serve."""
    monkeypatch.chdir(tmp_path)
    found = []
    monkeypatch.setattr(serve, "serve", lambda settings, doubts: found.append(settings))
    handlers = {
        number: signal.getsignal(number) for number in process.STOPPING
    }  # the command sets them for its process

    def settings(*arguments, variables=None, toml=None):
        if toml is not None:
            (tmp_path / "tasker.toml").write_text(toml)
        monkeypatch.setattr(os, "environ", environment(variables))
        monkeypatch.setattr("sys.argv", ["tasker", *arguments])
        try:
            cli.main()
        except SystemExit as end:
            if end.code:
                raise
        return found.pop()

    yield settings
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def typist(tmp_path, monkeypatch, capsys):
    """Makes a ``Typist`` for a server, or for none. What commands make of Ctrl-C is undone afterwards."""
    handler = signal.getsignal(signal.SIGINT)
    yield partial(Typist, tmp_path, monkeypatch, capsys)
    signal.signal(signal.SIGINT, handler)
