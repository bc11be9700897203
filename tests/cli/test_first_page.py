"""The first page is the order in which an architect would act, and rests on no name."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from keyaudit.cli.clock import SystemClock
from keyaudit.model.errors import Exit
from keyaudit.model.values.times import iso_date
from keyaudit.simulator.estate import DirectoryRole, DirectoryRoleGrant, Estate, SignIn
from keyaudit.simulator.estates import estate
from keyaudit.simulator.estates.ids import DAY
from keyaudit.simulator.estates.installer_credentials import Maker
from keyaudit.simulator.estates.ordinary import ground_of
from tests.cli.conftest import Keyaudit, Reported
from tests.cli.tenants import running
from tests.estates import snapshot

RANKS = ["INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
TIER0 = "keyaudit report --full --select sp-can-take-over-tenant"


class Entry(NamedTuple):
    """A row of the screen."""

    severity: str
    id: str
    said: str


def entries(text: str) -> list[Entry]:
    """The rows of a first screen in order, each with the rest of what is wrong and where."""
    found = re.findall(r"^(CRITICAL|HIGH|MEDIUM) +([0-9a-f]{6}) (.*(?:\n {16}\S.*)*)", text, re.MULTILINE)
    return [Entry(severity, id_, said(rest)) for severity, id_, rest in found]


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


def test_everything_critical_is_on_the_screen_whatever_it_is_about(
    keyaudit: Keyaudit, contoso_report: Reported, contoso: Path
) -> None:
    ran = keyaudit("report", "--from", contoso)
    found = entries(ran.out)
    ranks = [RANKS.index(entry.severity) for entry in found]
    assert ranks == sorted(ranks, reverse=True)
    shown = {entry.id for entry in found}
    heads = {
        (each["cause"] or {}).get("head", each["id"])[:6]
        for each in contoso_report.findings("fail")
        if each["severity"] == "critical"
    }
    # The others are of a holder, or like one, that is shown.
    more = [entry for entry in found if entry.severity == "CRITICAL" and re.search(r" more\b|\(\+", entry.said)]
    assert heads & shown
    assert heads <= shown or more
    lines = ran.out.splitlines()
    # A command is never cut.
    assert all(len(line) <= 80 for line in lines if "keyaudit report" not in line and not line.startswith("Next: "))


def test_columns_says_how_wide_a_pipe_is(keyaudit: Keyaudit, contoso: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = keyaudit("report", "--from", contoso).out.splitlines()
    assert 50 < max(len(line) for line in lines if "keyaudit report" not in line and not line.startswith("Next: ")) <= 60


@pytest.mark.parametrize("name", ["contoso", "blind_spots"])
def test_the_rest_is_a_number(keyaudit: Keyaudit, request: pytest.FixtureRequest, name: str) -> None:
    ran = keyaudit("report", "--from", request.getfixturevalue(name))
    [rest] = re.findall(r"^And ([\d,]+) more causes: ", ran.out, re.MULTILINE)
    [causes] = re.findall(r"^([\d,]+) causes, ", ran.out, re.MULTILINE)
    # A line stands for every cause of its holder, and for those that are alike.
    assert 0 < int(rest.replace(",", "")) <= int(causes.replace(",", "")) - len(entries(ran.out))
    assert len(ran.out.splitlines()) <= 45


def test_programs_get_both_facts_of_every_open_finding(contoso_report: Reported) -> None:
    for each in contoso_report.json["findings"]:
        assert (each["at_stake"], each["score"]) == (None, None)
        assert bool(each["weakness"] and each["opens"]) is bool(each["outcome"] != "pass" and each["row"])
    by_policy: dict[str, set[str]] = {}
    for each in contoso_report.findings("fail"):
        by_policy.setdefault(each["policy"], set()).update(each["opens"])
    assert by_policy["sp-tier0-with-secret"] == by_policy["sp-can-take-over-tenant"] == {"tenant"}
    # A long lifetime counts by what the secret opens.
    assert {"tenant", "wide"} < by_policy["app-secret-too-long"]


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


def test_a_global_administrator_application_is_named_on_the_page_of_an_ordinary_tenant(served: Callable[..., Any]) -> None:
    tenant = with_global_administrator(int(SystemClock().now()))
    ran = served(tenant)
    assert ran.code == Exit.CLEAN
    assert "Quarterly Statements" in ran.out
    assert "Tier 0: 3 principals outside Microsoft, 3 with a certificate outside any vault " in said(ran.out)
    # All three are named, so that no command is needed to list them.
    assert TIER0 not in ran.out
    listed = said(served(tenant, *TIER0.split()[2:]).out)
    assert "Quarterly Statements, no owner: " in listed
    signs_in = (
        "can take over the tenant with Global Administrator; signs in with 0 client secrets, 1 certificate and 0 federated"
    )
    assert f"{signs_in} credentials; last sign-in {iso_date(tenant.as_of - 5 * DAY)}" in listed


def test_nothing_is_critical_in_an_ordinary_tenant(keyaudit: Keyaudit) -> None:
    ran = keyaudit("report", "--from", snapshot("ordinary"))
    assert "CRITICAL" not in ran.out
    # Entra Connect controls the tenant, and is counted.
    assert "Tier 0: 2 principals outside Microsoft, 2 with a certificate outside any vault" in said(ran.out)


def test_a_tenant_without_findings_says_that_nobody_is_tier_0(keyaudit: Keyaudit, hardened: Path) -> None:
    ran = keyaudit("report", "--from", hardened)
    assert entries(ran.out) == []
    assert "Tier 0: none outside Microsoft\n" in ran.out


def test_the_owner_of_an_application_is_named_with_its_principal(keyaudit: Keyaudit, contoso: Path) -> None:
    listed = said(keyaudit(*TIER0.split()[1:], "--from", contoso).out)
    assert "service principal Billing API, owner lukas.brandt@contoso.example: " in listed
    assert "service principal github-infra, no owner: " in listed


@pytest.mark.exhaustive
def test_renaming_every_application_does_not_change_the_order(served: Callable[..., Any]) -> None:
    now = int(SystemClock().now())
    there = estate("contoso", now - now % DAY)
    # The other way round, and with a name that is not theirs.
    renamed = replace(
        there,
        applications=tuple(
            # That it has a credential is found by its name.
            each if (each.name or "").startswith("aad-extensions-app. ") else replace(each, name=f"Microsoft Graph {number:03}")
            for number, each in enumerate(reversed(there.applications))
        )[::-1],
        service_principals=tuple(
            replace(each, name=f"Windows Azure {number:03}") for number, each in enumerate(reversed(there.service_principals))
        )[::-1],
    )
    before, after = ([entry[:2] for entry in entries(served(tenant).out)] for tenant in (there, renamed))
    # Longer names leave room for fewer lines.
    shown = min(len(before), len(after))
    assert before[:shown] == after[:shown]
    assert {level for level, _ in (*before[shown:], *after[shown:])} <= {"HIGH"}


@pytest.mark.parametrize("command", ["incident", "access"])
def test_six_digits_of_a_screen_stand_for_the_resource(
    keyaudit: Keyaudit, contoso: Path, contoso_report: Reported, command: str
) -> None:
    key = "kv-identity-prod/consumer-token-signing"
    listed = [each["id"][:6] for each in contoso_report.findings("fail") if each["policy"] == "combo-cross-environment-key"]
    by_id, by_name = (keyaudit(command, asked, "--from", contoso) for asked in (listed[0], key))
    assert (by_id.code, by_id.out) == (by_name.code, by_name.out)
    assert key in by_id.out


def test_a_finding_that_a_command_has_no_answer_about_is_exit_2(
    keyaudit: Keyaudit, contoso: Path, contoso_report: Reported
) -> None:
    [finding] = [each for each in contoso_report.findings("fail") if each["policy"] == "log-entra-diag-missing"]
    ran = keyaudit("incident", finding["id"][:8], "--from", contoso)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert f"finding {finding['id']} is about tenants" in ran.err
