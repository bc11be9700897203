"""Derived columns about federation: whose issuer it is, whom a certificate signs for, and how long tokens live."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from tests.inventory.sample import TENANT, Row, assessed, credential, refused, row
from tests.inventory.test_privilege_views import GROUP, group, member, named, role, without
from tests.inventory.test_privilege_views import READ as PRIVILEGES
from tests.inventory.test_views import only

PERMISSION, BAD = Reason.PERMISSION, Reason.BAD_VALUE
CLUSTERS = assessed(TENANT, "subscription.list", "service.query")
NO_CLUSTERS = [*assessed(TENANT, "subscription.list"), refused(TENANT, "service.query", PERMISSION)]
AKS = "https://westeurope.oic.prod-aks.azure.com/t/c/"
TENANT_ID = TENANT.id.rpartition("/")[2]


def federated(issuer: str | Reason | None, kind: str = "federated") -> Row:
    return credential("c", kind=kind, issuer=issuer, audiences=[] if kind == "federated" else None)


def cluster(issuer: str | Reason | None = AKS) -> Row:
    return row("account_key", "/cluster", kind="kubernetes", oidc_issuer=issuer)


@pytest.mark.parametrize(
    ("issuer", "host"),
    [
        ("https://Token.Actions.GithubUserContent.com", "token.actions.githubusercontent.com"),
        ("https://token.actions.githubusercontent.com/enterprise", "token.actions.githubusercontent.com"),
        # A host that only begins like a known one is a different host.
        ("https://token.actions.githubusercontent.com@evil.example/", "token.actions.githubusercontent.com@evil.example"),
        ("https://token.actions.githubusercontent.com:1@evil.example", "token.actions.githubusercontent.com:1@evil.example"),
        ("https://evil.example?token.actions.githubusercontent.com", "evil.example"),
        ("urn:something", "urn:something"),
    ],
)
def test_the_host_is_all_that_stands_before_the_path(issuer: str, host: str) -> None:
    assert only("credential", {"credential": [federated(issuer)]}, CLUSTERS)["issuer_host"] == host


OWN: list[tuple[Row, list[Row], list[Coverage], object, object]] = [
    (federated(AKS), [cluster()], CLUSTERS, True, None),
    (federated(AKS), [cluster()], NO_CLUSTERS, True, None),
    (federated(AKS), [], CLUSTERS, False, None),
    (federated(AKS), [cluster(None)], CLUSTERS, False, None),
    (federated(AKS), [cluster(BAD)], CLUSTERS, None, "bad_value"),
    (federated(AKS), [], NO_CLUSTERS, None, "permission"),
    (federated(AKS), [], [], None, "interrupted"),
    (federated(f"https://login.microsoftonline.com/{TENANT_ID}/v2.0"), [], NO_CLUSTERS, True, None),
    (federated(f"https://sts.windows.net/{TENANT_ID.upper()}/"), [], NO_CLUSTERS, True, None),
    (federated("https://login.microsoftonline.com/another/v2.0"), [], CLUSTERS, False, None),
    (federated(f"https://evil.example/{TENANT_ID}/v2.0"), [], CLUSTERS, False, None),
    # Clusters that were not read say nothing of an issuer that cannot be a cluster's.
    (federated("https://oidc.evil.example/"), [], NO_CLUSTERS, False, None),
    (federated("https://westeurope.oic.prod-aks.azure.com.evil.example/"), [cluster(BAD)], CLUSTERS, False, None),
    (federated(PERMISSION), [cluster()], CLUSTERS, None, "permission"),
    (federated(None, "password"), [cluster()], NO_CLUSTERS, None, None),
]


@pytest.mark.parametrize(("given", "clusters", "coverage", "own", "reason"), OWN)
def test_whether_an_issuer_is_the_tenants_own(
    given: Row, clusters: list[Row], coverage: list[Coverage], own: object, reason: object
) -> None:
    found: Any = only("credential", {"credential": [given], "account_key": clusters}, coverage)
    assert (found["issuer_own"], found["unknown"].get("issuer_own")) == (own, reason)


IDENTITY = "33333333-3333-4333-8333-333333333333"
PRINCIPALS = assessed(TENANT, *TABLES["service_principal"].listed_by)
NO_PRINCIPALS = [refused(TENANT, operation, PERMISSION) for operation in TABLES["service_principal"].listed_by]
OURS, THEIRS = (f"https://login.microsoftonline.com/{each}/v2.0" for each in (TENANT_ID, IDENTITY))


@pytest.mark.parametrize(
    ("issuer", "subject", "there", "coverage", "expected"),
    [
        (OURS, IDENTITY, True, NO_PRINCIPALS, (False, None)),
        (OURS, IDENTITY.upper(), True, PRINCIPALS, (False, None)),
        (OURS, IDENTITY, False, PRINCIPALS, (True, None)),
        (OURS, IDENTITY, False, NO_PRINCIPALS, (None, "permission")),
        (OURS, "/eid1/c/pub/t/x", False, NO_PRINCIPALS, (False, None)),
        (OURS, None, False, NO_PRINCIPALS, (False, None)),
        (OURS, BAD, False, PRINCIPALS, (None, "bad_value")),
        (THEIRS, IDENTITY, False, NO_PRINCIPALS, (False, None)),
        (PERMISSION, IDENTITY, True, PRINCIPALS, (None, "permission")),
    ],
)
def test_whether_the_identity_that_is_trusted_is_there(
    issuer: str | Reason, subject: str | Reason | None, there: bool, coverage: list[Coverage], expected: tuple[object, object]
) -> None:
    given = credential("c", kind="federated", issuer=issuer, subject=subject, audiences=[])
    found: Any = only(
        "credential",
        {
            "credential": [given],
            "service_principal": [row("service_principal", f"{TENANT.id}/serviceprincipals/{IDENTITY}")] if there else [],
        },
        coverage,
    )
    assert (found["subject_dangling"], found["unknown"].get("subject_dangling")) == expected


CLIENT, ANOTHER = "0C4F3E2D-1B0A-4998-8877-665544332211", "0c4f3e2d-1b0a-4998-8877-665544332212"


@pytest.mark.parametrize(
    ("clients", "coverage", "names", "reason"),
    [
        ([CLIENT.lower()], CLUSTERS, ["c0"], None),
        ([ANOTHER, CLIENT, None, CLIENT], CLUSTERS, ["c1", "c3"], None),
        ([ANOTHER, None], CLUSTERS, [], None),
        ([CLIENT], NO_CLUSTERS, None, "permission"),
        ([CLIENT, BAD], CLUSTERS, None, "bad_value"),
    ],
)
def test_which_openshift_clusters_sign_in_as_an_application(
    clients: list[str | Reason | None], coverage: list[Coverage], names: object, reason: object
) -> None:
    given = [row("account_key", f"/c{n}", name=f"c{n}", kind="openshift", client_id=each) for n, each in enumerate(clients)]
    # Another service has no such setting, and what was not read of it says nothing of clusters.
    given.append(row("account_key", "/other", name="other", kind="storage", client_id=BAD))
    found: Any = only("credential", {"credential": [credential("c", app_id=CLIENT)], "account_key": given}, coverage)
    assert (found["openshift_clusters"], found["unknown"].get("openshift_clusters")) == (names, reason)


@pytest.mark.parametrize(
    ("lifetime", "minutes", "reason"), [(5_400, 90, None), (5_401, 91, None), (None, None, None), (BAD, None, "bad_value")]
)
def test_minutes_are_rounded_up(lifetime: object, minutes: object, reason: object) -> None:
    policy = row("token_policy", "/p", kind="token-lifetime", is_default=False, access_token_lifetime=lifetime)
    found: Any = only("token_policy", {"token_policy": [policy]}, [])
    assert (found["access_token_minutes"], found["unknown"].get("access_token_minutes")) == (minutes, reason)


def certificate(kind: str | Reason = "federated-domain", **values: Any) -> Row:
    held = {"holder_id": "/domain", "holder_name": "Stores.example", "scope_id": TENANT.id, "kind": kind}
    return row("signing_certificate", "/c", **(held | values))


def derived(column: str, coverage: list[Coverage], **rows: list[Row]) -> tuple[object, object]:
    found: Any = only("signing_certificate", rows, coverage)
    return found[column], found["unknown"].get(column)


_NEEDED: dict[str, dict[str, Any]] = {
    "claims-mapping": {"claims": [], "transforms_claims": False},
    "token-lifetime": {"is_default": False},
}


def mapping(applies_to: object, kind: str = "claims-mapping") -> Row:
    return row("token_policy", "/p", kind=kind, applies_to=applies_to, **_NEEDED[kind])


MAPPED: list[tuple[str | Reason, list[Row], bool, object]] = [
    ("application", [mapping(["/other", "/domain"])], True, (True, None)),
    ("application", [mapping(["/domain"])], False, (True, None)),
    ("application", [mapping(["/other"])], True, (False, None)),
    ("application", [mapping(["/domain"], "token-lifetime")], True, (False, None)),
    ("application", [mapping(BAD)], True, (None, "bad_value")),
    ("application", [], False, (None, "permission")),
    ("federated-domain", [], False, (False, None)),
    (BAD, [mapping(["/domain"])], False, (True, None)),
    (BAD, [], False, (None, "permission")),
    (BAD, [], True, (False, None)),
]


@pytest.mark.parametrize(("kind", "policies", "listed", "expected"), MAPPED)
def test_whether_claims_are_mapped(kind: str | Reason, policies: list[Row], listed: bool, expected: object) -> None:
    coverage = assessed(TENANT, "claims_mapping.list") if listed else [refused(TENANT, "claims_mapping.list", PERMISSION)]
    rows = {"signing_certificate": [certificate(kind)], "token_policy": policies}
    assert derived("claims_mapped", coverage, **rows) == expected


def domain(behavior: object) -> Row:
    return row("federated_domain", "/domain", mfa_behavior=behavior)


DOMAINS = assessed(TENANT, "organization.get", "domain.list")
TRUSTED: list[tuple[Row, list[Row], list[Coverage], object]] = [
    (certificate(), [domain("rejectMfaByFederatedIdp")], DOMAINS, (False, None)),
    (certificate(), [domain("enforceMfaByFederatedIdp")], DOMAINS, (True, None)),
    (certificate(), [domain(None)], DOMAINS, (True, None)),
    (certificate(), [domain(PERMISSION)], DOMAINS, (None, "permission")),
    (certificate(), [], DOMAINS, (None, "not_visible")),
    (certificate(), [], [], (None, "interrupted")),
    (certificate("external-idp"), [], [], (False, None)),
    # An application's is none of a domain's, also where its kind was not read.
    (certificate(BAD, app_id=IDENTITY), [], [], (False, None)),
    (certificate(BAD, app_id=PERMISSION), [domain(None)], DOMAINS, (None, "bad_value")),
    (certificate(BAD, app_id=PERMISSION), [domain("rejectMfaByFederatedIdp")], DOMAINS, (False, None)),
]


@pytest.mark.parametrize(("signer", "domains", "coverage", "expected"), TRUSTED)
def test_whether_a_second_factor_is_taken_on_trust(
    signer: Row, domains: list[Row], coverage: list[Coverage], expected: object
) -> None:
    rows = {"signing_certificate": [signer], "federated_domain": domains}
    assert derived("mfa_trusted", coverage, **rows) == expected


def admin(name: str | Reason = "boss@stores.EXAMPLE", object_id: str = "u") -> Row:
    return named(object_id, "user", user_principal_name=name)


ADMINISTRATORS: list[tuple[list[Row], list[Row], list[Row], list[Coverage], object]] = [
    ([role(to="u")], [admin()], [], PRIVILEGES, (True, None)),
    ([role(to="u")], [admin("boss@contoso.example")], [], PRIVILEGES, (False, None)),
    ([role(to="u")], [admin("boss@deep.stores.example")], [], PRIVILEGES, (False, None)),
    ([role(to="u", tier=None)], [admin()], [], PRIVILEGES, (False, None)),
    ([role(to="u", standing=False)], [admin()], [], PRIVILEGES, (False, None)),
    ([role(to="u")], [admin(PERMISSION)], [], PRIVILEGES, (None, "permission")),
    ([role(to="u", tier=BAD)], [admin()], [], PRIVILEGES, (None, "bad_value")),
    ([role(to="u", tier=BAD)], [admin("boss@contoso.example")], [], PRIVILEGES, (False, None)),
    ([role(to="u", tier=BAD), role(to="u")], [admin()], [], PRIVILEGES, (True, None)),
    ([role(to="u", scope_kind=BAD)], [admin()], [], PRIVILEGES, (None, "bad_value")),
    ([role(to="u")], [], [], PRIVILEGES, (None, "interrupted")),
    ([role(to=GROUP)], [group(), admin()], [member(who="u")], PRIVILEGES, (True, None)),
    ([role(to=GROUP)], [group(PERMISSION)], [], PRIVILEGES, (None, "permission")),
    ([], [], [], without("directory_role.assignments"), (None, "permission")),
    ([role(to="u")], [admin()], [], without("directory_role.assignments"), (True, None)),
]


@pytest.mark.parametrize(("grants", "principals", "members", "coverage", "expected"), ADMINISTRATORS)
def test_whether_administrators_are_signed_for(
    grants: list[Row], principals: list[Row], members: list[Row], coverage: list[Coverage], expected: object
) -> None:
    rows = {"signing_certificate": [certificate()], "grant": grants, "principal": principals, "membership": members}
    assert derived("signs_for_administrators", coverage, **rows) == expected


def test_no_administrator_is_signed_for_by_what_no_domain_signs_with() -> None:
    rows = {"signing_certificate": [certificate("saml")], "grant": [role(to="u")], "principal": [admin()]}
    assert derived("signs_for_administrators", [], **rows) == (False, None)
    rows["signing_certificate"] = [certificate(BAD, app_id=IDENTITY)]
    assert derived("signs_for_administrators", [], **rows) == (False, None)


def test_a_role_that_may_be_standing_may_be_an_administrators() -> None:
    rows = {"signing_certificate": [certificate()], "grant": [role(to="u", standing=BAD)], "principal": [admin()]}
    assert derived("signs_for_administrators", PRIVILEGES, **rows) == (None, "bad_value")
    rows["grant"] += [role(to="u")]
    assert derived("signs_for_administrators", PRIVILEGES, **rows) == (True, None)
