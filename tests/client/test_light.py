"""What is imported, and when: a program that imports tasker pays for what it uses alone."""

import json
import subprocess
import sys

LIGHT = {"tasker"}
OF_THE_CLIENT = {"httpx2", "msgspec"}
OF_ITS_PACKAGES = {"httpcore2", "anyio", "h11", "idna", "truststore", "typing_extensions", "sniffio"}
"""What those two need."""


def loaded(program):
    """The modules that a new interpreter has loaded once *program* has run, those of Python itself left out."""
    asked = (
        f"import sys, json\nbefore = set(sys.modules)\n{program}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return {name for name in json.loads(done.stdout) if name.partition(".")[0] not in sys.stdlib_module_names}


def packages(modules):
    return {name.partition(".")[0] for name in modules if not name.startswith("_")}


def test_to_import_tasker_is_to_import_nothing_else():
    assert loaded("import tasker") == LIGHT
    assert loaded("import tasker\ntasker.__version__\ndir(tasker)") == LIGHT


def test_an_exception_does_not_need_http():
    assert packages(loaded("import tasker\ntasker.KeyInUse")) <= {"tasker", "msgspec", "typing_extensions"}


def test_receivers_do_not_need_http():
    assert packages(loaded("from tasker import webhooks")) == {"tasker"}


def test_the_client_needs_two_packages_and_what_they_need():
    modules = loaded("import tasker\nwith tasker.Client('http://127.0.0.1:9', retries=0) as client:\n    pass")
    assert packages(modules) <= {"tasker"} | OF_THE_CLIENT | OF_ITS_PACKAGES
    rooms = {name.split(".")[1] for name in modules if name.startswith("tasker.")}
    assert rooms <= {"callers", "client", "errors", "explaining", "ids", "model", "wire"}, "none of the server's"
