"""Which task types a server knows."""

from datetime import timedelta
from importlib.metadata import EntryPoint

import msgspec
import pytest

from tasker.errors import StartError
from tasker.model.task import Pool, Task, TaskId
from tasker.task_types import registry
from tasker.task_types.registry import Registry, installed
from tasker.wire.fields import HashFields, TaskFields, request_type
from tasker.wire.reserved import RESERVED
from tasker.wire.task_views import task_json


class AType:
    """A task type that is never run."""

    timeout = timedelta(seconds=1)
    fields = TaskFields
    slots = 1

    def __init__(self, name="mail", *spellings, pool=100):
        self.name, self.spellings, self.pool = name, spellings, Pool(pool)


def a_mail_type():
    return AType()


def a_type_with_a_pool_of_tasker():
    return AType(pool=99)


def a_failing_type():
    raise RuntimeError("the password is 1234")


def an_entry_point(what, *, module=__name__):
    return EntryPoint("mail", f"{module}:{what}", registry.ENTRY_POINTS)


def test_types_are_found_by_name_alone():
    mail, backup = AType("mail", "Mail", pool=100), AType("backup_2", pool=101)

    known = Registry([mail, backup])

    assert (known.get("mail"), known.get("backup_2")) == (mail, backup)
    assert known.get("Mail") is known.get("fax") is known.get("") is None
    assert list(known.types) == [mail, backup]


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (AType("mail", pool=100), AType("mail", pool=101), "'mail'"),
        (AType("mail", "Post", pool=100), AType("letter", "Post", pool=101), "'Post'"),
        (AType("mail", "post", pool=100), AType("post", pool=101), "'post'"),
        (AType("post", pool=100), AType("mail", "post", pool=101), "'post'"),
        (AType("mail", pool=100), AType("letter", pool=100), "100"),
    ],
    ids=["a name", "a spelling", "a spelling and a name", "a name and a spelling", "a pool"],
)
def test_two_types_that_share_something_are_refused(one, other, shared):
    with pytest.raises(StartError) as refused:
        Registry([AType("fax", pool=102), one, other])

    assert str(refused.value) == (
        f"the task types {one.name} and {other.name} both use {shared}; uninstall one of them, or rename the function"
    )


def test_a_type_may_name_itself_twice():
    assert Registry([AType("mail", "mail", "Mail")]).get("mail") is not None


@pytest.mark.parametrize(
    "name",
    ["", "Mail", "2mail", "_mail", "e-mail", "mail ", "mail\n", "mäil", "état", "a.", ".a", "a..b", "a.2", "a/b"],
)
def test_a_bad_name_is_refused(name):
    with pytest.raises(StartError, match="needs a name of a-z, 0-9 and _ that begins with a letter"):
        Registry([AType(name)])


def test_an_installed_package_may_bring_a_type():
    [found] = installed([an_entry_point("a_mail_type")])

    assert (found.name, found.pool) == ("mail", 100)


def test_a_package_without_types_brings_none():
    assert list(installed([])) == []


@pytest.mark.parametrize(
    ("what", "module", "kind"),
    [
        ("a_failing_type", __name__, "RuntimeError"),
        ("absent", __name__, "AttributeError"),
        ("SALT", "tasker.no_such_module", "ModuleNotFoundError"),
        ("__name__", __name__, "TypeError"),
        ("EntryPoint", __name__, "TypeError"),
    ],
)
def test_a_type_that_cannot_be_loaded_is_named_without_what_it_said(what, module, kind):
    with pytest.raises(StartError) as refused:
        installed([an_entry_point("a_mail_type"), an_entry_point(what, module=module)])

    assert str(refused.value) == f"cannot load the task type mail ({module}:{what}): {kind}"


def test_the_pools_below_100_are_taskers_own():
    with pytest.raises(StartError) as refused:
        installed([an_entry_point("a_type_with_a_pool_of_tasker")])

    assert str(refused.value) == (
        f"the task type mail ({__name__}:a_type_with_a_pool_of_tasker) needs a pool of 100 or more"
    )


class DeadlineFields(TaskFields, frozen=True, kw_only=True):
    deadline: str


class RenamedFields(TaskFields, frozen=True, kw_only=True):
    address: str
    number: str = msgspec.field(name="id", default="")


class AnotherRetryFields(TaskFields, frozen=True, kw_only=True):
    retry: bool = False


class InheritedFields(DeadlineFields, frozen=True, kw_only=True):
    args: str


class HarmlessFields(TaskFields, frozen=True, kw_only=True, rename="camel"):
    result: str = msgspec.field(name="outcome_of_it", default="")
    job_id: str


def a_type_with(fields):
    def make():
        made = AType()
        made.fields = fields
        return made

    return make


with_a_kept_name, with_a_renamed_one, with_another_retry, with_inherited_ones, with_harmless_ones = map(
    a_type_with, (DeadlineFields, RenamedFields, AnotherRetryFields, InheritedFields, HarmlessFields)
)


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("with_a_kept_name", "'deadline'"),
        ("with_a_renamed_one", "'id'"),
        ("with_another_retry", "'retry'"),
        ("with_inherited_ones", "'args' and 'deadline'"),
    ],
)
def test_a_type_that_defines_a_reserved_name_is_refused(what, names):
    with pytest.raises(StartError) as refused:
        installed([an_entry_point(what)])

    assert str(refused.value).startswith(f"the task type mail ({__name__}:{what}) defines {names}; these names are")


def test_a_type_with_names_of_its_own_is_taken():
    [found] = installed([an_entry_point("with_harmless_ones")])

    assert found.fields is HarmlessFields


def test_what_every_request_and_every_answer_has_is_reserved():
    task = Task(
        id=TaskId("019bbade-01c6-7d11-821f-bc1538901f12"),
        type="hash",
        pool=Pool(2),
        payload=b"{}",
        execution_time="2126-02-10T16:30:00Z",
        execution_at=0,
        due_at=0,
        expires_at=1,
        parent_id=TaskId("019bbade-01c6-7d11-821f-bc1538901f12"),
        result=b'"x"',
    )

    assert msgspec.json.decode(task_json(task)).keys() <= RESERVED
    common = set(request_type("hash", HashFields).__struct_fields__) - {"secret"}
    assert {"execution_time", "delay", "retry", "keep"} <= common <= RESERVED


@pytest.mark.parametrize("what", ["timedelta", "no_type"])
def test_what_is_no_task_type_is_refused(what):
    with pytest.raises(StartError, match=r"the task type mail \("):
        installed([an_entry_point(what)])


def no_type():
    return None
