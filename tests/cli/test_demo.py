"""The simulated tenants, end to end: exactly what was planted is found, and what could not be read never passes."""

from pathlib import Path

import pytest

from keyaudit.cli.clock import clock_of
from keyaudit.cli.options import Live
from keyaudit.cli.settings.run_settings import settle
from keyaudit.cli.sources import live
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.values.times import parse_time
from keyaudit.policy.load import load
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estates import estate
from tests.cli.conftest import Keyaudit, Reported
from tests.clock import at
from tests.planted import differences

DAY = 86_400


def _planted(name: str, as_of: int) -> tuple[Estate, set[tuple[str, str]]]:
    there = estate(name, as_of - as_of % DAY)
    return there, {(plant.policy, plant.subject) for plant in there.plants}


OUT_OF_SIGHT = "agent-foreign-blueprint-with-secret"
"""The policy about what no tenant but the publisher's can see."""
ONLY_ELSEWHERE = ("scope-partner-admin-roles", "kv-api-version-retiring")
"""The policies about what only the tenant of a service provider lists, which contoso is not, and about plans."""


def test_exactly_what_was_planted_is_found(contoso: Path, contoso_report: Reported) -> None:
    _, planted = _planted("contoso", open_snapshot(contoso).run.as_of)
    found = [(f["policy"], f["subject"]) for f in contoso_report.findings("fail")]
    assert differences(set(found), planted) == []
    assert len(found) == len(planted)
    assert {f["policy"] for f in contoso_report.findings("unknown")} == {OUT_OF_SIGHT}


async def test_a_demo_does_not_pace_itself() -> None:
    """A simulated tenant has no limits of its own; a real one has."""
    for demo in (True, False):
        flags = Live(demo=demo)
        async with live.where(flags, clock_of(demo=demo), settle(flags, resume=False)) as source:
            assert source.paced is not demo


def test_causes_group_the_findings_of_one_object_across_tables(contoso_report: Reported) -> None:
    by_cause: dict[tuple[str, str], list[str]] = {}
    for each in contoso_report.findings("fail"):
        if each["cause"]:
            by_cause.setdefault((each["cause"]["kind"], each["cause"]["object"]), []).append(each["policy"])
    alone = sum(each["cause"] is None for each in contoso_report.findings("fail"))
    assert contoso_report.json["causes"] == {"open": alone + len(by_cause)}
    assert all(len(found) > 1 for found in by_cause.values())
    found = {(kind, tuple(sorted(set(policies)))) for (kind, _), policies in by_cause.items()}
    # A secret and its application, a key and its vault, a credential and the certificate with its key.
    assert ("credential", ("app-secret-exists", "app-secret-too-long", "sp-tier0-with-secret")) in found
    assert ("vault-audit-log", ("combo-unobserved-crown-key", "log-keyvault-audit-off")) in found
    assert ("shared-key", ("combo-one-cert-many-identities", "sp-same-credential-on-several")) in found


def test_the_head_of_a_cause_is_the_most_severe(contoso_report: Reported) -> None:
    rank = ["info", "low", "medium", "high", "critical"].index
    found = {each["id"]: each for each in contoso_report.findings("fail")}
    for each in found.values():
        if each["cause"]:
            head = found[each["cause"]["head"]]
            assert head["cause"] == each["cause"]
            assert rank(head["severity"]) >= rank(each["severity"]), (head["policy"], each["policy"])


@pytest.mark.parametrize(
    "moment",
    [
        "2028-02-29T12:02:00Z",
        *(pytest.param(each, marks=pytest.mark.exhaustive) for each in ("2026-11-24T00:00:30Z", "2026-12-31T23:58:00Z")),
    ],
)
def test_the_demo_has_the_same_ids_at_any_hour_of_any_day(keyaudit: Keyaudit, contoso_report: Reported, moment: str) -> None:
    with at(parse_time(moment)):
        ran = keyaudit("report", "--demo", "--select", "kv-*", "-o", "json", "--quiet")
    assert ran.code == Exit.CLEAN
    # The hour is that of the machine, so that of two snapshots of a day the second is later.
    assert ran.json["run"]["as_of"][:16] == f"2026-11-24{moment[10:16]}"
    usual = [each for each in contoso_report.findings("fail") if each["policy"].startswith("kv-")]
    assert {f["id"]: f["severity"] for f in ran.json["findings"]} == {f["id"]: f["severity"] for f in usual} != {}


def test_every_policy_fires_somewhere_and_not_everywhere(contoso_report: Reported) -> None:
    for tally in contoso_report.json["policies"]:
        if tally["id"] in (OUT_OF_SIGHT, *ONLY_ELSEWHERE):
            continue
        failed = sum(tally["failed"].values())
        id_ = tally["id"]
        assert failed > 0, f"{id_} finds nothing in contoso: plant a defect for it in keyaudit/simulator/estates/"
        # Of a tenant there is one, and it has every defect on purpose.
        assert tally["passed"] + tally["not_applicable"] > 0 or failed < 5, f"{id_} finds each of {failed} objects"
        assert not any(tally["unknown"].values()), f"{id_} is unknown in contoso, of which everything is read"


