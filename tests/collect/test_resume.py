"""A stopped run goes on within a list, at the page where it was stopped, and ends as one that was not stopped."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from keyaudit.cloud.clients import Answer
from keyaudit.collect.forecasts import Forecasts
from keyaudit.collect.run import collect_all
from keyaudit.inventory.disk.replies import Replies
from keyaudit.inventory.spool import Spool
from keyaudit.model.operations import Operation
from keyaudit.simulator.estate import Estate, Key, Resource, Vault
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import Simulator, serve
from tests.collect.estate import ESTATE, SUBSCRIPTION, version
from tests.collect.rig import EVIDENCE, Collected, Noted, begun, connected, left

KEYS = 60
"""Of one vault: three pages of its list."""
VERSION = version(70)
WORTH = "https://api.example"
WIDE: Estate = replace(
    ESTATE,
    vaults=(
        Vault(
            name="kv-wide",
            subscription=SUBSCRIPTION,
            resource_group="rg-main",
            keys=tuple(Key(name=f"k{nth:02}", versions=(VERSION,), current=VERSION.version) for nth in range(KEYS)),
        ),
    ),
    resources=(
        Resource(
            type="Microsoft.ApiManagement/service",
            name="api",
            subscription=SUBSCRIPTION,
            resource_group="rg-main",
            properties={},
            children={"namedValues": {"url": {"displayName": "url", "secret": False, "value": WORTH}}},
        ),
    ),
    applications=(),
    service_principals=(),
)


class Stopping:
    """Cancels a task at an answer to an operation."""

    def __init__(self, operation: str, number: int) -> None:
        self._operation, self._left = operation, number
        self.task: asyncio.Task[object] | None = None

    def __call__(self, operation: Operation, _: object, answer: Answer) -> None:
        self._left -= operation.id == self._operation and answer.status == 200
        if not self._left and self.task is not None:
            self.task.cancel()


async def stopped(simulator: Simulator, folder: Path, operation: str, number: int) -> Counter[str]:
    """Stops a collection at that answer. Returns the requests that it sent."""
    async with connected(simulator) as connection:
        with begun(folder, WIDE.tenant_id) as spool:
            stopping = Stopping(operation, number)
            connection.gateway.observe = stopping
            stopping.task = asyncio.ensure_future(collect_all(connection, spool, progress=Noted(), evidence=EVIDENCE))
            with pytest.raises(asyncio.CancelledError):
                await stopping.task
    return Counter(simulator.calls)


async def gone_on(simulator: Simulator, folder: Path) -> Collected:
    async with connected(simulator) as connection:
        with Spool.resume(folder) as spool:
            assert await collect_all(connection, spool, progress=Noted(), evidence=EVIDENCE) == []
            return left(spool)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collected, Counter[str]]:
    async def run() -> tuple[Collected, Counter[str]]:
        async with serve(WIDE) as simulator, connected(simulator) as connection:
            with begun(tmp_path_factory.mktemp("whole") / "out", WIDE.tenant_id) as spool:
                await collect_all(connection, spool, progress=Noted(), evidence=EVIDENCE)
                return left(spool), Counter(simulator.calls)

    return asyncio.run(run())


async def test_no_page_and_no_object_is_read_twice(whole: tuple[Collected, Counter[str]], tmp_path: Path) -> None:
    expected, calls = whole
    async with serve(WIDE) as simulator:
        before = await stopped(simulator, tmp_path / "out", "key.get", 40)
        found = await gone_on(simulator, tmp_path / "out")
        after = Counter(simulator.calls) - before
    assert calls["key.list"] == 3
    assert (found.rows, found.coverage) == (expected.rows, expected.coverage)
    # The page that was last asked for may not have been answered, nor the reads that were on their way.
    assert before["key.list"] + after["key.list"] <= 4
    assert after["key.get"] <= KEYS - 40
    assert not any((tmp_path / "out" / "spool" / "replies").iterdir())


async def test_where_the_link_to_the_next_page_is_not_valid_any_more_the_list_is_read_from_its_beginning(
    whole: tuple[Collected, Counter[str]], tmp_path: Path
) -> None:
    expected, _ = whole
    async with serve(WIDE) as simulator:
        before = await stopped(simulator, tmp_path / "out", "key.list", 1)
    expired = Fault("key.list", 1, status=400, body={"error": {"code": "BadParameter", "message": "The link has expired."}})
    async with serve(WIDE, faults=[expired]) as simulator:
        found = await gone_on(simulator, tmp_path / "out")
    assert before["key.list"] in (1, 2)
    assert simulator.calls["key.list"] == 4
    assert (found.rows, found.coverage) == (expected.rows, expected.coverage)


async def test_lists_that_the_stopped_run_was_given_are_not_foretold_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foretold: list[tuple[str, int]] = []

    def expect(_self: object, _surface: str, operation: str, requests: Mapping[str, int]) -> None:
        foretold.append((operation, sum(requests.values())))

    monkeypatch.setattr(Forecasts, "expect", expect)
    async with serve(WIDE) as simulator:
        await stopped(simulator, tmp_path / "out", "api_management.certificates", 1)
        assert foretold.count(("api_management.certificates", 1)) == 1
        foretold.clear()
        await gone_on(simulator, tmp_path / "out")
    assert ("api_management.certificates", 0) in foretold
    # Its answers may hold values, so none was kept.
    assert ("api_management.named_values", 1) in foretold


async def test_values_that_are_not_read_are_not_kept(tmp_path: Path) -> None:
    async with serve(WIDE) as simulator:
        calls = await stopped(simulator, tmp_path / "out", "api_management.named_values", 1)
    assert calls["api_management.named_values"] == 1
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert any(path.parent.name == "replies" for path in files)
    assert not any(WORTH.encode() in path.read_bytes() for path in files)


def test_each_answer_is_recalled_once_and_in_order_and_a_damaged_rest_is_not(tmp_path: Path) -> None:
    path = tmp_path / "replies"
    first = Replies(path)
    for answer in (b"one", b"two" * 20_000, b"three"):
        first.keep(b"r", answer)
    first.flush()
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    second = Replies.of_stopped(path)
    assert (second.seen(b"r"), second.seen(b"s")) == (b"one", None)
    assert [second.recall(b"r") for _ in range(3)] == [b"one", b"two" * 20_000, None]
    # New answers follow the undamaged ones.
    second.keep(b"r", b"four")
    second.flush()
    third = Replies.of_stopped(path)
    assert [third.recall(b"r") for _ in range(4)] == [b"one", b"two" * 20_000, b"four", None]
    third.remove()
    assert not path.exists()
