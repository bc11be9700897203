"""Contoso shows every exception that a policy makes, and blind-spots every way not to see."""

from collections.abc import Iterable, Iterator

import pytest
from msgspec import structs

from keyaudit.simulator.estate import Application, Estate, Key, KeyVersion, ServicePrincipal, Vault
from keyaudit.simulator.estates import estate
from keyaudit.simulator.estates.contoso.access import ORDER_SIGNING
from tests.simulator import estate_oracle as oracle

NOW = 1_795_500_000
DAY = oracle.DAY


@pytest.fixture(scope="module")
def contoso() -> Estate:
    return estate("contoso", NOW)


@pytest.fixture(scope="module")
def blind() -> Estate:
    return estate("blind-spots", NOW)


def keys(found: Estate) -> Iterator[tuple[Vault, Key, KeyVersion]]:
    return ((vault, key, oracle.current(key)) for vault in found.vaults for key in vault.keys)


def clean(found: Estate, subject: str) -> bool:
    return not any(plant.subject.startswith(subject) for plant in found.plants)


def clean_keys(found: Estate) -> Iterator[tuple[Vault, Key, KeyVersion]]:
    """Who can reach a key says nothing of how it is kept."""
    kept = structs.replace(found, plants=frozenset(p for p in found.plants if not p.policy.startswith(("scope-", "combo-"))))
    return (row for row in keys(found) if clean(kept, oracle.key_row(row[0], row[1])))


def older(version: KeyVersion, days: int) -> bool:
    return version.created is not None and version.created < NOW - days * DAY


def ended(version: KeyVersion, days: int) -> bool:
    return version.exp is not None and version.exp < NOW - days * DAY


def test_keys_behind_certificates_are_old_mixed_expired_and_clean(contoso: Estate) -> None:
    managed = [(key, version) for _, key, version in clean_keys(contoso) if key.managed]
    assert any(version.exportable for _, version in managed)
    assert any("sign" in version.key_ops and "decrypt" in version.key_ops for _, version in managed)
    assert any(version.enabled and ended(version, 60) for key, _ in managed for version in key.versions)
    assert all(key.managed for vault, key, _ in keys(contoso) if vault.name == "kv-platform-edge")


def test_disabled_keys_are_clean_whatever_they_are(contoso: Estate) -> None:
    disabled = [version for _, _, version in clean_keys(contoso) if not version.enabled]
    assert any(version.created is None for version in disabled)
    assert any(version.exp is None and older(version, 730) for version in disabled)
    assert any(ended(version, 30) for version in disabled)
    assert any(version.exportable for version in disabled)


def test_exceptions_by_tag_and_operations_are_clean(contoso: Estate) -> None:
    rows = [*clean_keys(contoso)]
    assert any("keyaudit:rotator" in (version.tags or {}) and key.rotation is None for _, key, version in rows)
    assert any(older(version, 730) and not {"sign", "decrypt", "unwrapKey"} & {*version.key_ops} for _, _, version in rows)
    archived = [
        version
        for _, key, _ in rows
        for version in key.versions
        if (version.tags or {}).get("keyaudit:archive") and version.enabled and ended(version, 30)
    ]
    assert len(archived) == 2
    assert all("wrapKey" not in version.key_ops for version in archived)


def test_grace_and_coming_rotation_are_clean(contoso: Estate) -> None:
    rows = [*clean_keys(contoso)]
    assert any(v.enabled and ended(v, 0) and not ended(v, 30) for _, key, _ in rows for v in key.versions)
    soon = {plant.subject for plant in contoso.plants if plant.policy == "kv-key-expiring-soon"}
    near = [
        key
        for vault, key, version in keys(contoso)
        if version.exp is not None and NOW < version.exp < NOW + 30 * DAY and oracle.key_row(vault, key) not in soon
    ]
    assert any(key.rotation is not None and key.rotation.rotate_before_expiry for key in near)


def test_software_keys_pass_by_the_environment_that_stands_nearest(contoso: Estate) -> None:
    def software(rows: Iterable[tuple[Vault, Key, KeyVersion]], environment: str) -> list[tuple[Vault, Key]]:
        return [
            (vault, key)
            for vault, key, version in rows
            if not key.managed and version.hsm_platform == "0" and oracle.environment(version.tags) == environment
        ]

    assert any(vault.sku == "premium" for vault, _ in software(clean_keys(contoso), "test"))
    cutover = software(keys(contoso), "prod")
    assert [oracle.environment(vault.tags) for vault, _ in cutover] == ["test"]
    assert not clean(contoso, oracle.key_row(*cutover[0]))


