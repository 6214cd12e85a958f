"""A project of Django with several backends, and what its tests share.

Django 6 needs Python 3.12. Where the tests run on an older one, ``test_django.py`` beside this folder
runs them on a newer one, against a server that it starts: ``TASKER_TEST_SERVER`` has its URL. In
between, each file is skipped before it imports what is not there.
"""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ONE_MORE = {"max_attempts": 2, "initial_delay": 3600}
TASKER = "tasker.django.backend.TaskerBackend"
TASKS = {
    "default": {"BACKEND": TASKER, "QUEUES": ["default", "mail"]},
    "at_once": {"BACKEND": TASKER, "OPTIONS": {"ON_COMMIT": False}},
    "other": {"BACKEND": TASKER, "OPTIONS": {"USING": "other"}},
    "again": {"BACKEND": TASKER, "QUEUES": ["again"], "OPTIONS": {"RETRY": ONE_MORE, "KEEP": "2h"}},
    "any": {"BACKEND": TASKER, "QUEUES": []},
    "dummy": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"},
}


@pytest.fixture(scope="session")
def server_url(tmp_path_factory):
    given = os.environ.get("TASKER_TEST_SERVER")
    if given:
        yield given
        return
    from tasker.testing.server import TaskerServer  # noqa: PLC0415 - where the server is installed

    with TaskerServer(tmp_path_factory.mktemp("server")) as server:
        yield server.url


@pytest.fixture(scope="session")
def project(server_url, tmp_path_factory):
    """Django, set up."""
    import django  # noqa: PLC0415 - there is none on an older Python
    from django.conf import settings  # noqa: PLC0415 - as above

    folder = tmp_path_factory.mktemp("project")
    for options in TASKS.values():
        options.setdefault("OPTIONS", {})
        if options["BACKEND"] == TASKER:
            options["OPTIONS"]["URL"] = server_url
    settings.configure(
        SECRET_KEY="x",
        USE_TZ=True,
        TIME_ZONE="Europe/Berlin",
        INSTALLED_APPS=["tasker.django"],
        DATABASES={
            name: {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / f"{name}.db", "OPTIONS": {"timeout": 30}}
            for name in ("default", "other")
        },
        TASKS=TASKS,
    )
    sys.path.insert(0, str(HERE))
    django.setup()
    return settings


@pytest.fixture
def client(server_url):
    from tasker import Client  # noqa: PLC0415 - as above

    with Client(server_url) as client:
        yield client


@pytest.fixture
def jobs(project, client):
    """The module with the tasks. No test leaves any to the next."""
    import jobs  # noqa: PLC0415 - needs the settings

    jobs.CALLS.clear()
    yield jobs
    for task in client.find(type="job", state="todo"):
        client.delete(task.id)


@pytest.fixture
def work(project):
    """Runs what is due in the queues of a backend."""
    from django.core.management import call_command  # noqa: PLC0415 - as above

    def work(backend="default", *options):
        call_command("tasker_worker", "--batch", "--backend", backend, "--name", "tester", *options)

    return work


@pytest.fixture
def signals(project):
    """Which signals were sent, and for which status."""
    from django.tasks import signals  # noqa: PLC0415 - as above

    seen = []

    def receivers():
        for name in ("task_enqueued", "task_started", "task_finished"):
            yield (
                getattr(signals, name),
                lambda sender, task_result, name=name, **_: seen.append(
                    (name, sender.__name__, task_result.id, str(task_result.status))
                ),
            )

    connected = list(receivers())
    for signal, receiver in connected:
        signal.connect(receiver, weak=False)
    yield seen
    for signal, receiver in connected:
        signal.disconnect(receiver)
