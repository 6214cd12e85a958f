"""The tasks of the project that the tests run."""

import asyncio
import time
from pathlib import Path

from django.tasks import task

CALLS = []


@task
def add(a, b=0):
    CALLS.append(("add", a, b))
    return a + b


@task(queue_name="mail")
def mail(to):
    CALLS.append(("mail", to))


@task
async def later(text):
    await asyncio.sleep(0)
    return text.upper()


@task
def broken(text):
    raise LookupError(text)


class SpeechlessError(Exception):
    def __str__(self):
        return self.args[0]  # there is none


@task
def speechless():
    raise SpeechlessError


@task(takes_context=True)
def context(context, label):
    return [label, context.attempt, context.task_result.id, len(context.task_result.errors)]


@task(backend="again", queue_name="again", takes_context=True)
def second_time(context):
    CALLS.append(context)
    if context.attempt == 1:
        raise ConnectionError("not yet")
    return "at last"


@task
def returns(what):
    return {"set": {1}, "nan": float("nan"), "long": "x" * 70_000, "none": None}[what]


@task
def enqueues_another():
    return add.enqueue(1, 1).id


@task
def leaves():
    raise SystemExit(3)


@task(backend="any", queue_name="slow")
def slow(path, seconds):
    """Say that it begins, and that it ends."""
    with Path(path).open("a") as file:
        file.write("begins\n")
    time.sleep(seconds)
    with Path(path).open("a") as file:
        file.write("ends\n")


@task(backend="at_once")
def at_once(number):
    CALLS.append(number)


@task(backend="other")
def other(number):
    CALLS.append(number)


def not_a_task(*args):
    CALLS.append(args)