def test_a_premium_vault_holds_software_and_hsm_keys(contoso: Estate) -> None:
    kinds = {version.hsm_platform for vault, _, version in keys(contoso) if vault.name == "kv-identity-prod"}
    assert kinds == {"0", "2"}


def test_a_sandbox_vault_needs_no_purge_protection(contoso: Estate) -> None:
    (sandbox,) = (vault for vault in contoso.vaults if oracle.environment(vault.tags) == "sandbox")
    assert not sandbox.purge_protection
    assert "kv-purge-protection-off" not in {p.policy for p in contoso.plants if p.subject == oracle.vault_row(sandbox)}


def test_deleted_keys_are_there_and_not_among_the_keys(contoso: Estate) -> None:
    deleted = {(vault.name, gone.key.name) for vault in contoso.vaults for gone in vault.deleted_keys}
    assert len(deleted) == 4
    assert deleted.isdisjoint({(vault.name, key.name) for vault in contoso.vaults for key in vault.keys})


def test_what_microsoft_made_here_is_judged_like_any_other(contoso: Estate) -> None:
    made: list[Application] = [application for application in contoso.applications if oracle.microsoft_made(application)]
    assert len(made) == 3
    assert all(application.passwords or application.keys for application in made)
    assert not any(clean(contoso, oracle.application_row(contoso, application)) for application in made)
    server = next(application for application in made if application.name == "P2P Server")
    assert sum(not oracle.expired(key, NOW) for key in server.keys) > 2
    assert any(oracle.expired(key, NOW - 30 * DAY) for key in server.keys)


def clean_principals(found: Estate) -> list[ServicePrincipal]:
    return [p for p in found.service_principals if clean(found, oracle.principal_row(found, p))]


def test_service_principals_that_may_have_a_credential_are_clean(contoso: Estate) -> None:
    with_one = [p for p in clean_principals(contoso) if p.passwords or p.keys]
    assert {"ManagedIdentity", "Legacy", "Application"} == {p.type for p in with_one}
    local = [p for p in with_one if p.type == "Application" and p.sso_mode is None]
    assert {p.name for p in local} == {"Payments API", "Azure DevOps"}
    both = next(a for a in contoso.applications if a.name == "Payments API")
    assert [k.key_id for k in both.keys] == [k.key_id for p in local if p.name == "Payments API" for k in p.keys]


def test_most_of_microsofts_principals_have_no_credential(contoso: Estate) -> None:
    first_party = [p for p in contoso.service_principals if p.home_tenant in oracle.MICROSOFT]
    assert len({p.home_tenant for p in first_party}) == 2
    assert sum(not p.passwords and not p.keys for p in first_party) >= 10


def test_saml_sets_have_their_three_parts(contoso: Estate) -> None:
    with_saml = [p for p in contoso.service_principals if any(key.usage == "Sign" for key in p.keys)]
    for principal in with_saml:
        for sign in (key for key in principal.keys if key.usage == "Sign"):
            verify = [key for key in principal.keys if key.usage == "Verify" and key.thumbprint == sign.thumbprint]
            password = [password for password in principal.passwords if password.thumbprint == sign.thumbprint]
            assert len(verify) == len(password) == 1
            assert (verify[0].start, verify[0].end) == (sign.start, sign.end) == (password[0].start, password[0].end)
    expired = [p for p in with_saml if any(oracle.expired(key, NOW) for key in p.keys if key.usage == "Sign")]
    spared = {p.name for p in expired if clean(contoso, oracle.principal_row(contoso, p))}
    assert spared == {"Proseware Learning", "Wingtip Ticketing", "Woodgrove Treasury"}


def test_federated_credentials_with_a_pinned_subject_are_clean(contoso: Estate) -> None:
    bad = {plant.subject.rsplit("/", 1)[1] for plant in contoso.plants if plant.policy == "fed-fic-broad-subject"}
    holders = oracle.holders(contoso)
    pinned = [federated for holder in holders for federated in holder.federated if federated.id not in bad]
    for issuer in ("token.actions.githubusercontent.com", "vstoken.dev.azure.com", "oic.prod-aks.azure.com"):
        assert any(issuer in federated.issuer for federated in pinned)


