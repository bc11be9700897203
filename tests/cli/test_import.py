"""--import: evidence that Azure does not hold, from the file to the verdict."""

import json
from pathlib import Path

import pytest

from keyaudit.cli.options import Live, Stored
from keyaudit.cli.sources.source import named
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit

OF_CONTOSO = "X/Microsoft Exchange Hosted Organizations/contoso.onmicrosoft.com - X/ConfigurationUnits/y"
POLICY = """
id: own-unified-audit
title: The unified audit log takes events in
severity: critical
table: tenant
violated_when: not unified_audit_enabled
message: "unified audit is off"
why: Because.
problem: Something is wrong
fix: {text: Switch it on.}
references: [NIST]
needs: unified-audit
examples:
  - {why: "on", expect: pass, unified_audit_enabled: true}
  - {why: "off", expect: fail, unified_audit_enabled: false}
  - {why: not told, expect: unknown, unified_audit_enabled: unknown}
"""
DEMO = ("--demo", "--estate", "sized:1x1", "--quiet")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "own-unified-audit.yaml").write_text(POLICY, encoding="utf-8")
    return folder


def exported(tmp_path: Path, **values: object) -> Path:
    path = tmp_path / "ual.json"
    path.write_text(json.dumps(values), encoding="utf-16")
    return path


def _gate(own: Path, *arguments: str | Path) -> tuple[str | Path, ...]:
    return ("gate", "--policies", own, "--select", "own-unified-audit", "-o", "json", *arguments)


def test_without_the_file_a_policy_on_it_is_not_judged_and_says_how_it_would_be(keyaudit: Keyaudit, own: Path) -> None:
    ran = keyaudit(*_gate(own, *DEMO))
    assert [each["policy"] for each in ran.json["not_judged"]] == ["own-unified-audit"]
    assert not ran.json["findings"]
    ran = keyaudit("report", "--policies", own, "--select", "own-unified-audit", *DEMO)
    assert "supply it with --import ual=FILE" in " ".join(ran.out.split())


@pytest.mark.parametrize(("on", "code"), [(True, Exit.CLEAN), (False, Exit.FINDINGS)])
def test_with_the_file_it_is_judged(keyaudit: Keyaudit, own: Path, tmp_path: Path, on: bool, code: Exit) -> None:
    file = exported(tmp_path, UnifiedAuditLogIngestionEnabled=on)
    ran = keyaudit(*_gate(own, *DEMO, "--import", f"ual={file}"))
    assert ran.code == code
    assert ran.json["not_judged"] == []
    assert set(ran.json["run"]["evidence"]) == {"unified-audit"}


def test_a_file_that_lacks_what_a_policy_asks_for_leaves_it_unknown(keyaudit: Keyaudit, own: Path, tmp_path: Path) -> None:
    file = exported(tmp_path, AuditDisabled=False)
    ran = keyaudit(*_gate(own, *DEMO, "--import", f"ual={file}"))
    assert ran.code == Exit.INCOMPLETE
    [finding] = ran.json["findings"]
    assert (finding["outcome"], finding["unknown"]) == ("unknown", {"unified_audit_enabled": "not_supplied"})


@pytest.mark.exhaustive
def test_a_snapshot_keeps_what_was_imported_and_takes_nothing_later(keyaudit: Keyaudit, own: Path, tmp_path: Path) -> None:
    file = exported(tmp_path, UnifiedAuditLogIngestionEnabled=False, OrganizationId=OF_CONTOSO)
    out = tmp_path / "out"
    assert keyaudit("collect", "--demo", "--quiet", "--out", out, "--import", f"ual={file}").code == Exit.CLEAN
    assert set(open_snapshot(out).run.evidence) == {"unified-audit"}
    assert keyaudit(*_gate(own, "--from", out)).code == Exit.FINDINGS
    ran = keyaudit(*_gate(own, "--from", out, "--import", f"ual={file}"))
    assert ran.code == Exit.USAGE
    assert "is read together with the tenant" in ran.err


