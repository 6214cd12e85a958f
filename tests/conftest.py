"""What every test may use."""

import pytest


@pytest.fixture
def anyio_backend():
    """Asynchronous tests run on asyncio: tasker does, too."""
    return "asyncio"
