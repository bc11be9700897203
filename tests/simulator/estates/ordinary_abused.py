"""The estate `ordinary-abused`: the tenant `ordinary` with one change to each footprint, made by an attacker or by mistake."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from keyaudit.simulator import roles, x509
from keyaudit.simulator.estate import AccessPolicy, Application, Consent, Estate, KeyCredential, ServicePrincipal
from keyaudit.simulator.estates import ordinary_azure as azure
from keyaudit.simulator.estates import ordinary_entra as entra
from keyaudit.simulator.estates.holder_plans import GITHUB
from keyaudit.simulator.estates.ids import DAY
from keyaudit.simulator.estates.installer_credentials import Maker, years
from keyaudit.simulator.estates.ordinary import credential_uses, ground_of, ordinary
from keyaudit.simulator.estates.ordinary_azure import assigned, vault_scope
from keyaudit.simulator.estates.ordinary_entra import granted, nps_certificate
from keyaudit.simulator.key_vault import certificates

Change: TypeAlias = Callable[[Estate, Maker], Estate]

_ANOTHER_TENANT = "91b0a4d2-6c7e-4f35-8a1d-2e9f60c5b7a8"


def ordinary_abused(as_of: int) -> Estate:
    """The tenant as it stands at `as_of`, with every change."""
    estate, make = ordinary(as_of), Maker(ground_of(as_of))
    for change in CHANGES.values():
        estate = change(estate, make)
    estate = replace(estate, name="ordinary-abused", tenant_name="Fabrikam, abused (simulated tenant)")
    return replace(estate, credential_uses=credential_uses(estate))


def _application(estate: Estate, name: str, change: Callable[[Application], Application]) -> Estate:
    return replace(estate, applications=tuple(change(one) if one.name == name else one for one in estate.applications))


def _principal(estate: Estate, name: str, change: Callable[[ServicePrincipal], ServicePrincipal]) -> Estate:
    changed = tuple(change(one) if one.name == name else one for one in estate.service_principals)
    return replace(estate, service_principals=changed)


def _secret_on_principal(name: str) -> Change:
    def change(estate: Estate, make: Maker) -> Estate:
        added = make.secret(f"{name} added", 30, 180, "added")
        return _principal(estate, name, lambda one: replace(one, passwords=(*one.passwords, added)))

    return change


def _secret_on_application(name: str, life: int = 180) -> Change:
    def change(estate: Estate, make: Maker) -> Estate:
        added = make.secret(f"{name} added", 30, life, "added")
        return _application(estate, name, lambda one: replace(one, passwords=(*one.passwords, added)))

    return change


def _two_years(name: str) -> Change:
    return _secret_on_application(name, 730)


def _certificate_on_principal(name: str, subject: str = "CN=backup") -> Change:
    def change(estate: Estate, make: Maker) -> Estate:
        added = make.certificate(f"{name} added", subject, 30, life=365)
        return _principal(estate, name, lambda one: replace(one, keys=(*one.keys, added)))

    return change


def _certificate_on_application(name: str) -> Change:
    def change(estate: Estate, make: Maker) -> Estate:
        added = make.certificate(f"{name} added", "CN=backup", 30, life=365)
        return _application(estate, name, lambda one: replace(one, keys=(*one.keys, added)))

    return change


def _another_tenants_subject(estate: Estate, make: Maker) -> Estate:
    of = "Microsoft AD FS Azure MFA"
    foreign = nps_certificate(make, of, _ANOTHER_TENANT)
    return _principal(
        estate,
        entra.MFA,
        lambda one: replace(one, keys=tuple(foreign if of in (key.display_name or "") else key for key in one.keys)),
    )


def _no_farm(estate: Estate, _make: Maker) -> Estate:
    return _principal(estate, entra.SHAREPOINT, lambda one: replace(one, names=()))


def _app_role(holder: str, role: str) -> Change:
    def change(estate: Estate, make: Maker) -> Estate:
        return replace(estate, app_role_grants=(*estate.app_role_grants, granted(make.ground, holder, entra.GRAPH, role)))

    return change


def _manages_a_grantor(estate: Estate, make: Maker) -> Estate:
    owner = _app_role(entra.LANDING_PAGE, "Application.ReadWrite.OwnedBy")(estate, make)
    return _app_role(entra.PUBLISHER, "AppRoleAssignment.ReadWrite.All")(owner, make)


def _federated(estate: Estate, make: Maker) -> Estate:
    added = make.federated("added", GITHUB, "repo:fabrikam@7710023/tools@88120977:environment:production")
    return _application(estate, entra.OWN_CONNECT, lambda one: replace(one, federated=(added,)))


def _verifies(estate: Estate, _make: Maker) -> Estate:
    return _application(
        estate,
        entra.ENCRYPTED,
        lambda one: replace(one, encryption_key=None, keys=tuple(replace(key, usage="Verify") for key in one.keys)),
    )


def _second_certificate(estate: Estate, make: Maker) -> Estate:
    start = make.ground.moment(20, "second certificate")
    second = x509.certificate("CN=sts", key_name="second certificate", start=start, end=start + 365 * DAY)
    return replace(
        estate,
        domains=tuple(
            replace(one, federation=replace(one.federation, next_certificate=second)) if one.federation else one
            for one in estate.domains
        ),
    )


def _no_sponsor(estate: Estate, _make: Maker) -> Estate:
    return _principal(estate, entra.AGENT, lambda one: replace(one, sponsors=()))


def _as_the_user(estate: Estate, make: Maker) -> Estate:
    ground = make.ground
    given = Consent(
        client_id=ground.guid("principal", entra.SURVEYS),
        resource_id=ground.guid("principal", entra.GRAPH),
        permissions=("openid", "profile", "Directory.AccessAsUser.All"),
    )
    others = tuple(one for one in estate.consents if one.client_id != given.client_id)
    return replace(estate, consents=(*others, given))


def _subject(name: str, subject: str) -> Change:
    def change(estate: Estate, _make: Maker) -> Estate:
        return _application(
            estate,
            name,
            lambda one: replace(one, federated=tuple(replace(each, subject=subject) for each in one.federated)),
        )

    return change


def _issuer(name: str, of: Callable[..., str]) -> Change:
    def change(estate: Estate, make: Maker) -> Estate:
        issuer = of(make.ground, _ANOTHER_TENANT)
        return _application(
            estate, name, lambda one: replace(one, federated=tuple(replace(each, issuer=issuer) for each in one.federated))
        )

    return change


def _valid_for(name: str, life: int) -> Change:
    def change(estate: Estate, _make: Maker) -> Estate:
        return _application(
            estate,
            name,
            lambda one: replace(
                one, passwords=tuple(replace(each, end=(each.start or 0) + life * DAY) for each in one.passwords)
            ),
        )

    return change


def _three_years(estate: Estate, _make: Maker) -> Estate:
    return _application(
        estate,
        entra.IMPORTER,
        lambda one: replace(one, passwords=tuple(replace(each, end=years(each.start or 0, 3)) for each in one.passwords)),
    )


def _assigned(name: str, role: str, vault: str = "", key: str = "") -> Change:
    def change(estate: Estate, make: Maker) -> Estate:
        [subscription] = estate.subscriptions
        scope = vault_scope(subscription.id, vault) if vault else f"/subscriptions/{subscription.id}"
        added = assigned(make.ground, make.ground.guid("principal", name), role, f"{scope}/keys/{key}" if key else scope)
        return replace(estate, role_assignments=(*estate.role_assignments, added))

    return change


def _policy(vault: str, name: str, *keys: str) -> Change:
    def change(estate: Estate, make: Maker) -> Estate:
        principal = make.ground.guid("principal", name)
        vaults = tuple(
            replace(
                one,
                access_policies=tuple(
                    replace(each, keys=(*each.keys, *keys)) if each.principal == principal else each
                    for each in one.access_policies
                ),
            )
            if one.name == vault
            else one
            for one in estate.vaults
        )
        return replace(estate, vaults=vaults)

    return change


def _pinned(estate: Estate, _make: Maker) -> Estate:
    """The SQL server stays with the version that was current before the rotation."""
    [key] = [key for vault in estate.vaults for key in vault.keys if key.name == azure.SQL_KEY]
    before = f"https://{azure.ENCRYPTION}.vault.azure.net/keys/{key.name}/{key.versions[1].version}"
    return replace(
        estate,
        resources=tuple(
            replace(one, properties={"keyId": before}, follows_rotation=False) if one.type == "Microsoft.Sql/servers" else one
            for one in estate.resources
        ),
    )


def _no_machine(estate: Estate, _make: Maker) -> Estate:
    return replace(estate, resources=tuple(one for one in estate.resources if one.name != azure.MACHINE))


def _user_may(vault: str, *, keys: tuple[str, ...] = (), secrets: tuple[str, ...] = ()) -> Change:
    """A user has these permissions in a vault with access policies."""

    def change(estate: Estate, _make: Maker) -> Estate:
        added = AccessPolicy(principal=estate.users[bool(keys)].id, keys=keys, secrets=secrets)
        vaults = (
            replace(one, access_policies=(*one.access_policies, added)) if one.name == vault else one for one in estate.vaults
        )
        return replace(estate, vaults=tuple(vaults))

    return change


def _as_credential(certificate: str, application: str) -> Change:
    """The current version of a vault's certificate, on an application that already was there."""

    def change(estate: Estate, make: Maker) -> Estate:
        [vault] = [one for one in estate.vaults if one.name == azure.WEB]
        [held] = [one for one in vault.certificates if one.name == certificate]
        version = certificates.current(held)
        made = certificates.der(vault, held, version)
        added = KeyCredential(
            key_id=make.ground.guid("uploaded", certificate),
            start=version.nbf,
            end=version.exp,
            display_name=f"CN={held.subject}",
            thumbprint=x509.thumbprint(made),
            certificate=made,
        )
        return _application(estate, application, lambda one: replace(one, keys=(*one.keys, added)))

    return change