def test_an_application_has_more_owners_than_one_expansion_returns(contoso: Estate) -> None:
    assert max(len(application.owners) for application in contoso.applications) > 20


def test_blind_spots_are_what_they_say(blind: Estate) -> None:
    assert [vault.name for vault in blind.vaults if vault.access == "firewall"] == ["kv-payments-prod"]
    assert [vault.name for vault in blind.vaults if vault.access == "rbac"] == ["kv-hr-prod"]
    assert [vault.name for vault in blind.vaults if vault.vanishes_after] == ["kv-stores-dev"]
    assert [vault.name for vault in blind.vaults if vault.refused == ("rotationpolicy", "certificates")] == ["kv-orders-prod"]
    assert [hsm.name for hsm in blind.hsms if hsm.access == "local"] == ["hsm-contoso-trust"]
    [signing] = [group.id for group in blind.groups if group.name == ORDER_SIGNING]
    assert blind.graph_refuses == ("owners", "federationConfiguration", f"groups/{signing}")


def test_blind_spots_is_contoso_but_for_them(contoso: Estate, blind: Estate) -> None:
    assert blind.plants < contoso.plants
    assert blind.applications == contoso.applications
    assert blind.service_principals == contoso.service_principals
    assert [vault.keys for vault in blind.vaults] == [vault.keys for vault in contoso.vaults]


def test_blind_spots_expects_nothing_that_cannot_be_seen(contoso: Estate, blind: Estate) -> None:
    vaults = tuple(f"https://{name}.vault.azure.net/" for name in ("kv-payments-prod", "kv-hr-prod", "kv-stores-dev"))
    left_behind = next(one.id for one in contoso.applications if one.name == "edi-gateway")
    dark = (*vaults, "https://hsm-contoso-trust.managedhsm.azure.net/")
    # Of owners, of where Entra's logs go, and of what the dark vaults keep, nothing is shown.
    unseen = {
        "app-no-owner",
        "app-owner-guest-or-disabled",
        "app-privileged-with-user-owner",
        "log-entra-diag-missing",
        "log-no-key-alerts",
        "sp-privileged-certificate-outside-vault",
    }
    rotation = {"kv-key-no-auto-rotation", "kv-key-expiring-soon"}
    # Who is in the group that signs in the order vault is hidden.
    signers = {
        "scope-key-many-signers",
        "scope-human-standing-signer",
        "scope-foreign-principal",
        "combo-unobserved-crown-key",
    }

    def in_the_dark(subject: str) -> bool:
        return subject.startswith(dark) or "/managedhsms/hsm-contoso-trust" in subject or "/domains/" in subject

    for plant in contoso.plants - blind.plants:
        orders = "//kv-orders-prod." in plant.subject or "/kv-orders-prod/accesspolicies/" in plant.subject
        in_orders = orders and (plant.policy in rotation | signers or "/certificates/" in plant.subject)
        # A credential whose certificate is in a vault that shows none.
        joined = plant.policy == "combo-rotated-without-retirement" and left_behind in plant.subject
        table = plant.subject.endswith("/microsoftgraphactivitylogs")
        # Its versions are in a vault that shows none.
        named = plant.policy == "use-secret-old-version" and "kv-payments-prod" in plant.subject
        # Which of its keys somebody has to renew is in rotation policies that are not readable.
        unheard = plant.policy == "kv-near-expiry-unheard" and plant.subject.endswith("/kv-orders-prod")
        assert in_the_dark(plant.subject) or plant.policy in unseen or in_orders or joined or table or named or unheard, plant
    assert not any(in_the_dark(plant.subject) for plant in blind.plants)
    seen = {plant.policy for plant in contoso.plants if not in_the_dark(plant.subject)}
    assert {plant.policy for plant in blind.plants} == seen - unseen


def test_the_vault_that_vanishes_has_no_defect_to_depend_on_when(contoso: Estate) -> None:
    (vault,) = (vault for vault in contoso.vaults if vault.name == "kv-stores-dev")
    assert clean(contoso, oracle.vault_row(vault))
    assert all(clean(contoso, oracle.key_row(vault, key)) for key in vault.keys)
