"""The pytest plugin, as a project of its own uses it."""

import os
import subprocess
import sys

import pytest

SHOP = '''
"""A shop that reminds its customers."""
import tasker


def remind(client, order):
    client.schedule("https://shop.example/remind", delay="3d", json={"order": order}, key=f"order-{order}")


async def remind_async(client, order):
    await client.schedule("https://shop.example/remind", delay="3d", json={"order": order}, key=f"order-{order}")


def remind_by_environment(url):
    with tasker.Client() as client:
        client.schedule(url, delay="3d", json={"order": 17})
'''

SYNCHRONOUS = """
import shop


def test_the_customer_is_reminded_after_three_days(tasker_memory):
    shop.remind(tasker_memory.client, 17)
    tasker_memory.assert_scheduled(key="order-17", within="3d")
    tasker_memory.clock.advance("3d")
    assert [sent.json for sent in tasker_memory.sent] == [{"order": 17}]


def test_each_test_has_its_own(tasker_memory):
    tasker_memory.assert_not_scheduled(key="order-17")
    assert tasker_memory.sent == []


def test_a_real_server_calls_a_real_receiver(tasker_server, webhook_receiver):
    shop.remind_by_environment(webhook_receiver.url("/remind"))
    tasker_server.assert_scheduled(webhook_receiver.url("/remind"), within="3d")
    tasker_server.clock.advance("3d")
    assert [each.json for each in webhook_receiver.deliveries("/remind")] == [{"order": 17}]
"""

ASYNCHRONOUS = """
import asyncio

import pytest
import shop


def test_by_itself(tasker_memory):
    async def code():
        async with tasker_memory.async_client() as client:
            await shop.remind_async(client, 17)

    asyncio.run(code())
    tasker_memory.assert_scheduled(key="order-17")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_beside_a_plugin_for_asynchronous_tests(tasker_memory, anyio_backend):
    async with tasker_memory.async_client() as client:
        await shop.remind_async(client, 17)
        tasker_memory.clock.advance("3d")
        assert len(tasker_memory.sent) == 1
        assert (await client.by_key("order-17").get()).state == "done"


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_with_a_real_server(tasker_server, webhook_receiver, anyio_backend):
    async with tasker_server.async_client() as client:
        made = await client.schedule(webhook_receiver.url("/now"), delay=0)
        assert (await client.wait(made.id, timeout=30)).state == "done"
"""

SETTINGS = """
import pytest
from tasker.config import Settings


@pytest.fixture
def tasker_settings():
    return Settings(webhook_secrets=("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",))


@pytest.fixture
def tasker_options():
    return ["--webhook-secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]


def test_webhooks_are_signed(tasker_memory):
    tasker_memory.client.schedule("https://shop.example/", delay=0)
    tasker_memory.run_due()
    assert "webhook-signature" in tasker_memory.sent[0].headers


def test_so_they_are_by_a_server(tasker_server, webhook_receiver):
    tasker_server.client.schedule(webhook_receiver.url(), delay=0)
    (delivery,) = webhook_receiver.wait_for(1)
    assert "webhook-signature" in delivery.headers
"""


def run(folder, test, *options):
    (folder / "shop.py").write_text(SHOP)
    (folder / "test_shop.py").write_text(test)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers", *options],
        cwd=folder,
        env={**os.environ, "TASKER_KEY_FILE": "/nowhere", "TASKER_LOG_FORMAT": "nonsense"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(("test", "passed"), [(SYNCHRONOUS, 3), (ASYNCHRONOUS, 3), (SETTINGS, 2)])
def test_a_project_uses_the_fixtures_without_a_word_in_its_conftest(tmp_path, test, passed):
    ended = run(tmp_path, test)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{passed} passed" in ended.stdout


def test_a_failed_assertion_shows_what_is_scheduled_and_nothing_of_the_test_kit(tmp_path):
    ended = run(
        tmp_path,
        "import shop\n\ndef test_it(tasker_memory):\n    shop.remind(tasker_memory.client, 17)\n"
        "    tasker_memory.assert_scheduled(key='order-18')\n",
    )
    assert ended.returncode == 1
    assert "key='order-17'" in ended.stdout
    assert "raise AssertionError" not in ended.stdout


def test_a_project_that_does_not_use_it_imports_nothing_of_it(tmp_path):
    ended = run(
        tmp_path,
        "import sys\n\ndef test_it():\n"
        "    ours = {name for name in sys.modules if name.split('.')[0] == 'tasker'}\n"
        "    assert ours <= {'tasker', 'tasker.testing', 'tasker.testing.plugin'}, ours\n"
        "    assert 'httpx2' not in sys.modules\n",
    )
    assert ended.returncode == 0, ended.stdout


def test_the_fixtures_say_what_they_are(tmp_path):
    said = run(tmp_path, "", "--fixtures").stdout
    for name in ("tasker_memory", "tasker_server", "tasker_settings", "tasker_options", "webhook_receiver"):
        assert name in said
    assert "no docstring" not in said.partition("tasker.testing.plugin")[2].partition("fixtures defined from")[0]