def _overdue(estate: Estate, _make: Maker) -> Estate:
    """The certificate was not renewed at two thirds of its lifetime, as all before it were."""
    late = 12 * DAY
    vaults = []
    for vault in estate.vaults:
        held = tuple(
            replace(
                one,
                versions=tuple(
                    replace(each, created=each.created - late, nbf=(each.nbf or 0) - late, exp=(each.exp or 0) - late)
                    for each in one.versions
                ),
            )
            if one.name == azure.ACME
            else one
            for one in vault.certificates
        )
        vaults.append(replace(vault, certificates=held))
    return replace(estate, vaults=tuple(vaults))


def _as_pfx(estate: Estate, _make: Maker) -> Estate:
    vaults = tuple(
        replace(
            vault,
            secrets=tuple(
                replace(one, versions=tuple(replace(each, content_type="application/x-pkcs12") for each in one.versions))
                if one.name == azure.VPN_SECRET
                else one
                for one in vault.secrets
            ),
        )
        for vault in estate.vaults
    )
    return replace(estate, vaults=vaults)


def _run_as_again(estate: Estate, make: Maker) -> Estate:
    valid = make.certificate(f"{entra.RUN_AS} again", f"CN={entra.RUN_AS}", 100, life=365)
    return _application(estate, entra.RUN_AS, lambda one: replace(one, keys=(valid,)))


