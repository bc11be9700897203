"""What a finding is about reads well, whatever it is about, and unknown is never said as absent."""

import csv
import dataclasses
import io
from collections.abc import Mapping

import pytest

from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.findings import Finding, Outcome, PolicyText, Severity, Value
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Report
from keyaudit.report import csv as findings_csv
from keyaudit.report.facts import Facts, iso_duration, plain
from keyaudit.report.resource import context, label
from keyaudit.report.summary import message
from tests.report.example import AS_OF, CLEAN, DAY, HOLDER, key_row, policy, row

UNSEEN = Reason.PERMISSION


def found(table: str, facts: Mapping[str, Value]) -> Finding:
    text: PolicyText = policy("p", table, Severity.LOW)
    return Finding(policy=text, outcome=Outcome.FAIL, severity=Severity.LOW, subject="s", message="m", row=facts)


def about(table: str, facts: Mapping[str, Value]) -> Facts:
    return Facts.of(found(table, facts))


HELD: dict[str, Value] = {"holder_id": HOLDER, "holder_kind": "application", "holder_name": "ci", "app_id": "1-2"}


@pytest.mark.parametrize(
    ("table", "facts", "name", "what"),
    [
        ("key", key_row("k"), "kv-prod/keys/k", "RSA 2048, software, owner team-release"),
        ("key", key_row("k", tags=None), "kv-prod/keys/k", "RSA 2048, software, no owner"),
        (
            "key",
            key_row("k", dict.fromkeys(["kty", "key_size", "custody", "is_current", "tags"], UNSEEN)),
            "kv-prod/keys/k",
            "algorithm unknown, custody unknown, version 0123456789abcdef0123456789abcdef, owner unknown",
        ),
        (
            "vault",
            row("vault", id="/v/kv", name="kv", sku="premium", location="l", subscription_name="s"),
            "kv",
            "premium, l, s, no owner",
        ),
        (
            "application",
            row("application", id="/a/1", name="ci", live_credentials=(1, 1), owner_ids=["x"]),
            "app ci",
            "1 live credential, 1 owner",
        ),
        (
            "application",
            row("application", {"live_credentials": UNSEEN, "owner_ids": UNSEEN}, id="/a/1", live_credentials=(2, None)),
            "app 1",
            "at least 2 live credentials, owner unknown",
        ),
        (
            "application",
            row("application", {"live_credentials": UNSEEN}, id="/a/1", name="", owner_ids=[]),
            "app 1",
            "unknown live credentials, no owner",
        ),
        (
            "service_principal",
            row("service_principal", id="/s/1", name="ci", principal_type="Application", home="own", owner_ids=["x", "y"]),
            "service principal ci",
            "Application, home own, 2 owners",
        ),
        (
            "credential",
            row("credential", None, **HELD, kind="password", name="deploy", expires_on=AS_OF),
            "app ci, password deploy",
            "client id 1-2, expires 2026-11-24",
        ),
        (
            "credential",
            row("credential", {"expires_on": UNSEEN}, **HELD, kind="certificate", key_id="7f"),
            "app ci, certificate 7f",
            "client id 1-2, expiry unknown",
        ),
        ("credential", row("credential", None, **HELD, kind="federated", name="gh"), "app ci, federated gh", "client id 1-2"),
        (
            "signing_certificate",
            row("signing_certificate", holder_id="/s/9", app_id="1-2", thumbprint="AB"),
            "service principal 9, SAML certificate AB",
            "client id 1-2, no expiry",
        ),
        (
            "signing_certificate",
            row("signing_certificate", kind="federated-domain", holder_name="contoso.example", name="CN=ADFS", app_id=None),
            "federated domain contoso.example, signing certificate CN=ADFS",
            "no expiry",
        ),
        (
            "signing_certificate",
            row("signing_certificate", kind="application", holder_name="crm", name="CN=x", app_id="1-2"),
            "service principal crm, signing certificate CN=x",
            "client id 1-2, no expiry",
        ),
        ("secret", row("secret", vault_name="kv", name="s"), "kv/secrets/s", ""),
        ("tenant", row("tenant", id="/tenants/1", name="contoso"), "tenant contoso", ""),
    ],
)
def test_every_table_has_its_names(table: str, facts: dict[str, Value], name: str, what: str) -> None:
    assert (label(about(table, facts)), context(about(table, facts))) == (name, what)


def test_a_scope_without_rows_and_without_a_name_is_called_by_its_id() -> None:
    finding = found("key", {})
    assert label(Facts.of(finding)) == "s"
    scope = Scope("/subscriptions/1", "", ScopeKind.SUBSCRIPTION)
    assert label(Facts.of(dataclasses.replace(finding, scope=scope))) == "subscription /subscriptions/1"


