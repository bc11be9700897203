"""Subjects of findings are readable for every table, and unknown values never look absent."""

import csv
import io
from collections.abc import Mapping

import pytest
from msgspec import structs

from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Ending, Owner
from keyaudit.model.results.findings import Finding, Outcome, PolicyText, Value
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.report.endings import days, when
from keyaudit.report.facts import Facts, iso_duration, plain
from keyaudit.report.resource import SHOWN, context, label
from keyaudit.report.summary import message
from keyaudit.report.tabular import csv as findings_csv
from tests.report.example import AS_OF, CLEAN, DAY, HOLDER, holding, key_row, policy, row

UNSEEN = Reason.PERMISSION
UNNAMED = "e9716eb6-1766-47ea-a1fa-81597d3c2948"


def found(table: str, facts: Mapping[str, Value]) -> Finding:
    text: PolicyText = policy("p", table, Severity.LOW)
    return Finding(policy=text, outcome=Outcome.FAIL, severity=Severity.LOW, subject="s", message="m", row=facts)


def about(table: str, facts: Mapping[str, Value]) -> Facts:
    return Facts.of(found(table, facts))


def only_shown(table: str, facts: Mapping[str, Value]) -> dict[str, Value]:
    """The row as a report has it that only lists findings."""
    columns = {"id", "name", "unknown", TABLES[table].subject, *SHOWN[table]}
    return {name: value for name, value in facts.items() if name in columns}


HELD: dict[str, Value] = {"holder_id": HOLDER, "holder_kind": "application", "holder_name": "ci", "app_id": "1-2"}


NOBODY = Owner((), "", None)


@pytest.mark.parametrize(
    ("table", "facts", "name", "what"),
    [
        ("key", key_row("k"), "kv-prod/keys/k", "RSA 2048, software, no owner"),
        (
            "key",
            key_row("k", dict.fromkeys(["kty", "key_size", "custody", "is_current", "tags"], UNSEEN)),
            "kv-prod/keys/k",
            "algorithm unknown, custody unknown, version 0123456789abcdef0123456789abcdef, no owner",
        ),
        (
            "vault",
            row("vault", id="/v/kv", name="kv", sku="premium", location="l", subscription_name="s"),
            "kv",
            "premium, l, s, no owner",
        ),
        (
            "application",
            row("application", id="/a/1", name="ci", live_credentials=(1, 1)),
            "app registration ci",
            "1 unexpired credential, no owner",
        ),
        (
            "application",
            row("application", {"live_credentials": UNSEEN}, id="/a/1", live_credentials=(2, None)),
            "app registration 1",
            "at least 2 unexpired credentials, no owner",
        ),
        (
            "application",
            row("application", {"live_credentials": UNSEEN}, id="/a/1", name=""),
            "app registration 1",
            "an unknown number of unexpired credentials, no owner",
        ),
        (
            "service_principal",
            row("service_principal", id="/s/1", name="ci", principal_type="Application", home="own"),
            "service principal ci",
            "no owner",
        ),
        (
            "service_principal",
            row("service_principal", id="/s/1", name="ci", principal_type="Application", home="foreign"),
            "service principal ci",
            "external tenant, no owner",
        ),
        (
            "service_principal",
            row("service_principal", id="/s/1", name="ci", principal_type="ManagedIdentity", home="none"),
            "managed identity ci",
            "no owner",
        ),
        (
            "credential",
            row("credential", None, **HELD, kind="password", name="deploy", expires_on=AS_OF),
            "app registration ci, client secret deploy",
            "client id 1-2, expires 2026-11-24, no owner",
        ),
        (
            "credential",
            row("credential", {"expires_on": UNSEEN}, **HELD, kind="certificate", key_id="7f"),
            "app registration ci, certificate 7f",
            "client id 1-2, expiry unknown, no owner",
        ),
        (
            "credential",
            row("credential", None, **HELD, kind="federated", name="gh"),
            "app registration ci, federated credential gh",
            "client id 1-2, no owner",
        ),
        (
            "signing_certificate",
            row("signing_certificate", holder_id="/s/9", app_id="1-2", thumbprint="AB"),
            "service principal 9, SAML certificate AB",
            "client id 1-2, no expiry, no owner",
        ),
        (
            "signing_certificate",
            row("signing_certificate", kind="federated-domain", holder_name="contoso.example", name="CN=ADFS", app_id=None),
            "federated domain contoso.example, signing certificate CN=ADFS",
            "no expiry, no owner",
        ),
        (
            "signing_certificate",
            row("signing_certificate", kind="application", holder_name="crm", name="CN=x", app_id="1-2"),
            "service principal crm, signing certificate CN=x",
            "client id 1-2, no expiry, no owner",
        ),
        ("secret", row("secret", vault_name="kv", name="s"), "kv/secrets/s", "no expiry, no owner"),
        ("tenant", row("tenant", id="/tenants/1", name="contoso"), "tenant contoso", ""),
    ],
)
def test_every_table_has_its_names(table: str, facts: dict[str, Value], name: str, what: str) -> None:
    assert (label(about(table, facts)), context(about(table, facts), NOBODY)) == (name, what)
    shown = about(table, only_shown(table, facts))
    assert (label(shown), context(shown, NOBODY)) == (name, what)


