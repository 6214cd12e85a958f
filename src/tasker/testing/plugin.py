"""The pytest plugin: fixtures for tests of code that uses tasker. It is there once ``tasker-server`` is installed.

Nothing else of tasker is imported until a test asks for a fixture.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tasker.config import Settings
    from tasker.testing.memory import TaskerMemory
    from tasker.testing.server import TaskerServer
    from tasker.testing.webhook_receiver import WebhookReceiver
    from tasker.worker.functions import App


@pytest.fixture
def tasker_settings() -> "Settings":
    """The settings of ``tasker_memory``. Define a fixture of this name to have others."""
    from tasker.config import Settings  # noqa: PLC0415 - as above

    return Settings()


@pytest.fixture
def tasker_app() -> "App | None":
    """The app whose functions ``tasker_memory`` calls. Define a fixture of this name that returns yours."""
    return None


@pytest.fixture
def tasker_memory(tasker_settings: "Settings", tasker_app: "App | None") -> "Iterator[TaskerMemory]":
    """Tasker in the process of the test: the real service and engine, in memory, on a clock that stands still.

    ``tasker_memory.client`` and ``async_client()`` create tasks, ``clock.advance("3d")`` lets time pass,
    ``sent`` has the webhooks, and ``assert_scheduled(key="order-17", within="10m")`` says what is planned.
    """
    from tasker.testing.memory import TaskerMemory  # noqa: PLC0415 - as above

    with TaskerMemory(tasker_settings, tasker_app) as memory:
        yield memory


@pytest.fixture
def tasker_options() -> Sequence[str]:
    """Further options of ``tasker_server``, such as ``("--webhook-secret", "whsec_...")``. Define your own."""
    return ()


@pytest.fixture
def tasker_server(
    tmp_path_factory: pytest.TempPathFactory, tasker_options: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> "Iterator[TaskerServer]":
    """A real, temporary tasker server on a free port of this machine. It really sends webhooks.

    ``TASKER_URL`` names it while the test runs, so that a ``tasker.Client()`` in the code under test
    calls it. Its clock runs as usual; ``clock.advance("3d")`` moves it all the same, and
    ``clock.freeze()`` stops it.
    """
    from tasker.testing.server import TaskerServer  # noqa: PLC0415 - as above

    folder: Path = tmp_path_factory.mktemp("tasker")
    with TaskerServer(folder, "--dev-clock", *tasker_options) as server:
        server.clock.run()
        for name in ("TASKER_KEY", "TASKER_KEY_FILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TASKER_URL", server.url)
        yield server


@pytest.fixture
def webhook_receiver() -> "Iterator[WebhookReceiver]":
    """A real HTTP server that records what it is sent: ``url("/hook")``, ``wait_for(1)``, ``deliveries()``."""
    from tasker.testing.webhook_receiver import WebhookReceiver  # noqa: PLC0415 - as above

    with WebhookReceiver() as receiver:
        yield receiver
