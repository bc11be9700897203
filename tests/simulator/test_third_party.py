"""Unmodified azure-identity, KeyClient and msgraph-sdk work, led here by environment variables alone."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from keyaudit.simulator.estate import Logs, Posture, Row
from keyaudit.simulator.serve import Simulator, serve
from tests.collect.with_agents import FIRST, FOREIGN_APP, OWN_APP, WITH_AGENTS
from tests.simulator.small import AS_OF, GROUP, RSA, SMALL

pytestmark = pytest.mark.exhaustive
PROGRAM = Path(__file__).with_name("third_party.py")


async def _run(simulator: Simulator, what: str) -> Any:
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        what,
        env={**environ, **simulator.environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return json.loads(out)


async def test_identity_and_keys() -> None:
    # A user's id token is checked by the client's own clock, so the simulator takes that one here.
    async with serve(SMALL, now=time.time) as simulator:  # noqa: TID251 -- the other process reads the same clock
        seen = await _run(simulator, "keys")
    identity, sync = seen["identity"], seen["sync"]
    assert identity["parts"] == 2
    assert "AADSTS7000215" in identity["error"]
    assert identity["prompts"] == ["SIMULATED"]
    assert identity["user tokens"] == 2
    assert sync["names"] == ["backing", "elliptic", "exportable", "old", "Signing"]
    assert (sync["versions"], sync["deleted"], sync["deleted whole"]) == (3, ["gone"], "gone")
    assert (sync["type"], sync["operations"], sync["platform"]) == ("RSA", list(RSA), "0")
    assert sync["expires"] == "2027-09-14T11:06:40+00:00"
    assert sync["rotation"] == [["Rotate", "P90D", None], ["Notify", None, "P30D"]]
    assert sync["expiry"] == "P1Y"
    assert sync["unset"] == [None, None, ["Notify"]]
    assert sync["error"] == "KeyNotFound"
    assert seen["async"] == {"names": 61, "versions": 30, "found": True, "policy": ["Notify"], "error": 404}
    assert simulator.refused == []


async def test_graph_models_of_agents() -> None:
    async with serve(WITH_AGENTS) as simulator:
        seen = await _run(simulator, "agents")
    # The plain lists have them by their types, among all others.
    assert seen["plain"] == 3
    assert seen["agents"] == [["p3", OWN_APP], ["p4", OWN_APP], ["p5", FOREIGN_APP]]
    assert seen["same id"] is True
    assert [app_id for app_id, _ in seen["principals"]] == [OWN_APP, FOREIGN_APP]
    assert (seen["blueprints"], seen["registered"]) == ([OWN_APP], 1)
    assert seen["users"] == [FIRST]
    assert simulator.refused == []


class _Events:
    """One sign-in and one change."""

    def table(self, workspace: str, table: str, first: float, until: float) -> list[Row] | None:
        return None

    def graph(self, collection: str, first: float, until: float) -> list[Row]:
        entry = {"id": "1", "createdDateTime": "2026-11-01T00:00:00Z", "activityDateTime": "2026-11-01T00:00:00Z"}
        return [{**entry, "ipAddress": "198.51.100.7", "activityDisplayName": "Add user"}]


async def test_graph_models() -> None:
    posture = Posture(security_defaults=False, conditional_access=({"id": "c1", "displayName": "MFA", "state": "enabled"},))
    async with serve(structs.replace(SMALL, posture=posture, logs=Logs(events=_Events()))) as simulator:
        seen = await _run(simulator, "graph")
    assert (seen["applications"], seen["pages"]) == (130, 2)
    assert seen["certificate"] == ["Verify", 68]
    assert seen["owners"] == 25
    assert seen["federated"] == ["https://token.actions.githubusercontent.com", "https://issuer.example"]
    assert seen["principals"] == ["Application", "ManagedIdentity"]
    assert seen["tenant"] == ["Small (simulated tenant)"]
    assert seen["error"] == "Request_ResourceNotFound"
    # The owners of an application, and the administrator that every simulated tenant has.
    assert len(seen["users"]) == 25 + 1
    assert (seen["groups"], seen["role"], len(seen["members"])) == ([GROUP.name], "Global Administrator", 1)
    assert (seen["policies"], seen["sign-ins"], seen["audits"]) == (["enabled"], ["198.51.100.7"], ["Add user"])
    assert simulator.refused == []
    assert not [name for name in simulator.calls if name.endswith((".unknown", ".write"))]
    assert simulator.estate.as_of == AS_OF