VAULT = "/subscriptions/1/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-prod"
HSM = "/subscriptions/1/resourcegroups/rg/providers/microsoft.keyvault/managedhsms/hsm-prod"


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (
            {"kind": "azure-role", "name": "Key Vault Crypto User", "scope": VAULT, "scope_kind": "vault"},
            "role assignment Key Vault Crypto User: ada on kv-prod",
        ),
        (
            {"kind": "azure-role", "name": "Reader", "scope": f"{VAULT}/keys/k", "scope_kind": "object", "standing": False},
            "eligible role assignment Reader: ada on kv-prod/keys/k",
        ),
        (
            {"kind": "azure-role", "name": "Owner", "scope": "/subscriptions/1", "scope_kind": "subscription"},
            "role assignment Owner: ada on subscription 1",
        ),
        (
            {
                "kind": "azure-role",
                "name": "Owner",
                "scope": "/subscriptions/1",
                "scope_kind": "subscription",
                "scope_name": "contoso-prod",
            },
            "role assignment Owner: ada on subscription contoso-prod",
        ),
        (
            {
                "kind": "azure-role",
                "name": "Owner",
                "scope": "/subscriptions/1/resourcegroups/rg-keys",
                "scope_kind": "resource-group",
                "resource_id": "/subscriptions/1/resourceGroups/RG-Keys/providers/Microsoft.Authorization/roleAssignments/x",
            },
            "role assignment Owner: ada on resource group RG-Keys",
        ),
        (
            {"kind": "azure-role", "name": "Owner", "scope": "/", "scope_kind": "root"},
            "role assignment Owner: ada on the whole tenant",
        ),
        (
            {"kind": "access-policy", "name": None, "scope": VAULT, "scope_kind": "vault"},
            "access policy: ada on kv-prod",
        ),
        (
            {
                "kind": "access-policy",
                "scope": VAULT,
                "scope_kind": "vault",
                "principal_name": None,
                "principal_kind": "deleted",
                "principal_id": "7f3a",
            },
            "access policy: deleted principal 7f3a on kv-prod",
        ),
        (
            {"kind": "hsm-role", "name": "Crypto Officer", "scope": f"{HSM}/keys", "scope_kind": "object"},
            "local role assignment Crypto Officer: ada on all keys of hsm-prod",
        ),
        (
            {"kind": "app-role", "name": "Mail.Read", "scope": "/t/1", "scope_kind": "api", "api": "Microsoft Graph"},
            "application permission Mail.Read: ada on Microsoft Graph",
        ),
        (
            {"kind": "delegated", "name": "Mail.Read", "scope": "/t/1", "scope_kind": "api", "api": "Microsoft Graph"},
            "delegated permission Mail.Read: ada on Microsoft Graph",
        ),
        (
            {"kind": "directory-role", "name": "Global Reader", "scope": "/tenants/1", "scope_kind": "tenant"},
            "Entra role assignment Global Reader: ada on the whole tenant",
        ),
    ],
)
def test_a_way_in_is_called_by_what_it_is_to_whom_and_on_what(facts: dict[str, Value], name: str) -> None:
    whole = row("grant", None, **{"resource_id": "/x", "principal_name": "ada", **facts})
    assert label(about("grant", whole)) == label(about("grant", only_shown("grant", whole))) == name


