"""What several tests compare with."""

import asyncio

import pytest

from tests.collect.logged_estate import LOGGED
from tests.collect.rig import Collected, collect


@pytest.fixture(scope="session")
def whole() -> Collected:
    """The estate as an unhindered run reads it."""
    return asyncio.run(collect())


@pytest.fixture(scope="session")
def logged() -> Collected:
    """The tenant of logs and limits as an unhindered run reads it."""
    return asyncio.run(collect(estate=LOGGED))
