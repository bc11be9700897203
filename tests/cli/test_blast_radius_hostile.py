"""A name that means something to a terminal, a shell, Graphviz or a browser does nothing in `keyaudit blast-radius`."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent
from msgspec.structs import replace

from keyaudit.cli.mcp.tools import Tools, server
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit
from tests.cli.stolen import SAML, asked_of, collected, stolen

HOSTILE = (
    '"];x[URL="javascript:alert(1)" \N{RIGHT-TO-LEFT OVERRIDE}\x1b[31m<script>&amp;\\N$(id)`id`\'; rm -rf ~ ##[error]::set'
)


OUTPUTS = ("text", "json", "dot", "html")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    whole = stolen()
    applications = tuple(replace(one, name=HOSTILE) if one.name == "etl-runner" else one for one in whole.applications)
    principals = tuple(
        replace(one, name=HOSTILE) if one.name in ("etl-runner", "github-deploy-orders", SAML) else one
        for one in whole.service_principals
    )
    estate = replace(whole, applications=applications, service_principals=principals)
    return collected(tmp_path_factory.mktemp("hostile") / "snapshot", estate)


@pytest.mark.exhaustive
def test_a_hostile_name_does_nothing_in_any_format(keyaudit: Keyaudit, hostile: Path) -> None:
    (digest,) = asked_of(hostile, "SELECT thumbprint FROM credential WHERE holder_name = 'etl-runner-test'")
    ran = {output: keyaudit("blast-radius", digest, "--from", hostile, "-o", output) for output in OUTPUTS}
    for output, each in ran.items():
        assert each.code == Exit.CLEAN, each.err
        for bad in ("\x1b", "\N{RIGHT-TO-LEFT OVERRIDE}", "##[error]", *(["::set"] if output != "json" else [])):
            assert bad not in each.out, output
    for line in ran["dot"].out.splitlines():
        assert strings_removed(line).count('"') == 0, line
        assert "URL" not in strings_removed(line)
    assert "&amp;amp;" in ran["dot"].out
    assert HOSTILE in {node["name"] for node in ran["json"].json["nodes"]}
    commands = [command for step in ran["json"].json["plan"] for command in step["commands"] if step["shell"] == "cli"]
    assert commands
    for command in commands:
        words = shlex.split(command)
        assert words[0] in ("az", "keyaudit")
        assert not {"rm", "-rf", "~"}.intersection(words)
    assert "<script" not in ran["html"].out.lower()
    assert "default-src 'none'" in ran["html"].out
    assert json.dumps(HOSTILE) not in ran["html"].out


def strings_removed(line: str) -> str:
    """A line of DOT without its strings, in which a backslash takes the next character along."""
    kept, inside, at = "", False, 0
    while at < len(line):
        if inside and line[at] == "\\":
            at += 2
            continue
        if line[at] == '"':
            inside = not inside
        elif not inside:
            kept += line[at]
        at += 1
    assert not inside
    return kept


@pytest.mark.exhaustive
async def test_a_hostile_name_is_data_to_an_assistant_whatever_it_asks_the_snapshot(hostile: Path) -> None:
    taken = open_snapshot(hostile)
    (digest,) = asked_of(hostile, "SELECT thumbprint FROM credential WHERE holder_name = 'etl-runner-test'")
    questions: list[tuple[str, dict[str, object]]] = [
        ("expiring", {"within_days": 36_500, "limit": 500}),
        ("blast_radius", {"key": digest, "limit": 500}),
        ("access", {"resource": "kv-orders-prod", "limit": 500}),
    ]
    met = set[str]()
    async with Client(server(Tools(taken, taken.run.as_of, None))) as client:  # type: ignore[arg-type]
        for tool, given in questions:
            answer: dict[str, Any] = {"more": True, "next_offset": 0}
            while answer["more"]:
                result = await client.call_tool(tool, {**given, "offset": answer["next_offset"]})
                (text,) = result.content
                assert isinstance(text, TextContent)
                answer = json.loads(text.text)
                met.update({tool} if "rm -rf" in json.dumps(answer["data"]) else ())
                outside = {name: value for name, value in answer.items() if name != "data"}
                assert "rm -rf" not in json.dumps(outside)
    assert met == {"expiring", "blast_radius", "access"}