def test_a_principal_or_scope_that_was_not_read_is_said_to_be_so() -> None:
    unread = {"principal_name": UNSEEN, "principal_kind": UNSEEN, "principal_type": UNSEEN, "scope": UNSEEN}
    facts = row("grant", unread, kind="azure-role", name="Owner", principal_id="7f3a")
    assert label(about("grant", facts)) == "role assignment Owner: principal 7f3a on a scope that was not read"


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        (Owner(("ada@contoso.example",), "Entra owners", None), "owner ada@contoso.example"),
        (Owner(("a", "b", "c", "d", "e"), "Entra owners", None), "owner a, b, c and 2 more"),
        (Owner((UNNAMED,), "Entra owners", None), f"owner object id {UNNAMED} (name not read)"),
        (Owner((f"deployer {UNNAMED}",), "Entra owners", None), f"owner deployer {UNNAMED}"),
        (Owner((), "", UNSEEN), "owner unknown"),
    ],
)
def test_owners_are_named_where_they_are_known(owner: Owner, said: str) -> None:
    assert context(about("vault", row("vault", id="/v/kv", name="kv", sku="premium")), owner).endswith(said)


def test_a_scope_without_rows_and_without_a_name_is_called_by_its_id() -> None:
    finding = found("key", {})
    assert label(Facts.of(finding)) == "s"
    scope = Scope("/subscriptions/1", "", ScopeKind.SUBSCRIPTION)
    assert label(Facts.of(structs.replace(finding, scope=scope))) == "subscription /subscriptions/1"


def test_a_null_that_nobody_explains_is_unknown_and_not_absent() -> None:
    facts = about("key", {**key_row("k"), "enabled": None})
    assert facts.unknown == {"enabled": Reason.INTERNAL_ERROR}


def test_a_reason_of_another_version_is_kept_as_unknown() -> None:
    assert about("key", {**key_row("k"), "unknown": {"kty": "eclipse"}}).unknown == {"kty": Reason.UNRECOGNISED}


def test_an_unknown_finding_never_uses_the_policys_words() -> None:
    unknown = structs.replace(found("key", key_row("k", {"kty": UNSEEN})), outcome=Outcome.UNKNOWN, message="")
    assert message(unknown) == "unknown: kty (the identity may not read it)"
    assert message(structs.replace(unknown, row={})) == "unknown: nothing of it could be read"


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
    findings_csv.render(holding(CLEAN, [finding]), out)
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


@pytest.mark.parametrize("seconds", [DAY // 2, 8 * DAY, 8 * DAY + DAY // 3, 9 * DAY - 1])
@pytest.mark.parametrize("side", [-1, 1])
def test_one_date_is_the_same_number_of_days_wherever_it_is_printed(seconds: int, side: int) -> None:
    """Rounded towards zero on both sides of today: the CSV, `expiring` and a message count alike."""
    facts = row("credential", None, **HELD, kind="password", starts_on=AS_OF - 10 * DAY, expires_on=AS_OF + side * seconds)
    ending = Ending(NOBODY, "credential", facts, AS_OF + side * seconds, retired=False)
    whole = seconds // DAY
    assert written(found("credential", facts))["days_to_expiry"] == str(side * whole)
    assert days(ending, AS_OF) == whole
    told = f"{whole} d" if whole else "12 h"
    assert when(ending, AS_OF) == (f"in {told}" if side > 0 else f"expired {told} ago")


def test_owners_are_named_with_who_says_so() -> None:
    app = found("application", row("application", id="/a/1", owner_ids=["x", "y"]))
    out = io.StringIO(newline="")
    named = structs.replace(CLEAN, owned=lambda _: iter([(Owner(("ada", "bob"), "Entra owners", None), app)]))
    findings_csv.render(named, out)
    cells = next(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert (cells["owner"], cells["owner_source"], cells["lifecycle_state"]) == ("ada|bob", "Entra owners", "")


def test_an_owner_that_could_not_be_read_is_noted() -> None:
    unknown = written(found("key", key_row("k", {"tags": UNSEEN})))
    assert (unknown["owner"], unknown["coverage_note"]) == ("", "resource_tags:permission|owner:permission")


def test_a_superseded_version_was_not_rotated_into_use() -> None:
    assert written(found("key", key_row("k", is_current=False)))["last_rotated_at"] == ""
    unknown = written(found("key", key_row("k", {"created_on": UNSEEN})))
    assert "last_rotated_at:permission" in unknown["coverage_note"]


def test_a_finding_without_row_and_scope_still_names_what_it_is_about() -> None:
    cells = written(found("key", {}))
    assert (cells["resource_id"], cells["coverage_note"]) == ("s", "")
