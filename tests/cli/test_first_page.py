"""The first page is the order in which an architect would act, and rests on no name."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from keyaudit.cli.clock import SystemClock
from keyaudit.model.errors import Exit
from keyaudit.model.stakes import Stake
from keyaudit.model.times import iso_date
from keyaudit.simulator.estate import DirectoryRole, DirectoryRoleGrant, Estate, SignIn
from keyaudit.simulator.estates import estate
from keyaudit.simulator.estates.ids import DAY
from keyaudit.simulator.estates.ordinary import ground_of
from keyaudit.simulator.estates.ordinary_made import Maker
from tests.cli.conftest import Keyaudit, Reported
from tests.cli.tenants import running
from tests.estates import snapshot

HEADINGS = {stake.heading: stake for stake in Stake}
RANKS = ["LOW", "MEDIUM", "HIGH", "CRITICAL"]
TIER0 = "keyaudit report --full --select sp-can-take-over-tenant"


class Entry(NamedTuple):
    """A row of the screen."""

    severity: str
    id: str
    said: str
    below: str


def groups(text: str) -> dict[Stake, list[Entry]]:
    """The rows of a first screen by group, in order."""
    found: dict[Stake, list[Entry]] = {}
    lines = text.splitlines()
    of: Stake | None = None
    for number, line in enumerate(lines):
        of = HEADINGS.get(line, of)
        entry = re.fullmatch(r"(CRITICAL|HIGH|MEDIUM) +([0-9a-f]{6}) (.*)", line)
        if entry:
            assert of is not None
            found.setdefault(of, []).append(Entry(entry[1], entry[2], entry[3], lines[number + 1].strip()))
    return found


def said(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def served(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a report on an estate."""

    def run(tenant: Estate, *more: str) -> Any:
        with running(tenant) as simulated:
            for name, value in simulated.environ.items():
                monkeypatch.setenv(name, value)
            return keyaudit("report", "--auth", "env", *more)

    return run


def test_contoso_begins_with_evidence_then_the_tenant_then_the_key_of_2016(keyaudit: Keyaudit, contoso: Path) -> None:
    """The three questions of an architect, each answered by what was planted for it."""
    ran = keyaudit("report", "--from", contoso)
    found = groups(ran.out)
    assert list(found) == list(Stake)
    # Somebody made Microsoft's own mail service sign in with a secret of theirs, as in 2023.
    assert any("Office 365 Exchange Online" in entry.said for entry in found[Stake.COMPROMISE])
    assert all("keep" in entry.below or "ask" in entry.below for entry in found[Stake.COMPROMISE])
    assert found[Stake.TAKEOVER][0].said.startswith("Billing API: active client secret")
    # The key of README's story: created in 2016, and used across a boundary.
    assert found[Stake.DATA][0].said.startswith("kv-identity-prod/keys/consumer-")
    assert "owner identity-platform; fix: " in found[Stake.DATA][0].below
    lines = ran.out.splitlines()
    assert len(lines) <= 45
    # A command is never cut.
    assert all(len(line) <= 80 for line in lines if "keyaudit report" not in line and not line.startswith("Next: "))


def test_no_first_step_takes_something_away(contoso: Path, keyaudit: Keyaudit) -> None:
    for entries in groups(keyaudit("report", "--from", contoso).out).values():
        assert not any(re.search(r"fix: .*\b(?:delete|remove|purge|revoke)\b", entry.below) for entry in entries)


@pytest.mark.parametrize("name", ["contoso", "blind_spots"])
def test_every_group_shows_its_worst_first_and_the_rest_is_a_number(
    keyaudit: Keyaudit, request: pytest.FixtureRequest, name: str
) -> None:
    ran = keyaudit("report", "--from", request.getfixturevalue(name))
    found = groups(ran.out)
    entries = [entry for held in found.values() for entry in held]
    assert 3 <= len(entries) <= 10
    for held in found.values():
        ranks = [RANKS.index(entry.severity) for entry in held]
        assert ranks == sorted(ranks, reverse=True)
        assert held[0].severity == "CRITICAL"
    [rest] = re.findall(r"^And ([\d,]+) more causes: ", ran.out, re.MULTILINE)
    [causes] = re.findall(r"^([\d,]+) causes, ", ran.out, re.MULTILINE)
    assert int(rest.replace(",", "")) + len(entries) == int(causes.replace(",", ""))
    assert len(ran.out.splitlines()) <= 45


