"""An assistant's questions: the numbers that the commands give, and never a zero where something was not read."""

import json
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.types import CallToolResult, TextContent
from msgspec import structs

from keyaudit.ask import expiring
from keyaudit.cli.mcp.tools import TOOLS, Tools, server
from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.model.errors import OutputError
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Expiring, Report
from keyaudit.model.severity import Severity
from keyaudit.model.values.times import DAY
from keyaudit.questions.findings.answers import LONGEST
from keyaudit.report.facts import Facts
from keyaudit.report.resource import label
from tests.cli.conftest import Keyaudit
from tests.report.hostile import hostile
from tests.report.sinks import KINDS

ASKED = Counter[str]()
"""How often each tool answered."""
OURS = {"answered", "untrusted", "tenant_id", "as_of", "simulated", "complete"}


@asynccontextmanager
async def asked(snapshot: Path) -> AsyncIterator[Client]:
    """A session of the official client with the server, as an assistant starts it."""
    command = StdioServerParameters(command=sys.executable, args=["-m", "keyaudit", "mcp", "--from", str(snapshot)])
    async with Client(stdio_client(command)) as client:
        yield client


async def _answer(client: Client, tool: str, **given: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, given)
    assert not result.is_error
    ASKED[tool] += 1
    return _read(result)


async def _all(client: Client, tool: str, name: str, **given: Any) -> list[dict[str, Any]]:
    """The whole list, by as many pages as it takes."""
    found: list[dict[str, Any]] = []
    answer = await _answer(client, tool, **given)
    while True:
        found += answer["data"][name]
        assert len(json.dumps(answer)) <= LONGEST
        if not answer["more"]:
            return found
        answer = await _answer(client, tool, **given, offset=answer["next_offset"])


def _read(result: CallToolResult) -> dict[str, Any]:
    (text,) = result.content
    assert isinstance(text, TextContent)
    # Nothing in it acts on a terminal or a build agent.
    assert text.text.isascii()
    assert text.text.isprintable()
    answer = json.loads(text.text)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.exhaustive
async def test_every_number_is_that_of_the_commands(blind_spots: Path, keyaudit: Keyaudit) -> None:
    snapshot = blind_spots
    report = keyaudit("report", "--from", snapshot, "-o", "json").json
    ending = keyaudit("expiring", "60d", "--from", snapshot, "-o", "json").json
    by_policy = {each["id"]: each for each in report["policies"]}
    blind = {id_ for gap in report["gaps"] if gap["required"] for id_ in gap["blinds"]}
    ASKED.clear()
    async with asked(snapshot) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == set(TOOLS)
        summary = await _answer(client, "summary")
        assert {name: each["number"] for name, each in summary["open_findings"].items()} == report["verdict"]["failed"]
        assert summary["complete"] == report["verdict"]["complete"]
        assert set(summary["policies_not_evaluated"]) == {each["policy"] for each in report["not_judged"]}
        # One policy of sixteen: each answer reads all findings again.
        for id_, policy in list(by_policy.items())[::16]:
            answer = await _answer(client, "findings", policy=id_)
            unknown = sum(policy["unknown"].values())
            # The lowest severity that the tool takes is low.
            assert answer["count"]["number"] == sum(policy["failed"].values()) - policy["failed"]["info"], id_
            assert (answer["count"]["bound"] == "exactly") == (not unknown and id_ not in blind), id_
            open_ = (each for each in report["findings"] if each["policy"] == id_ and each["outcome"] == "fail")
            wanted = [each["id"] for each in open_ if each["severity"] != "info"]
            assert [each["id"] for each in await _all(client, "findings", "findings", policy=id_)] == wanted
        for each in report["not_judged"]:
            answer = await _answer(client, "findings", policy=each["policy"])
            assert (answer["count"]["bound"], answer["policies_not_evaluated"]) == ("at least", {each["policy"]: each["needs"]})
        expiring = await _all(client, "expiring", "items", within_days=60, limit=500)
        assert [each["id"] for each in expiring] == [each["id"] for each in ending["items"]]
        for each in report["findings"][:8]:
            explained = await _answer(client, "explain", id=each["id"])
            assert explained["data"]["finding"]["message"] == each["message"]
        for name in ("kv-orders-prod/carrier-webhook-signing", "kv-orders-prod"):
            ways = keyaudit("access", name, "--from", snapshot, "-o", "json").json["ways"]
            assert await _all(client, "access", "ways", resource=name, limit=500) == ways
            reached = keyaudit("blast-radius", name, "--from", snapshot, "-o", "json").json if "/" in name else {}
            answer = await _answer(client, "blast_radius", key=name, limit=500) if reached else {"data": {}}
            # The last step of the plan is a command that an assistant does not have.
            same = set(answer["data"]) & set(reached) - {"gaps", "plan"}
            assert {member: answer["data"][member] for member in same} == {member: reached[member] for member in same}
            assert "edges" in same or not reached
        assert await _all(client, "coverage", "gaps", limit=500) == report["gaps"]
    assert set(ASKED) == set(TOOLS)
    assert ASKED.total() >= 30


