"""Expectations: what an identity cannot see is missed where somebody said that it must be there."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from keyaudit import audit
from keyaudit.inventory.expectations import unmet
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.gating.acceptance import Acceptance
from keyaudit.model.gating.allowances import Allowance
from keyaudit.model.gating.expectations import Expectations
from keyaudit.policy.load import load
from keyaudit.policy.settings import Judging
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF, ESTATE, FIRST_ID, SUBSCRIPTION
from tests.collect.rig import take

VAULT = FIRST_ID.rpartition("/")[2]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return asyncio.run(take(tmp_path_factory.mktemp("whole") / "out", estate=ESTATE))


def without(member: str) -> Callable[[dict[str, Any]], object]:
    """An answer that leaves the vault out, and says of nothing that it is not all."""

    def edit(body: dict[str, Any]) -> object:
        kept = [item for item in body[member] if VAULT not in item["id"].lower()]
        counted = {name: len(kept) if name in ("count", "totalRecords") else value for name, value in body.items()}
        return {**counted, member: kept}

    return edit


def missed(snapshot: Snapshot, expected: Expectations, earlier: Snapshot | None = None) -> list[tuple[str, str, str]]:
    return [(gap.reason, gap.scope.kind, gap.detail) for gap in unmet(snapshot, expected, earlier)]


async def test_what_is_there_is_not_missed(whole: Snapshot) -> None:
    rows = whole.run.rows
    expected = Expectations(
        subscriptions=(SUBSCRIPTION.upper(),),
        vaults=(VAULT.upper(), "kv-*", FIRST_ID),
        at_least={"key": rows["key"], "application": rows["application"]},
        shrinkage=0,
    )
    assert missed(whole, expected, whole) == []


async def test_what_is_not_there_is_missed(whole: Snapshot) -> None:
    expected = Expectations(
        subscriptions=("elsewhere", "\x1b[2J*"), vaults=("kw-*", "kv-*"), at_least={"application": 1_000, "key": 1}
    )
    assert missed(whole, expected) == [
        ("not_visible", "tenant", "expected subscription elsewhere"),
        ("not_visible", "tenant", "expected subscription \\x1b[2J*"),
        ("not_visible", "tenant", "expected vault kw-*"),
        ("not_visible", "tenant", f"applications: {whole.run.rows['application']} seen, at least 1,000 expected"),
    ]


async def test_a_vault_that_both_lists_leave_out_is_missed(tmp_path: Path, whole: Snapshot) -> None:
    faults = (Fault("vault.list", "every", edit=without("value")), Fault("vault.query", "every", edit=without("data")))
    partly = await take(tmp_path / "partly", *faults, estate=ESTATE)
    assert missed(partly, Expectations(vaults=(VAULT,))) == [("not_visible", "tenant", f"expected vault {VAULT}")]
    found = missed(partly, Expectations(shrinkage=10), whole)
    assert {reason for reason, _, _ in found} == {"shrinkage"}
    assert any(detail.startswith("vaults: ") and "at most 10 % fewer expected" in detail for _, _, detail in found)


async def test_keys_that_are_no_longer_listed_are_missed_in_their_vault(tmp_path: Path, whole: Snapshot) -> None:
    empty: dict[str, object] = {"value": [], "nextLink": None}
    # ARM, which spells the name as it was given, would contradict an empty list of keys.
    faults = (Fault("key.list", "every", where=VAULT, body=empty), Fault("arm.key.list", "every", where="kv-First", body=empty))
    partly = await take(tmp_path / "partly", *faults, estate=ESTATE)
    keys = whole.run.rows["key"]
    found = missed(partly, Expectations(shrinkage=100), whole)
    assert {(reason, kind) for reason, kind, _ in found} == {("shrinkage", "vault")}
    assert any("key versions: none seen, " in detail for *_, detail in found)
    assert missed(partly, Expectations(at_least={"key": keys})) != []


async def test_evidence_that_is_no_longer_supplied_is_missed(whole: Snapshot) -> None:
    logged = structs.replace(whole, run=structs.replace(whole.run, evidence={"logs": "ab" * 32}))
    [(reason, kind, detail)] = missed(whole, Expectations(shrinkage=100), logged)
    assert (reason, kind) == ("shrinkage", "tenant")
    assert detail.startswith("logs: not supplied, supplied on ")
    assert missed(logged, Expectations(shrinkage=0), logged) == missed(logged, Expectations(shrinkage=0), whole) == []


@pytest.mark.exhaustive
async def test_what_is_missed_gates_unless_it_is_allowed(whole: Snapshot) -> None:
    policies = [policy for policy in load() if policy.text.id == "kv-purge-protection-off"]

    def verdict(expected: Expectations, *allowed: str) -> tuple[Exit, bool]:
        accepted = Acceptance(allowances=tuple(Allowance.parse(each) for each in allowed))
        missing = unmet(whole, expected) if expected else None
        with audit.judge(whole, policies, Judging(as_of=AS_OF), accepted, unmet=missing) as report:
            return report.verdict.exit, report.verdict.expected

    assert verdict(Expectations()) == (Exit.CLEAN, False)
    assert verdict(Expectations(vaults=("kv-*",))) == (Exit.CLEAN, True)
    assert verdict(Expectations(vaults=("kw-*",))) == (Exit.INCOMPLETE, True)
    assert verdict(Expectations(vaults=("kw-*",)), "reason=not_visible") == (Exit.CLEAN, True)
