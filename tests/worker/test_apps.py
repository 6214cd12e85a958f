"""An app: how functions are declared, found and scheduled."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

import tasker
from tasker.errors import AppNotLoadedError
from tasker.worker.loading import load_app

pytestmark = pytest.mark.anyio


@pytest.fixture
def sent():
    return []


@pytest.fixture
def answer(sent):
    def answer(request):
        sent.append((request.url.path, json.loads(request.content)))
        given = json.loads(request.content)["report.build"]
        made = {"id": given["id"], "execution_time": "2027-01-01T00:00:00Z", "outcome": "created"}
        return httpx2.Response(201, json=made)

    return httpx2.MockTransport(answer)


@pytest.fixture
def app():
    return tasker.App()


@pytest.fixture
def build(app):
    @app.task("report.build")
    async def build(customer: int, layout: str = "pdf") -> int:
        """Build a report."""
        return customer

    return build


async def test_a_function_is_scheduled_with_its_arguments_and_as_soon_as_possible(app, build, sent, answer):
    app.use(async_client=tasker.AsyncClient("http://localhost", transport=answer))
    made = await build.schedule(42)
    ((path, body),) = sent
    assert path == "/tasks/new"
    assert body == {"report.build": {"args": {"customer": 42}, "delay": 0, "id": made.id}}
    await app.aclose()


async def test_options_say_when_and_what_else(app, build, sent, answer):
    app.use(async_client=tasker.AsyncClient("http://localhost", transport=answer))
    at = datetime(2027, 3, 1, 9, tzinfo=UTC)
    options = build.options(at=at, key="march", retry={"max_attempts": 3}, timeout="5m", tags=["a"], keep="1d")
    await options.schedule(customer=1)
    await options.schedule(customer=2, layout="csv")
    one, two = (body["report.build"] for _, body in sent)
    assert one.pop("id") != two.pop("id")
    said = {
        "execution_time": "2027-03-01T09:00:00+00:00",
        "key": "march",
        "retry": {"max_attempts": 3},
        "timeout": 300.0,
        "tags": ["a"],
        "keep": "1d",
    }
    assert one == {"args": {"customer": 1}, **said}
    assert two == {"args": {"customer": 2, "layout": "csv"}, **said}
    await app.aclose()


def test_without_an_event_loop_it_is_scheduled_by_another_client(app, build, sent, answer):
    app.use(tasker.Client("http://localhost", transport=answer))
    build.options(delay="3d").schedule_sync(customer=7)
    ((_, body),) = sent
    assert body["report.build"]["delay"] == "3d"
    app.close()


async def test_a_client_of_ones_own_is_forgotten_at_the_end_and_not_closed(app, build, sent, answer):
    own = tasker.Client("http://localhost", transport=answer)
    own_async = tasker.AsyncClient("http://localhost", transport=answer)
    app.use(own, async_client=own_async)
    await app.aclose()
    assert app.client() is not own
    assert app.async_client() is not own_async
    own.create("report.build", {}, delay=0)
    await own_async.create("report.build", {}, delay=0)
    assert len(sent) == 2
    made = app.client()
    await app.aclose()
    with pytest.raises(RuntimeError):
        made.create("report.build", {}, delay=0)


async def test_bad_arguments_are_refused_and_nothing_is_sent(app, build, sent, answer):
    app.use(async_client=tasker.AsyncClient("http://localhost", transport=answer))
    with pytest.raises(tasker.BadArgumentsError, match="Expected `int`, got `str`"):
        await build.schedule("42")
    assert sent == []
    await app.aclose()


async def test_a_function_can_be_called_as_before_and_hears_of_no_task(app, build):
    assert await build(3) == 3
    assert (build.__name__, build.__doc__) == ("build", "Build a report.")

    @app.task("f")
    def f() -> tuple[object, ...]:
        context = tasker.context()
        context.heartbeat(0.5, "half")
        context.check()
        return context.attempt, context.key, context.deadline, context.over

    assert f() == (1, None, None, None)


def test_each_event_loop_has_a_client_of_its_own(app):
    async def client():
        assert app.async_client() is app.async_client()
        made = app.async_client()
        await app.aclose()
        return made

    assert asyncio.run(client()) is not asyncio.run(client())


@pytest.mark.parametrize(
    "name", ["", "Report", "report.", ".report", "report..build", "1a", "a.1", "a-b", "a b", "a" * 101]
)
def test_a_name_that_cannot_be_one_is_refused(app, name):
    with pytest.raises(tasker.DeclarationError, match="expected a name such as report"):
        app.task(name)


@pytest.mark.parametrize("name", ["a", "report.build", "a1.b_2.c", "a" * 100])
def test_names_have_parts(app, name):
    app.task(name)(lambda: None)
    assert [*app.functions] == [name]


def test_without_its_brackets_the_decorator_says_what_to_write(app):
    with pytest.raises(tasker.DeclarationError, match=r'expected a name, as in @app.task\("send_mail"\)'):

        @app.task
        def send_mail():
            pass


def test_a_name_is_used_once(app, build):
    with pytest.raises(tasker.DeclarationError, match="two functions of this app are called"):
        app.task("report.build")(lambda: None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"timeout": "soon"}, "expected seconds as a number"),
        ({"timeout": 0}, "expected 0.1 s to 30 d, got: 0"),
        ({"timeout": timedelta(days=31)}, "expected 0.1 s to 30 d"),
        ({"retry": {"attempts": 3}}, "unknown field `attempts`; expected some of max_attempts, initial_delay, factor"),
        ({"retry": {"max_attempts": 0}}, ">= 1"),
        ({"retry": "often"}, "Expected `object`"),
    ],
)
def test_options_that_cannot_be_used_are_refused(app, options, expected):
    with pytest.raises(tasker.DeclarationError, match=expected):
        app.task("f", **options)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_an_app_is_found_in_the_working_folder(folder):
    (folder / "shop_a.py").write_text("import tasker\napp = tasker.App()\n@app.task('a')\ndef a(): pass\n")
    assert [*load_app("shop_a:app").functions] == ["a"]


@pytest.mark.parametrize(
    ("code", "place", "expected"),
    [
        ("", "shop_b", "expected MODULE:NAME, such as shop.tasks:app"),
        ("", "nowhere.tasks:app", "there is no module nowhere; modules are looked for in"),
        ("import not_there", "shop_c:app", "there is no module not_there; "),
        ("import not_there", "shop_c:app", "shop_c.py, line 1 imports it: install it where tasker is"),
        ("\n1 / 0", "shop_d:app", "shop_d.py, line 2: division by zero"),
        ("import json\njson.loads('')", "shop_i:app", "importing shop_i raised JSONDecodeError at "),
        ("import tasker\ntasker.App().task(3)", "shop_j:app", "shop_j.py, line 2: expected a name"),
        ("app = tasker.App(", "shop_k:app", "importing shop_k raised SyntaxError: '(' was never closed"),
        ("", "shop_e:app", "expected a tasker.App in shop_e, got: nothing of that name"),
        ("app = 3", "shop_f:app", "got: int"),
        ("import tasker; app = tasker.App()", "shop_g:app", "it has no functions; declare one with @app.task"),
        (
            "import tasker; app = tasker.App()\nclass X: pass\n@app.task('a')\ndef a(x: X): pass",
            "shop_h:app",
            "the parameter 'x' of the function of 'a' cannot be stored: X cannot be read from JSON",
        ),
    ],
)
def test_what_is_wrong_with_an_app_is_said(folder, code, place, expected):
    (folder / f"{place.partition(':')[0].partition('.')[0]}.py").write_text(code) if "nowhere" not in place else None
    with pytest.raises(AppNotLoadedError) as refused:
        load_app(place)
    assert str(refused.value).startswith(f"--app {place}: ")
    assert expected in str(refused.value)