async def _refused(client: Client, tool: str, **given: Any) -> str:
    result = await client.call_tool(tool, given)
    assert result.is_error
    answer = _read(result)
    assert answer["answered"] is False
    assert set(answer) == {"answered", "untrusted", "data"}
    return str(answer["data"]["reason"])


@pytest.mark.exhaustive
async def test_a_question_that_the_snapshot_cannot_answer_is_refused(contoso: Path) -> None:
    async with asked(contoso) as client:
        assert "nothing is known" in await _refused(client, "blast_radius", key="kv-nowhere/none")
        assert "kv-nowhere" in await _refused(client, "access", resource="kv-nowhere")
        assert "is not one of the policies or findings here" in await _refused(client, "findings", policy="kv-no-such-policy")
        near = "did you mean kv-key-rotation-overdue"
        assert near in await _refused(client, "findings", policy="kv-key-rotation-overdu")
        assert near in await _refused(client, "explain", id="kv-key-rotation-overdu")
        near = await _refused(client, "findings", resource="kv-orders-prd")
        assert near.endswith("concerns a resource with this text in its name or id; did you mean kv-orders-prod?")
        # A resource with nothing but passes is there.
        passing = await _answer(client, "findings", resource="kv-orders-prod", outcome="pass", limit=1)
        assert passing["count"]["number"] > 0
        assert "is not one of the findings here" in await _refused(client, "explain", id="0123456789abcdef")
        assert "not a valid page" in await _refused(client, "coverage", limit=0)


@pytest.mark.parametrize("payload", KINDS.values(), ids=KINDS)
async def test_what_the_tenant_says_is_data_and_nothing_else(payload: str) -> None:
    report = hostile(payload)
    # The questions that go to the snapshot are in tests/cli/test_blast_radius_hostile.py.
    tools = server(Tools(None, 0, report))  # type: ignore[arg-type]
    async with Client(tools) as client:
        explained = [("explain", {"id": finding.id}) for finding in report.findings(True)]
        for tool, given in (
            ("summary", {}),
            ("findings", {}),
            ("findings", {"outcome": "unknown"}),
            ("coverage", {}),
            *explained,
        ):
            answer = await _answer(client, tool, **given)
            outside = {name: value for name, value in answer.items() if name not in ("data", "tenant_id")}
            assert payload not in json.dumps(outside, ensure_ascii=False)


def _tools(report: Report) -> Client:
    """The official client and the server in one process. No tool asked through it may read the snapshot."""
    return Client(server(Tools(None, 0, report)))  # type: ignore[arg-type]


async def test_a_client_sees_that_a_tool_takes_no_other_argument() -> None:
    async with _tools(hostile("a")) as client:
        for tool in (await client.list_tools()).tools:
            assert tool.input_schema["additionalProperties"] is False
            assert tool.annotations
            assert tool.annotations.read_only_hint


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("expiring", {"days": 365}, "expiring: has no argument days; it takes within_days, offset, limit"),
        (
            "findings",
            {"vault": "no-such", "limit": 1},
            "findings: has no argument vault; it takes policy, severity, outcome, resource, offset, limit",
        ),
        ("summary", {"b\n": 1, "a": 2}, "summary: has no argument a, b\\x0a; it takes none"),
    ],
)
async def test_a_misspelt_argument_is_not_left_out_of_the_question(tool: str, given: dict[str, Any], said: str) -> None:
    async with _tools(hostile("a")) as client:
        assert await _refused(client, tool, **given) == said


