"""What several tests compare with, and what the tests of a part of a tenant read of it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from keyaudit.collect import run
from tests.collect.logged_estate import LOGGED
from tests.collect.rig import Collected, collect


@pytest.fixture(scope="module", autouse=True)
def _reads(request: pytest.FixtureRequest) -> Iterator[None]:
    """A module with `READS` looks at these surfaces alone, besides the places that they are in; without, at all of them."""
    names = getattr(request.module, "READS", None)
    with pytest.MonkeyPatch.context() as patch:
        if names is not None:
            every = run.SURFACES
            assert set(names) <= set(every.names)
            rings = ("tenant", "subscription", "vault", "hsm", "last", "named")
            kept = {ring: [surface for surface in getattr(every, ring) if surface.name in names] for ring in rings}
            patch.setattr(run, "SURFACES", replace(every, **kept))
        yield


@pytest.fixture(scope="module")
def whole() -> Collected:
    """The estate as an unhindered run reads it."""
    return asyncio.run(collect())


@pytest.fixture(scope="module")
def logged() -> Collected:
    """The tenant of logs and limits as an unhindered run reads it."""
    return asyncio.run(collect(estate=LOGGED))
