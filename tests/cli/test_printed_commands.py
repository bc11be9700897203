"""The commands of plans, and those that doctor, permissions and guardrails print, are ones that the Azure CLI takes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Keyaudit
from tests.rehearsal.reader import prepare
from tests.rehearsal.stage import staged

pytestmark = pytest.mark.exhaustive

PLANS = (
    ("blast-radius", "etl-runner"),
    ("blast-radius", "Alpine Ski House Booking"),
    ("blast-radius", "kv-data-prod/storage-cmk"),
    ("rotation", "kv-data-prod/storage-cmk"),
)
"""These print every kind of command about contoso; incident has the plan of blast-radius."""

GUARDRAILS = ("azure-policy", "app-management-policy")
"""Those that az sends as they are. It reads the template of alerts, fetches bicep, and does not run terraform."""

SHELL = (
    "scope=/subscriptions/00000000-0000-0000-0000-000000000001 PRINCIPAL_ID=00000000-0000-0000-0000-000000000002"
    " vault=kv-data-prod hsm=hsm-contoso-trust to=https://graph.microsoft.com/v1.0/servicePrincipals body='{}'"
)
"""What the script of permissions sets before its commands."""


def commands(found: Any) -> Iterator[str]:
    """Each text of a document that is a command."""
    if isinstance(found, str):
        if found.startswith("az "):
            yield found
    elif isinstance(found, dict | list):
        for each in found.values() if isinstance(found, dict) else found:
            yield from commands(each)


@pytest.fixture
def printed(keyaudit: Keyaudit, contoso: Path, blind_spots: Path) -> dict[str, str]:
    """A command for each combination of words and options."""
    documents = [keyaudit(*plan, "--from", contoso, "-o", "json").json for plan in PLANS]
    documents.append(keyaudit("doctor", "--from", blind_spots, "-o", "json").json)
    documents.append([line.strip() for line in keyaudit("permissions", "--as", "az").out.splitlines()])
    documents += [[line.strip() for line in keyaudit("guardrails", "--as", kind).err.splitlines()] for kind in GUARDRAILS]
    return {_kind(command): command for command in commands(documents)}


def _kind(command: str) -> str:
    words = command.partition(" -")[0]
    return f"{words} {' '.join(sorted(re.findall(r' (--[a-z-]+)', command)))}"


async def test_az_itself_refuses_no_command_of_a_plan(printed: dict[str, str]) -> None:
    """Against a tenant that refuses writes, as in tests/rehearsal: what az refuses never becomes a request."""
    assert len(printed) > 8
    refused = []
    async with staged(writable=False) as stage:
        for command in printed.values():
            stage.reset()
            await prepare(stage, command, ())
            (stage.folder / "new.pem").write_text("")
            (stage.folder / "FILE").write_text("{}")
            stage.simulator.requests.clear()
            ran = await stage.run(f"{SHELL}; {command}")
            asked = [host for _, host, _ in stage.simulator.requests if not host.startswith("login.")]
            if ran.status == 2 or (ran.status != 0 and not asked):
                refused.append((command, ran.errors.strip().splitlines()[-1]))
    assert refused == []
