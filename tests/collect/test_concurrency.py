"""Work on many things at once: which failure is told."""

import asyncio

import pytest

from keyaudit.collect.concurrency import for_each
from keyaudit.model.errors import UnsafeError


async def test_what_must_end_the_run_is_not_hidden_by_a_bug_of_the_same_moment() -> None:
    together = asyncio.Barrier(2)

    async def work(failure: Exception) -> None:
        await together.wait()
        raise failure

    failures = (KeyError("a bug"), UnsafeError("sign-in", "another tenant's token", "stop"))
    for order in (failures, failures[::-1]):
        with pytest.raises(UnsafeError):
            await for_each(order, work, limit=2)