CHANGES: Mapping[str, Change] = {
    "1": _secret_on_principal(entra.MFA),
    "2": _another_tenants_subject,
    "3": _certificate_on_principal("Azure Multi-Factor Auth Connector"),
    "4, 6": _certificate_on_principal(entra.EXCHANGE),
    "5": _secret_on_application(entra.HYBRID),
    "7": _no_farm,
    "8": _app_role(entra.P2P, "Mail.Read"),
    "9": _secret_on_application(entra.CONNECT),
    "10": _federated,
    "12": _certificate_on_application(entra.CLOUD_SYNC),
    "13": _two_years(entra.EXTENSIONS[0]),
    "14": _two_years(entra.EXTENSIONS[1]),
    "15": _two_years(entra.EXTENSIONS[2]),
    "20, 32": _certificate_on_principal("WindowsDefenderATP"),
    "21": _two_years(entra.DOMAIN_SERVICES),
    "22": _secret_on_principal(entra.SAML),
    "23": _verifies,
    "26": _second_certificate,
    "27": _secret_on_principal(entra.DATAVERSE),
    "29": _two_years(entra.BOT),
    "30, 31": _no_sponsor,
    "33": _certificate_on_principal(entra.GRAPH_TOOLS),
    "34": _app_role(entra.MIGRATION, "RoleManagement.ReadWrite.Directory"),
    "5.3": _as_the_user,
    "64": _subject(entra.GITHUB_APP, "repo:fabrikam@7710023/*:environment:production"),
    "65": _two_years(entra.DEVOPS_APP),
    "67": _subject(entra.BITBUCKET_APP, "*"),
    "79": _assigned(entra.CLI_APP, roles.OWNER),
    "80": _three_years,
    "82": _valid_for(entra.MAILER, 545),
    "87": _secret_on_application(entra.INTRANET),
    "88": _manages_a_grantor,
    "39": _secret_on_principal(azure.MACHINE),
    "40": _app_role(azure.POLICY, "RoleManagement.ReadWrite.Directory"),
    "41": _assigned(azure.DISK_SET, roles.CRYPTO_USER, azure.ENCRYPTION, azure.DISK_KEY),
    "42, 84": _assigned(entra.AKS_APP, roles.CRYPTO_USER, azure.ENCRYPTION, azure.STORAGE_KEY),
    "43": _pinned,
    "44": _policy(azure.COSMOS, "Azure Cosmos DB", "sign"),
    "45": _policy(azure.COSMOS, "Azure Storage", "all"),
    "42, TDE": _assigned(entra.AKS_APP, roles.CRYPTO_USER, azure.ENCRYPTION, azure.REPORTS_KEY),
    "41, 42": _assigned(azure.WRAPPER, roles.CRYPTO_USER, azure.ENCRYPTION, azure.STORAGE_KEY),
    "46": _no_machine,
    "46, readers": _user_may(azure.DISKS, secrets=("get", "list")),
    "46, key": _user_may(azure.DISKS, keys=("get", "sign")),
    "47": _policy(azure.DISKS, "Backup Management Service", "sign"),
    "49": _assigned(entra.SURVEYS, roles.SECRETS_USER, f"{azure.WEB}/secrets/{azure.BOUGHT}"),
    "50": _as_credential(azure.FRONT_DOOR, entra.GITHUB_APP),
    "51": _assigned(azure.SECRETS_PROVIDER, roles.VAULT_ADMINISTRATOR),
    "52": _issuer(entra.AKS_APP, azure.cluster_issuer),
    "53": _issuer(entra.ARC_APP, azure.arc_issuer),
    "56": _run_as_again,
    "58": _policy(azure.COSMOS, "AzureDatabricks", "sign"),
    "62": _as_credential(azure.LISTENER, entra.ARC_APP),
    "63": _overdue,
    "85": _as_pfx,
}
"""By row of the expectations, the change."""
