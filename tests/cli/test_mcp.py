"""An assistant's questions: the numbers that the commands give, and never a zero where something was not read."""

import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.types import CallToolResult, TextContent

from keyaudit.cli.tools import TOOLS, Tools, server
from keyaudit.report.answers import PAGE
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
@pytest.mark.parametrize("estate", ["contoso", "blind_spots"])
async def test_every_number_is_that_of_the_commands(estate: str, contoso: Path, blind_spots: Path, keyaudit: Keyaudit) -> None:
    snapshot = {"contoso": contoso, "blind_spots": blind_spots}[estate]
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
        # An eighth of the policies with each tenant: each answer reads all findings again.
        for id_, policy in list(by_policy.items())[4 * (estate == "contoso") :: 8]:
            answer = await _answer(client, "findings", policy=id_)
            unknown = sum(policy["unknown"].values())
            assert answer["count"]["number"] == sum(policy["failed"].values()), id_
            assert (answer["count"]["bound"] == "exactly") == (not unknown and id_ not in blind), id_
            wanted = [each["id"] for each in report["findings"] if each["policy"] == id_ and each["outcome"] == "fail"]
            assert {each["id"] for each in answer["data"]["findings"]} <= set(wanted)
            assert len(answer["data"]["findings"]) == min(len(wanted), PAGE)
        for each in report["not_judged"]:
            answer = await _answer(client, "findings", policy=each["policy"])
            assert (answer["count"]["bound"], answer["policies_not_evaluated"]) == ("at least", {each["policy"]: each["needs"]})
        expiring = await _answer(client, "expiring", within_days=60, limit=500)
        assert [each["id"] for each in expiring["data"]["items"]] == [each["id"] for each in ending["items"]]
        for each in report["findings"][:8]:
            explained = await _answer(client, "explain", id=each["id"])
            assert explained["data"]["finding"]["message"] == each["message"]
        for name in ("kv-orders-prod/carrier-webhook-signing", "kv-orders-prod"):
            ways = keyaudit("access", name, "--from", snapshot, "-o", "json").json["ways"]
            answer = await _answer(client, "access", resource=name, limit=500)
            assert answer["data"]["ways"] == ways
            reached = keyaudit("blast-radius", name, "--from", snapshot, "-o", "json").json if "/" in name else {}
            answer = await _answer(client, "blast_radius", key=name, limit=500) if reached else {"data": {}}
            # The last step of the plan is a command that an assistant does not have.
            same = set(answer["data"]) & set(reached) - {"gaps", "plan"}
            assert {member: answer["data"][member] for member in same} == {member: reached[member] for member in same}
            assert "edges" in same or not reached
        coverage = await _answer(client, "coverage", limit=500)
        assert coverage["data"]["gaps"] == report["gaps"]
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
        assert "none of the policies" in await _refused(client, "findings", policy="kv-no-such-policy")
        assert "none of the policies" in await _refused(client, "explain", id="0123456789abcdef")
        assert "no page" in await _refused(client, "coverage", limit=0)


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
