"""What several tests compare with, and what the tests of a part of a tenant read of it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.collect.surfaces import SURFACES
from tests.collect.logged_estate import LOGGED
from tests.collect.rig import Collected, collect


@pytest.fixture(scope="module", autouse=True)
def _reads(request: pytest.FixtureRequest) -> Iterator[None]:
    """A module with `READS` looks at these surfaces alone, besides the places that they are in; without, at all of them."""
    names = getattr(request.module, "READS", None)
    with pytest.MonkeyPatch.context() as patch:
        if names is not None:
            assert set(names) <= set(SURFACES.names)
            rings = ("tenant", "directory", "subscription", "vault", "hsm", "placed", "last", "named", "completing")
            kept: dict[str, Any] = {
                ring: [each for each in getattr(SURFACES, ring) if not {each.name, *each.completes}.isdisjoint(names)]
                for ring in rings
            }
            patch.setattr("keyaudit.collect.run.SURFACES", replace(SURFACES, **kept))
        yield


@pytest.fixture(scope="module")
def whole() -> Collected:
    """The estate as an unhindered run reads it."""
    return asyncio.run(collect())


@pytest.fixture(scope="module")
def logged() -> Collected:
    """The tenant of logs and limits as an unhindered run reads it."""
    return asyncio.run(collect(estate=LOGGED))
