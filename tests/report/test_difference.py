"""A finding is fixed where its row was evaluated again and passes, or is certainly gone; otherwise it is not known to be."""

import json
import re
from collections.abc import Sequence
from io import StringIO

from msgspec import structs

from keyaudit.model.changes.difference import Change, Difference
from keyaudit.model.coverage import Coverage
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import NotJudged, Report
from keyaudit.model.severity import Severity
from keyaudit.report.changes.difference import compare, render_json, render_text
from keyaudit.report.options import Options
from keyaudit.send.digest import Digest, digests
from tests.report.example import (
    CLEAN,
    EXPIRED,
    LOGS,
    PROD,
    PURGE,
    SUB,
    TENANT,
    VAULT_ROW,
    covered,
    finding,
    key_row,
    owned,
)
from tests.report.listings import expiring

WHOLE = (
    covered(TENANT, "subscription.list", kept=1),
    covered(SUB, "vault.list", kept=1),
    covered(PROD, "key.list", kept=1),
    covered(PROD, "key.versions", kept=2),
)
CUT = (*WHOLE[:-1], covered(PROD, "key.versions", Reason.PERMISSION, kept=1, refused=1))
OLD = key_row("signer", vault_kind="key-vault")
NEW = key_row("signer", vault_kind="key-vault", id=f"{OLD['key_id']}/new", version="new", resource_id=f"{OLD['key_id']}/new")
VAULT = {**VAULT_ROW, "scope_id": SUB.id, "kind": "key-vault"}
UNWATCHED = finding(LOGS, Outcome.FAIL, VAULT, "nobody looks")
BROKEN = finding(EXPIRED, Outcome.FAIL, OLD, "signer expired and is still enabled")
REPLACED = finding(EXPIRED, Outcome.PASS, NEW, "")


def read(*found: Finding, coverage: Sequence[Coverage] = WHOLE, not_judged: tuple[NotJudged, ...] = ()) -> Report:
    """A report with these findings."""
    verdict = structs.replace(CLEAN.verdict, coverage=tuple(coverage), not_judged=not_judged)
    return structs.replace(
        CLEAN,
        verdict=verdict,
        findings=lambda passes: (each for each in found if passes or each.outcome is not Outcome.PASS),
        owned=lambda _: owned(found),
    )


def became(old: Report, new: Report) -> list[Change]:
    return [each.change for each in compare(old, new).changes]


def test_a_finding_is_fixed_whose_row_passes_or_is_gone() -> None:
    row_passes = finding(EXPIRED, Outcome.PASS, OLD, "")
    assert became(read(BROKEN), read(row_passes)) == [Change.FIXED]
    assert became(read(BROKEN), read(row_passes, coverage=CUT)) == [Change.FIXED]
    assert became(read(BROKEN), read(REPLACED)) == [Change.FIXED]
    assert became(read(BROKEN), read()) == [Change.FIXED]


def test_a_version_that_was_not_listed_is_not_fixed_because_its_successor_passes() -> None:
    assert became(read(BROKEN), read(REPLACED, coverage=CUT)) == [Change.DARK]


def test_a_finding_that_became_unknown_is_not_fixed_even_where_another_row_of_its_subject_passes() -> None:
    unknown = finding(EXPIRED, Outcome.UNKNOWN, OLD, "", unknown={"expires_on": Reason.PERMISSION})
    assert became(read(BROKEN), read(unknown, REPLACED)) == [Change.DARK]


def test_a_finding_is_not_fixed_by_leaving_out_the_evidence_of_its_policy() -> None:
    without = (NotJudged(policy=LOGS, needs=("logs",)),)
    before, after = read(UNWATCHED, BROKEN), read(not_judged=without)
    assert sorted(became(before, after)) == [Change.DARK, Change.FIXED]
    assert became(read(UNWATCHED), read()) == [Change.FIXED]
    found = compare(before, after)
    assert "no longer evaluated: 1 needs logs (supply it with --import logs=DIR)" in shown(found)
    assert in_json(found)["not_judged"] == [{"policy": LOGS.id, "needs": ["logs"]}]
    # A policy that was not evaluated before, either, is nothing that changed.
    same = compare(read(not_judged=without), after)
    assert "no longer evaluated" not in shown(same)
    assert in_json(same)["not_judged"] == []


def test_a_finding_is_not_fixed_where_required_evidence_is_missing() -> None:
    on_tenant = Finding(
        policy=LOGS, outcome=Outcome.UNKNOWN, severity=LOGS.severity, subject=TENANT.id, message="", scope=TENANT
    )
    assert became(read(UNWATCHED), read(on_tenant)) == [Change.DARK]
    # A list that was not read says so in the coverage: what other lists show to be gone is fixed.
    of_list = structs.replace(on_tenant, policy=PURGE)
    assert became(read(finding(PURGE, Outcome.FAIL, VAULT, "")), read(of_list)) == [Change.FIXED]


def test_owners_are_told_what_is_no_longer_evaluated_and_no_gate_recovers_by_it() -> None:
    failing = structs.replace(CLEAN.verdict, failed={Severity.HIGH: 1}, exit=Exit.FINDINGS, conditions=(Exit.FINDINGS,))
    before = structs.replace(read(UNWATCHED), verdict=structs.replace(failing, coverage=WHOLE))
    blind, fixed = read(not_judged=(NotJudged(policy=LOGS, needs=("logs",)),)), read()
    told, recovered = ("\n".join(each.body for each in notified(before, after)) for after in (blind, fixed))
    assert re.search(
        r"no longer readable: [0-9a-f]{6} log-key-use-unwatched is violated: kv-prod \(log-key-use-unwatched\)", told
    )
    assert "no longer readable: 1 policy is no longer evaluated: 1 needs logs" in told
    assert "gate passes again" not in told
    assert "gate passes again" in recovered
    assert "no longer" not in recovered


def notified(before: Report, after: Report) -> Sequence[Digest]:
    return digests(before, after, {}, expiring(()), Severity.HIGH)


def shown(found: Difference) -> str:
    out = StringIO()
    render_text(found, out, Options())
    return " ".join(out.getvalue().split())


def in_json(found: Difference) -> dict[str, object]:
    out = StringIO()
    render_json(found, out, Options())
    return dict(json.loads(out.getvalue()))
