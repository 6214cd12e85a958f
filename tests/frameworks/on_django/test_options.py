"""What ``TASKS`` may say."""

import subprocess
import sys

import pytest

pytest.importorskip("django", minversion="6.0", reason="needs Django 6, and so Python 3.12")

from django.tasks.exceptions import InvalidTaskBackend

from tasker.django.backend import TaskerBackend


def backend(**params):
    return TaskerBackend("default", params)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"PORT": 1}, r"\['PORT'\]: expected one of URL, KEY, ON_COMMIT, USING, RETRY, KEEP; this name is unknown"),
        ({"URL": 8080}, r"\['URL'\]: expected text that is not empty, got: int"),
        ({"KEY": ""}, r"\['KEY'\]: expected text"),
        ({"ON_COMMIT": "no"}, r"\['ON_COMMIT'\]: expected True or False, got: str"),
        ({"USING": "elsewhere"}, r"\['USING'\]: expected one of the DATABASES \(default, other\)"),
        ({"RETRY": 3}, r"\['RETRY'\]: expected a dict"),
        ({"KEEP": True}, r"\['KEEP'\]: expected seconds"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_by_its_name(project, options, said):
    with pytest.raises(InvalidTaskBackend, match=rf"TASKS\['default'\]\['OPTIONS'\]{said}"):
        backend(OPTIONS=options)


def test_no_message_shows_a_value(project):
    for name in ("ON_COMMIT", "RETRY", "KEY"):
        with pytest.raises(InvalidTaskBackend) as raised:
            backend(OPTIONS={name: ["tasker_secret"]})
        assert "tasker_secret" not in str(raised.value)


def test_a_queue_that_tasker_cannot_have_is_refused(project):
    with pytest.raises(InvalidTaskBackend, match=r"QUEUES.*got: 'e-mail & more'"):
        backend(QUEUES=["e-mail & more"])


def test_without_on_commit_no_database_is_needed(project):
    assert backend(OPTIONS={"ON_COMMIT": False, "USING": "elsewhere"}).tasker_options.on_commit is False


def test_an_older_django_is_named(project):
    program = "import django; django.VERSION = (5, 2, 8, 'final', 0); import tasker.django"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ImportError: tasker.django needs Django 6.0 or newer, this is " in ended.stderr