async def test_a_name_that_no_resource_has_is_not_a_resource_without_findings() -> None:
    report = hostile("a")
    names = {label(Facts.of(each)) for each in report.findings(True)}
    name = next(each for each in sorted(names) if "/" in each)
    async with _tools(report) as client:
        for outcome in ("fail", "unknown", "pass"):
            said = await _refused(client, "findings", resource=f"{name}-x", outcome=outcome)
            assert "no result, passed or not, concerns a resource with this text in its name or id; did you mean " in said
            assert name in said
            assert (await _answer(client, "findings", resource=name.upper(), outcome=outcome))["count"]["number"] >= 0


async def test_pages_follow_one_another_to_the_end() -> None:
    report = hostile("x" * 900)
    failing = [
        each.id for each in report.findings(False) if each.outcome is Outcome.FAIL and each.severity.rank >= Severity.LOW.rank
    ]
    many = structs.replace(report, owned=lambda passes: (pair for _ in range(30) for pair in report.owned(passes)))
    async with _tools(many) as client:
        found = await _all(client, "findings", "findings", limit=500)
        assert [each["id"] for each in found] == failing * 30
        first = await _answer(client, "findings", limit=500)
        assert 1 < len(first["data"]["findings"]) < len(found)
        assert first["next_offset"] == len(first["data"]["findings"])
        assert len((await _answer(client, "findings", limit=1))["data"]["findings"]) == 1


class Held:
    """Findings whose reading waits until it is let go."""

    def __init__(self, report: Report) -> None:
        self.readings = 0
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.report = structs.replace(report, owned=self._owned)
        self._whole = report

    def _owned(self, passes: bool) -> Iterator[tuple[Owner, Finding]]:
        self.readings += 1
        self.begun.set()
        assert self.go_on.wait(60)
        yield from self._whole.owned(passes)


async def test_a_question_does_not_wait_for_the_reading_of_another() -> None:
    held = Held(hostile("a"))
    some = [each.id for each in held.report.findings(False)]
    async with _tools(held.report) as client, anyio.create_task_group() as tasks:
        try:
            tasks.start_soon(partial(_answer, client, "findings"))
            await anyio.to_thread.run_sync(held.begun.wait, 60)
            assert (await _answer(client, "summary"))["answered"]
            assert (await _answer(client, "coverage"))["answered"]
            policy = held.report.tallies[0].policy.id
            assert (await _answer(client, "explain", id=policy))["data"]["policy"]["id"] == policy
            for each in range(60):
                given = {"id": some[each % len(some)]} if each % 2 else {"offset": each}
                tasks.start_soon(partial(_answer, client, "explain" if each % 2 else "findings", **given))
        finally:
            held.go_on.set()
    # All that waited for the first reading were answered by one more.
    assert held.readings == 2


@pytest.mark.exhaustive
async def test_a_page_that_follows_needs_no_second_reading(contoso: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = open_snapshot(contoso)
    tools = Tools(taken, taken.run.as_of, None)  # type: ignore[arg-type]
    readings = Counter[int]()

    @contextmanager
    def counted(snapshot: Snapshot, *, as_of: int, within: int) -> Iterator[Expiring]:
        readings[within] += 1
        with expiring(snapshot, as_of=as_of, within=within) as found:
            yield found

    monkeypatch.setattr("keyaudit.ask.expiring", counted)
    async with Client(server(tools)) as client:
        both = [await _all(client, "expiring", "items", within_days=365, limit=limit) for limit in (500, 60)]
        assert both[0] == both[1] != []
        # A document that is too large to be kept is read again.
        monkeypatch.setattr("keyaudit.cli.mcp.tools._KEPT", 0)
        await _answer(client, "expiring", within_days=365)
        await _answer(client, "expiring", within_days=365)
    assert readings == {365 * DAY: 2}


async def test_a_reading_that_fails_is_no_answer_to_any_that_waited() -> None:
    def failing(passes: bool) -> Iterator[tuple[Owner, Finding]]:
        raise OutputError("a folder", "no space left", "free some space")

    async with _tools(structs.replace(hostile("a"), owned=failing)) as client, anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(partial(_refused, client, "findings"))