def test_a_collection_goes_on_with_the_evidence_it_was_begun_with(keyaudit: Keyaudit, tmp_path: Path) -> None:
    file = exported(tmp_path, UnifiedAuditLogIngestionEnabled=True, OrganizationId=OF_CONTOSO.replace("contoso", "fabrikam"))
    out = tmp_path / "out"
    # The wrong file ends the run once the tenant's domains are known, and what was read until then stays.
    assert keyaudit("collect", *DEMO, "--out", out, "--import", f"ual={file}").code == Exit.UNSAFE
    ran = keyaudit("collect", *DEMO, "--out", out, "--resume")
    assert ran.code == Exit.USAGE
    assert "not the file that this collection started with" in ran.err


def test_a_file_of_another_organization_is_refused_for_safety(keyaudit: Keyaudit, tmp_path: Path) -> None:
    other = OF_CONTOSO.replace("contoso", "fabrikam")
    file = exported(tmp_path, UnifiedAuditLogIngestionEnabled=True, OrganizationId=other)
    ran = keyaudit("report", *DEMO, "--import", f"ual={file}")
    assert ran.code == Exit.UNSAFE
    assert "fabrikam.onmicrosoft.com, which is not a domain of the audited tenant" in ran.err


def test_a_file_that_cannot_be_used_ends_the_run_before_anything_is_read(keyaudit: Keyaudit, tmp_path: Path) -> None:
    file = tmp_path / "ual.json"
    file.write_text("{", encoding="utf-8")
    ran = keyaudit("collect", "--demo", "--out", tmp_path / "out", "--import", f"ual={file}")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert f"{file}:1:2: not JSON" in ran.err
    assert "Get-AdminAuditLogConfig" in ran.err
    assert not (tmp_path / "out").exists()


def test_one_file_is_not_taken_for_several_tenants(keyaudit: Keyaudit, tmp_path: Path) -> None:
    file = exported(tmp_path, UnifiedAuditLogIngestionEnabled=True)
    ran = keyaudit("report", *DEMO, "--tenant", "a.example", "--tenant", "b.example", "--import", f"ual={file}")
    assert ran.code == Exit.USAGE
    assert "accepts only one tenant" in ran.err


def test_what_to_run_next_takes_the_same_evidence_in() -> None:
    live, stored = Live(imports=["logs=uses"]), Stored(from_=[Path("snapshot")])
    assert named(live, stored) == "--from snapshot --import 'logs=uses'"


def test_a_list_of_repositories_settles_what_a_stored_snapshot_left_open(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    file, family = tmp_path / "repositories.csv", ("--select", "fed-fic-mutable-subject", "--select", "fed-fic-foreign-*")
    file.write_text("host,path,id,owner_id\ngithub.com,contoso-retail/orders,70814240,999\n", encoding="utf-8")
    report = ("report", "--from", contoso, *family, "-o", "json")
    before = keyaudit(*report)
    assert {finding["severity"] for finding in before.json["findings"]} == {"low", "medium"}
    assert [entry["policy"] for entry in before.json["not_judged"]] == ["fed-fic-foreign-repository"]
    after = keyaudit(*report, "--import", f"repositories={file}")
    assert after.json["not_judged"] == []
    # Other credentials of the tenant have recorded another id of the owner: somebody else has the name now.
    [preview] = [f for f in after.json["findings"] if "reviews" in f["resource"] and f["outcome"] == "fail"]
    assert preview["severity"] == "high"
    assert "somebody has re-registered that name" in preview["message"]
    foreign = [f for f in after.json["findings"] if f["policy"] == "fed-fic-foreign-repository" and f["outcome"] == "fail"]
    assert any("repo:contoso-retail@5521904/storefront@70814233" in f["message"] for f in foreign)


def test_a_broken_list_of_repositories_ends_the_run_before_anything_is_read(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    file = tmp_path / "repositories.json"
    file.write_text('[{"full_name": "contoso/orders"}]', encoding="utf-8")
    ran = keyaudit("report", "--from", contoso, "--import", f"repositories={file}")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert (
        f"--import repositories: {file}: repository 1: has no html_url; write it as keyaudit explain evidence shows" in ran.err
    )