def test_a_null_that_nobody_explains_is_unknown_and_not_absent() -> None:
    facts = about("key", {**key_row("k"), "enabled": None})
    assert facts.unknown == {"enabled": Reason.INTERNAL_ERROR}


def test_a_reason_of_another_version_is_kept_as_unknown() -> None:
    assert about("key", {**key_row("k"), "unknown": {"kty": "eclipse"}}).unknown == {"kty": Reason.UNRECOGNISED}


def test_an_unknown_finding_never_uses_the_policys_words() -> None:
    unknown = dataclasses.replace(found("key", key_row("k", {"kty": UNSEEN})), outcome=Outcome.UNKNOWN, message="")
    assert message(unknown) == "cannot tell: kty (the identity may not read it)"
    assert message(dataclasses.replace(unknown, row={})) == "cannot tell: nothing of it could be read"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "P0D"), (730 * DAY, "P730D"), (-DAY, "-P1D"), (DAY + 1, "PT86401S"), (90, "PT90S")],
)
def test_durations_are_exact(value: int, text: str) -> None:
    assert iso_duration(value) == text


def test_values_are_exact_text() -> None:
    values: list[Value] = [None, True, 7, "x", ["a", "b"], {"b": "2", "a": "1"}, (2, 2), (2, None), (2, 4)]
    assert [plain(None, value) for value in values] == ["", "true", "7", "x", "a,b", "a=1,b=2", "2", "at least 2", "2 to 4"]


def written(finding: Finding) -> dict[str, str]:
    out = io.StringIO(newline="")
    report: Report = dataclasses.replace(CLEAN, findings=lambda _: iter((finding,)))
    findings_csv.render(report, out)
    return next(csv.DictReader(io.StringIO(out.getvalue(), newline="")))


@pytest.mark.parametrize(
    ("unknown", "values", "state"),
    [
        ({}, {"expires_on": AS_OF + 1}, "active"),
        ({}, {"expires_on": None}, "active"),
        ({}, {"expires_on": AS_OF}, "deactivated"),
        ({}, {"expires_on": AS_OF, "enabled": False}, "deactivated"),
        ({}, {"enabled": False}, "suspended"),
        ({}, {"enabled": False, "activates_on": AS_OF + 1}, "suspended"),
        ({}, {"activates_on": AS_OF}, "active"),
        ({}, {"activates_on": AS_OF + 1}, "pre-activation"),
        ({"enabled": UNSEEN}, {"expires_on": AS_OF - 1}, "deactivated"),
        ({"expires_on": UNSEEN}, {"enabled": False}, ""),
        ({"enabled": UNSEEN}, {}, ""),
        ({"activates_on": UNSEEN}, {}, ""),
        ({"activates_on": UNSEEN}, {"enabled": False}, "suspended"),
    ],
)
def test_the_state_of_a_key_is_said_only_when_it_is_known(
    unknown: dict[str, Reason], values: dict[str, Value], state: str
) -> None:
    cells = written(found("key", key_row("k", unknown, **values)))
    assert cells["lifecycle_state"] == state
    assert ("lifecycle_state:permission" in cells["coverage_note"]) is (state == "")


def test_a_credential_counts_from_its_start() -> None:
    facts = row("credential", None, **HELD, kind="password", starts_on=AS_OF - 10 * DAY, expires_on=AS_OF + DAY // 2)
    cells = written(found("credential", facts))
    assert (cells["age_days"], cells["days_to_expiry"], cells["credential_kind"]) == ("10", "0", "password")
    assert (cells["created_at"], cells["activated_at"], cells["lifecycle_state"]) == ("", "2026-11-14T13:30:00Z", "active")


def test_owners_are_named_with_who_says_so() -> None:
    cells = written(found("application", row("application", id="/a/1", owner_ids=["x", "y"])))
    assert (cells["owner"], cells["owner_source"], cells["lifecycle_state"]) == ("x|y", "Entra owners", "")
    unknown = written(found("application", row("application", {"owner_ids": UNSEEN}, id="/a/1")))
    assert (unknown["owner"], unknown["coverage_note"]) == ("", "owner:permission")


def test_a_superseded_version_was_not_rotated_into_use() -> None:
    assert written(found("key", key_row("k", is_current=False)))["last_rotated_at"] == ""
    unknown = written(found("key", key_row("k", {"created_on": UNSEEN})))
    assert "last_rotated_at:permission" in unknown["coverage_note"]


def test_a_finding_without_row_and_scope_still_names_what_it_is_about() -> None:
    cells = written(found("key", {}))
    assert (cells["resource_id"], cells["coverage_note"]) == ("s", "")