def test_a_critical_without_a_score_is_not_last(
    contoso_report: Reported, keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    """The short form for paper has 20 causes, and so the order behind the first ten."""
    keyaudit("export", f"html={tmp_path / 'page'}", "--from", contoso)
    paper = (tmp_path / "page").read_text(encoding="utf-8").partition('<section id="top"')[2].partition("</section>")[0]
    severities = re.findall(r'<span class="severity (\w+)">', paper)
    assert len(severities) == 20
    takeover = paper.partition("<caption>Can take over the tenant</caption>")[2].partition("</table>")[0]
    rows = takeover.split("<tr>")[2:]
    ranks = [RANKS.index(re.findall(r"severity (\w+)", row)[0].upper()) for row in rows]
    assert ranks == sorted(ranks, reverse=True)
    scored = ["critical" in row and "score" in row for row in rows]
    assert True in scored[scored.index(False) :]


def test_programs_get_the_group_of_every_open_finding(contoso_report: Reported) -> None:
    by_cause: dict[str, set[str]] = {}
    for each in contoso_report.json["findings"]:
        if each["outcome"] != "fail":
            assert each["at_stake"] is None
        elif each["cause"]:
            by_cause.setdefault(each["cause"]["head"], set()).add(str(each["at_stake"]))
    assert all(len(groups_) == 1 for groups_ in by_cause.values()), "one cause is in one group"
    found = {
        (each["policy"], each["resource"]): each["at_stake"] and each["at_stake"]["group"]
        for each in contoso_report.findings("fail")
    }
    by_policy: dict[str, set[str | None]] = {}
    for (policy, _), group in found.items():
        by_policy.setdefault(policy, set()).add(group)
    assert by_policy["sp-first-party-with-credential"] == {"compromise"}
    assert by_policy["sp-tier0-with-secret"] == by_policy["sp-can-take-over-tenant"] == {"takeover"}
    assert by_policy["kv-key-rotation-overdue"] == {"data"}
    assert by_policy["log-entra-diag-missing"] == by_policy["app-users-can-consent"] == {None}
    # Which group a long lifetime is in depends on what the secret opens.
    assert by_policy["app-secret-too-long"] == {"takeover", "data", None}


def with_global_administrator(as_of: int) -> Estate:
    """The ordinary tenant, and an application that is Global Administrator, with a certificate used five days ago."""
    there = estate("ordinary", as_of - as_of % DAY)
    make = Maker(ground_of(there.as_of))
    application = make.application(
        "Quarterly Statements", keys=(make.certificate("statements", "CN=statements", 30, life=365),)
    )
    principal = make.principal("Quarterly Statements")
    role = DirectoryRole(id="62e90394-69f5-4237-9190-012177145e10", name="Global Administrator")
    return replace(
        there,
        applications=(*there.applications, application),
        service_principals=(*there.service_principals, principal),
        directory_roles=(*there.directory_roles, role),
        directory_role_grants=(*there.directory_role_grants, DirectoryRoleGrant(principal_id=principal.id, role_id=role.id)),
        sign_ins=(*there.sign_ins, SignIn(app_id=principal.app_id, app_only=there.as_of - 5 * DAY)),
    )


def test_a_global_administrator_application_leads_the_page_of_an_ordinary_tenant(served: Callable[..., Any]) -> None:
    tenant = with_global_administrator(int(SystemClock().now()))
    ran = served(tenant)
    assert ran.code == Exit.CLEAN
    found = groups(ran.out)
    # Documented installers leave no incident.
    assert list(found) == [Stake.TAKEOVER, Stake.DATA]
    [entry] = found[Stake.TAKEOVER]
    assert entry.said.startswith("Quarterly Statements: certificate")
    assert "Tier 0: 3 principals outside Microsoft, 3 with a certificate in no vault " in said(ran.out)
    assert f"    {TIER0} --auth env" in ran.out.splitlines()
    listed = said(served(tenant, *TIER0.split()[2:]).out)
    assert "Quarterly Statements no owner" in listed
    signs_in = (
        "can take over the tenant with Global Administrator; signs in with 0 client secrets, 1 certificate and 0 federated"
    )
    assert f"{signs_in} credentials; last sign-in {iso_date(tenant.as_of - 5 * DAY)}" in listed


def test_an_ordinary_tenant_without_one_has_no_such_group(keyaudit: Keyaudit) -> None:
    ran = keyaudit("report", "--from", snapshot("ordinary"))
    assert list(groups(ran.out)) == [Stake.DATA]
    # Entra Connect controls the tenant, and is counted.
    assert "Tier 0: 2 principals outside Microsoft, 2 with a certificate in no vault" in said(ran.out)


def test_a_tenant_without_findings_says_that_nobody_is_tier_0(keyaudit: Keyaudit, hardened: Path) -> None:
    ran = keyaudit("report", "--from", hardened)
    assert groups(ran.out) == {}
    assert "Tier 0: none outside Microsoft\n" in ran.out


def test_the_owner_of_an_application_is_named_with_its_principal(keyaudit: Keyaudit, contoso: Path) -> None:
    listed = said(keyaudit(*TIER0.split()[1:], "--from", contoso).out)
    assert "service principal Billing API owner lukas.brandt@contoso.example" in listed
    assert "service principal github-infra no owner" in listed


@pytest.mark.exhaustive
def test_renaming_every_application_changes_neither_groups_nor_order(served: Callable[..., Any]) -> None:
    now = int(SystemClock().now())
    there = estate("contoso", now - now % DAY)
    # The other way round, and with a name that is not theirs.
    renamed = replace(
        there,
        applications=tuple(
            replace(each, name=f"Microsoft Graph {number:03}") for number, each in enumerate(reversed(there.applications))
        )[::-1],
        service_principals=tuple(
            replace(each, name=f"Windows Azure {number:03}") for number, each in enumerate(reversed(there.service_principals))
        )[::-1],
    )
    before, after = (groups(served(tenant).out) for tenant in (there, renamed))
    assert {stake: [entry[:2] for entry in held] for stake, held in before.items()} == {
        stake: [entry[:2] for entry in held] for stake, held in after.items()
    }


@pytest.mark.parametrize("command", ["incident", "access"])
def test_six_digits_of_a_screen_stand_for_the_resource(keyaudit: Keyaudit, contoso: Path, command: str) -> None:
    entry = groups(keyaudit("report", "--from", contoso).out)[Stake.DATA][0]
    key = "kv-identity-prod/consumer-token-signing"
    by_id, by_name = (keyaudit(command, asked, "--from", contoso) for asked in (entry.id, key))
    assert (by_id.code, by_id.out) == (by_name.code, by_name.out)
    assert key in by_id.out


def test_a_finding_that_a_command_has_no_answer_about_is_exit_2(
    keyaudit: Keyaudit, contoso: Path, contoso_report: Reported
) -> None:
    [finding] = [each for each in contoso_report.findings("fail") if each["policy"] == "log-entra-diag-missing"]
    ran = keyaudit("incident", finding["id"][:8], "--from", contoso)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert f"finding {finding['id']} is about tenants" in ran.err
