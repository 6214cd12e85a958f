"""The usual jobs: each example, run alone on a server of its own, does what its job is."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from pages import DOCS, blocks

import tasker
from databases import new_database
from polling import until
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

PAGE = DOCS / "the-usual-jobs.md"
FUNCTION, TEST = "@app.task", "def test_"
"""What examples have in them that are files of their own, and no programs."""

FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example:
    """An example at work: its server, what it has printed, and its receiver."""

    def __init__(self, server, folder, receiver):
        self.server, self.folder, self.receiver = server, folder, receiver
        self.printed = ""
        self.variables = {}

    @property
    def client(self):
        return self.server.client

    def run(self, language, text, beginning):
        here = text.replace("http://localhost:8080", self.server.url)
        here = here.replace("http://localhost:9000", self.receiver.url(""))
        command = ["sh", "-ec", here]
        if language == "python" and TEST in here:
            (self.folder / "test_shop.py").write_text(here)
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shop.py"]
        elif language == "python":
            command = [sys.executable, "-c", beginning + here]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}
        (self.folder / ".curlrc").write_text("silent\nshow-error\nfail\n")
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={
                **clean,
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
                "HOME": str(self.folder),
                "XDG_CONFIG_HOME": str(self.folder),
                "TASKER_URL": self.server.url,
                "TZ": "UTC",
                **self.variables,
            },
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (here, done.stdout, done.stderr)
        self.printed = done.stdout

    def tasks(self, **filters):
        return list(self.client.find(**filters))

    def task(self):
        (task,) = self.tasks()
        return task


class Job:
    """What there is before an example of a job, and what holds after it. By itself: nothing, and that it has worked."""

    options: ClassVar = ()
    files: ClassVar = {}

    def before(self, example):
        pass

    def after(self, example):
        assert example.printed


class Cancel(Job):
    def after(self, example):
        assert (example.task().key, example.task().state) == ("order-17", "cancelled")


class Postpone(Job):
    def after(self, example):
        fourth_day = example.server.clock.now + timedelta(days=4)
        until(lambda: example.tasks(key="order-17", due_after=fourth_day - timedelta(hours=1)), "it is postponed")
        assert not example.tasks(due_after=fourth_day + timedelta(hours=1))


class FromCsv(Job):
    files: ClassVar = {"orders.csv": "order,customer\n" + "".join(f"{n},{n % 100}\n" for n in range(50_000))}

    def after(self, example):
        assert len(example.tasks(key_prefix="order-4", summary=True)) == 11_111
        assert example.client.by_key("order-49999").get().fields["tags"] == ["customer:99"]
        assert example.client.by_key("order-7").get().fields["json"] == {"order": 7}


class WhatFailed(Job):
    def before(self, example):
        hour_ago = example.server.clock.now - timedelta(hours=1)  # past by this machine's clock, too: commands ask that
        example.server.clock.set(hour_ago)
        for path in ("/status/404", "/status/410"):
            example.client.schedule(example.receiver.url(path), delay=1, retry={"max_attempts": 1})
        example.server.clock.advance("1m")
        assert len(example.tasks(state="failed")) == 2

    def after(self, example):
        example.server.clock.advance("1m")
        assert len(example.receiver.deliveries()) == 4, "each was tried again"
        assert "404" in example.printed


class EveryWeekday(Job):
    def after(self, example):
        shown = example.client.schedules.get("morning-report")
        assert (shown.cron, shown.time_zone) == ("0 9 * * MON-FRI", "Europe/Berlin")
        example.server.clock.advance("7d")
        assert len(example.receiver.deliveries("/report")) == 5


class FiveASecond(Job):
    def after(self, example):
        (limited,) = example.client.destinations.find()
        assert limited.max_per_second == 5
        assert limited.name == example.receiver.url("")


class NotTwice(Job):
    def after(self, example):
        assert example.task().state == "todo"


class Debounce(Job):
    def after(self, example):
        assert (example.task().key, example.task().state) == ("reindex", "todo")
        example.server.clock.advance("1m")
        assert len(example.receiver.deliveries("/reindex")) == 1


class Alert(Job):
    def after(self, example):
        (told,) = example.receiver.deliveries("/alerts")
        assert "test" in told.json["text"]


class FrozenClock(Job):
    def after(self, example):
        if "passed" not in example.printed:
            assert len(example.receiver.deliveries("/remind")) == 1


class OwnFunction(Job):
    options = ("--app", "shop:app")
    files: ClassVar = {"shop.py": next(text for language, text in blocks(PAGE) if FUNCTION in text)}

    def after(self, example):
        example.server.clock.run()
        ended = example.client.wait(example.task().id, timeout=30)
        assert (ended.state, ended.result) == ("done", {"customer": 42})


class ToPostgres(Job):
    def before(self, example):
        example.client.schedule(example.receiver.url(), delay="1h", key="order-17")
        example.server.stop()
        example.variables["NEW_DATABASE_URL"] = self.url = new_database()

    def after(self, example):
        assert "tasks: 1" in example.printed
        with TaskerServer(example.folder, "--database-url", self.url) as there:
            assert there.client.by_key("order-17").get().state == "todo"


class Copy(Job):
    def before(self, example):
        example.client.schedule(example.receiver.url(), delay="1h", key="order-17")

    def after(self, example):
        example.server.kill()
        (example.folder / "backup.db").replace(example.folder / "copy" / "tasks.db")
        with TaskerServer(example.folder / "copy") as copy:
            assert copy.client.by_key("order-17").get().state == "todo"


class ReadOnly(Job):
    def after(self, example):
        keys = re.findall(r"tasker_\w+", example.printed)
        assert keys
        with tasker.Client(example.server.url, keys[-1]) as colleague:
            assert list(colleague.find()) == []
            with pytest.raises(tasker.ApiError) as refused:
                colleague.schedule(example.receiver.url(), delay="1h")
        assert refused.value.status == 403


class OfCustomer(Job):
    def after(self, example):
        assert example.task().id in example.printed


class OlderThanAMonth(Job):
    options = ("--keep-done", "forever", "--keep-failed", "forever")

    def before(self, example):
        present = example.server.clock.now
        example.server.clock.set(present - timedelta(days=31))
        example.client.schedule(example.receiver.url(), delay=1, key="old")
        example.server.clock.advance("31d")
        example.client.schedule(example.receiver.url(), delay=1, key="new")
        example.server.clock.advance("1m")
        assert len(example.tasks(state="done")) == 2

    def after(self, example):
        until(lambda: [task.key for task in example.tasks()] == ["new"], "the old one is deleted")


class Accepts(Job):
    options = ("--public-url", "http://localhost:8080")

    def after(self, example):
        example.server.clock.advance(1)
        (call,) = example.receiver.deliveries("/accepts")
        assert example.task().state == "in_progress"
        example.client.completions.complete(call.headers["tasker-completion-token"], {"pages": 3})
        assert (example.task().state, example.task().result) == ("done", {"pages": 3})


class WhatHappened(Job):
    def after(self, example):
        assert "created" in example.printed


class Upgrade(Job):
    def before(self, example):
        example.client.schedule(example.receiver.url(), delay="1h", key="order-17")
        example.server.stop()

    def after(self, example):
        example.server.start()
        assert example.client.by_key("order-17").get().state == "todo"


JOBS = {
    "Cancel by your own order id": Cancel(),
    "Postpone by a day, under the same id": Postpone(),
    "Create 50,000 from a CSV": FromCsv(),
    "See what failed tonight, and retry all of it": WhatFailed(),
    "Every weekday at 09:00 in Berlin": EveryWeekday(),
    "At most five calls a second to one receiver": FiveASecond(),
    "No second task when a client retries": NotTwice(),
    "Debounce": Debounce(),
    "An alert when tasks run late": Alert(),
    "Tests with a frozen clock": FrozenClock(),
    "Your own Python function": OwnFunction(),
    "From SQLite to PostgreSQL": ToPostgres(),
    "A copy while it is running": Copy(),
    "A service that starts with the machine": None,
    "Read-only access for a colleague": ReadOnly(),
    "All tasks of customer 42": OfCustomer(),
    "Delete what is older than a month": OlderThanAMonth(),
    "An endpoint that answers 202, and is done 20 minutes later": Accepts(),
    "What happened to task X": WhatHappened(),
    "An upgrade to the next version": Upgrade(),
}


def sections():
    text = PAGE.read_text()
    return dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))


SECTIONS = sections()
BEGINNING = next(text for language, text in blocks(PAGE) if language == "text")


def examples():
    for heading, text in SECTIONS.items():
        programs = [
            (language, program)
            for language, program in FENCED.findall(text)
            if language in ("sh", "python") and FUNCTION not in program
        ]
        for place, (language, program) in enumerate(programs):
            yield pytest.param(heading, language, program, id=f"{heading}, {place + 1}")


def answer(delivery):
    status = {"/accepts": 202, "/status/404": 404, "/status/410": 410}.get(delivery.path, 200)
    return f"HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n".encode()


def test_each_job_is_known_and_has_an_example_in_each_way_or_is_the_operators():
    assert set(SECTIONS) == set(JOBS)
    assert len(JOBS) == 20
    for heading, text in SECTIONS.items():
        programs = FENCED.findall(text)
        if "This is the operator's" in text or heading == "An alert when tasks run late":
            assert any(language == "sh" for language, _ in programs) or JOBS[heading] is None, heading
        else:
            assert [language for language, program in programs if "curl" in program] == ["sh"], heading
            assert "python" in [language for language, _ in programs], heading
            assert heading == "Tests with a frozen clock" or any(
                re.search("^(export TASKER_KEY=.*)?tasker ", program, re.MULTILINE) or "| \ntasker add -" in program
                for language, program in programs
                if language == "sh"
            ), heading


def test_a_job_that_cannot_be_done_here_has_the_commands_of_the_page_that_it_names():
    for heading in (heading for heading, job in JOBS.items() if job is None):
        (page,) = re.findall(r"\]\((\S+\.md)\)", SECTIONS[heading])
        there = (DOCS / page).read_text().splitlines()
        commands = [line for _, text in FENCED.findall(SECTIONS[heading]) for line in text.splitlines()]
        assert commands
        assert [line for line in commands if line not in there] == []


@pytest.mark.parametrize(("heading", "language", "text"), list(examples()))
def test_each_example_does_its_job(heading, language, text, tmp_path):
    job = JOBS[heading]
    (tmp_path / "copy").mkdir()
    for name, content in job.files.items():
        (tmp_path / name).write_text(content)
    with WebhookReceiver(answer) as receiver, TaskerServer(tmp_path, "--dev-clock", *job.options) as server:
        example = Example(server, tmp_path, receiver)
        job.before(example)
        example.run(language, text, BEGINNING)
        job.after(example)