def test_a_report_is_incomplete_by_what_is_required_and_a_gate_by_each_unknown_result(
    keyaudit: Keyaudit, contoso: Path, contoso_report: Reported
) -> None:
    """Only another organization can see the credentials of one blueprint."""
    assert contoso_report.json["verdict"]["exit"] == Exit.CLEAN
    none_open = ("gate", "--from", contoso, "--select", "agent-foreign-blueprint-with-secret")
    assert keyaudit(*none_open).code == Exit.INCOMPLETE
    assert keyaudit(*none_open, "--allow-gap", "reason=publisher_only").code == Exit.CLEAN


def test_where_all_is_as_it_should_be_no_policy_fires_and_the_gate_is_green(keyaudit: Keyaudit, hardened: Path) -> None:
    report = keyaudit("gate", "--from", hardened, "--fail-on", "low", "-o", "json")
    assert report.code == Exit.CLEAN
    assert report.json["findings"] == []
    passed = {tally["id"] for tally in report.json["policies"] if tally["passed"]}
    assert {"kv-key-rotation-overdue", "kv-purge-protection-off", "app-cert-too-long"} <= passed
    assert {policy.text.id for policy in load() if policy.text.id.startswith("fed-fic-") and not policy.text.needs} <= passed


def test_the_demo_needs_no_snapshot_and_says_that_it_is_simulated(keyaudit: Keyaudit) -> None:
    report = keyaudit("report", "--demo", "--estate", "sized:2x3x1x4", "--select", "kv-purge-*", "--select", "app-secret-*")
    assert report.code == Exit.CLEAN
    assert report.out.startswith("SIMULATED TENANT")
    assert "(simulated tenant)" in report.out
    assert len(report.out.splitlines()) <= 45
    assert "reading tenant" in report.err


def test_blind_spots_are_seven_gaps_each_with_reason_and_remedy(blind_spots: Path, blind_report: Reported) -> None:
    gaps = {(gap["reason"], gap["scope"]["name"]) for gap in blind_report.json["gaps"]}
    assert gaps == {
        ("firewall", "kv-payments-prod"),
        ("permission", "kv-hr-prod"),
        ("vanished", "kv-stores-dev"),
        ("permission", "kv-orders-prod"),
        ("permission", "hsm-contoso-trust"),
        ("optional_right", "hsm-contoso-trust"),
        ("permission", _planted("blind-spots", open_snapshot(blind_spots).run.as_of)[0].tenant_id),
    }
    assert len(blind_report.json["gaps"]) == 7
    assert blind_report.json["verdict"]["exit"] == Exit.INCOMPLETE


def test_no_policy_passes_on_what_was_not_read(blind_spots: Path, blind_report: Reported, contoso_report: Reported) -> None:
    there, planted = _planted("blind-spots", open_snapshot(blind_spots).run.as_of)
    failed = {(f["policy"], f["subject"]) for f in blind_report.findings("fail")}
    assert differences(failed, planted) == []
    whole = {(f["policy"], f["subject"]) for f in contoso_report.findings("fail", "unknown")}
    passed = {(f["policy"], f["subject"]) for f in blind_report.findings("pass")}
    # What fails where everything can be read may be unknown where it cannot, and never a pass.
    assert contoso_report.json["run"]["tenant"]["id"] == there.tenant_id
    assert not passed & whole
    blind = {vault.name for vault in there.vaults if vault.access != "open" or vault.vanishes_after is not None}
    for finding in blind_report.findings("pass"):
        if finding["policy"].startswith(("kv-key", "use-")):
            assert finding["row"].get("vault_name") not in blind, finding


@pytest.mark.parametrize("size", ["sized:3x4x2x5"])
def test_a_sized_tenant_has_what_its_size_says(keyaudit: Keyaudit, tmp_path: Path, size: str) -> None:
    assert keyaudit("collect", "--demo", "--estate", size, "--out", tmp_path / "s").code == Exit.CLEAN
    rows = open_snapshot(tmp_path / "s").run.rows
    assert (rows["vault"], rows["key"], rows["application"]) == (3, 3 * 4 * 2, 5)


def test_the_canary_of_secret_values_is_nowhere(
    contoso: Path, blind_spots: Path, contoso_report: Reported, blind_report: Reported
) -> None:
    from keyaudit.simulator.wire import CANARY  # noqa: PLC0415

    for folder, report in ((contoso, contoso_report), (blind_spots, blind_report)):
        for path in folder.rglob("*"):
            assert path.is_dir() or CANARY.encode() not in path.read_bytes()
        assert CANARY not in report.text
