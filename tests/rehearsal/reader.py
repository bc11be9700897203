"""What the reader of a fix does besides pasting: fills in what only they know, and writes the files as the text says."""

import datetime
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from keyaudit.questions.guardrails.default_policy import APP_MANAGEMENT_URL, SAVE, SAVED
from keyaudit.simulator.estate import Estate, ManagedHsm, Posture, Vault, Workspace
from keyaudit.simulator.resource_manager.logs import workspace_id
from keyaudit.simulator.roles import BUILT_IN
from tests.clock import COLLECTED
from tests.rehearsal.stage import Stage

_EXACT = {
    "issuer": "https://token.actions.githubusercontent.com",
    "subject": "repo:contoso@1001/shop@2002:environment:production",
    "audiences": ["api://AzureADTokenExchange"],
}
"""A federated credential for one environment of one repository, both by their ids."""
_OFFICER = "515eb02d-2335-4d2d-92f2-b1cbdf9c3778"
_KEY, _CERTIFICATE = "keyProperties", "x509CertificateProperties"
EDITS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "combo-exportable-auth-cert": {_KEY: {"exportable": False}},
    "combo-one-cert-many-identities": {_KEY: {"exportable": False, "keyType": "RSA-HSM"}},
    "kv-cert-exportable-key": {_KEY: {"exportable": False}},
    "kv-cert-reuse-key-on-renew": {_KEY: {"reuseKey": False}},
    "kv-cert-software-key": {_KEY: {"keyType": "RSA-HSM", "exportable": False}},
    "kv-cert-validity-too-long": {_CERTIFICATE: {"validityInMonths": 6}},
    "pqc-quantum-vulnerable-certificate": {_KEY: {"keySize": 3072}, _CERTIFICATE: {"validityInMonths": 12}},
    "use-weak-certificate": {_KEY: {"keySize": 3072}},
}
"""By policy what its text says to change in policy.json."""
_RENEWS = "kv-cert-no-auto-renew"
_RENEWING = {"lifetimeActions": [{"action": {"actionType": "AutoRenew"}, "trigger": {"daysBeforeExpiry": 30}}]}
_RELEASE = {
    "version": "1.0.0",
    "anyOf": [
        {"authority": "https://attest.contoso.example", "allOf": [{"claim": "x-ms-attestation-type", "equals": "sevsnpvm"}]}
    ],
}
_OTHERS = {
    "new-value.txt": "a new value",
    "release-policy.json": json.dumps(_RELEASE),
    "categories.json": json.dumps(
        [{"category": each, "enabled": True} for each in ("Administrative", "Alert", "Policy", "Security")]
    ),
}
_USERS: Mapping[str, Callable[[Posture], Mapping[str, Any]]] = {
    "app-users-can-consent": lambda posture: {
        "permissionGrantPoliciesAssigned": [
            each for each in posture.consent_policies if not each.startswith("ManagePermissionGrantsForSelf")
        ]
    },
    "app-users-can-register": lambda _: {"allowedToCreateApps": False},
}
"""By policy what users.json sets in defaultUserRolePermissions."""
_OF_ENDPOINT = re.compile(
    r"az network private-endpoint create --subscription (?P<subscription>\S+) --resource-group (?P<group>\S+) "
)
_OF_CERTIFICATE = re.compile(r"az keyvault certificate .*--vault-name (?P<vault>\S+) --name (?P<name>\S+?)(?:-2)? ")


def _longest(estate: Estate) -> Workspace:
    """The workspace that keeps its logs longest."""
    return max(estate.logs.workspaces, key=lambda one: one.retention_days)


def _premium(estate: Estate) -> str:
    """A vault that has keys in an HSM."""
    return next(one.name for one in estate.vaults if one.sku == "premium" and one.rbac and one.access == "open")


def _network(command: str, estate: Estate) -> dict[str, str]:
    """The virtual network in the resource group of a private endpoint."""
    asked = _OF_ENDPOINT.match(command)
    if asked is None:
        return {}
    of = (asked["subscription"].lower(), asked["group"].lower())
    found = next(
        one
        for one in estate.resources
        if (one.subscription.lower(), one.resource_group.lower()) == of and one.type == "Microsoft.Network/virtualNetworks"
    )
    return {" VNET ": f" {found.name} ", " SUBNET ": " endpoints "}


def _earlier(command: str, estate: Estate) -> list[str]:
    """The enabled versions before the current one of the certificate in a command."""
    of = _OF_CERTIFICATE.match(command)
    assert of is not None, command
    vault = next(one for one in estate.vaults if one.name == of["vault"])
    found = next(one for one in vault.certificates if one.name == of["name"])
    return [one.version for one in found.versions if one.enabled and one.version != found.current]


def _credentials(command: str, estate: Estate) -> list[str]:
    """How az names each valid credential of the application in a command."""
    of = next(one for one in estate.applications if f" --id {one.app_id} " in command)
    live = [
        (one, cert) for held, cert in ((of.passwords, ""), (of.keys, " --cert")) for one in held if (one.end or 0) > COLLECTED
    ]
    assert live, command
    return [f"--key-id {one.key_id}{cert}" for one, cert in live]


def _user_owners(command: str, estate: Estate) -> list[str]:
    """The users among the owners of the application in a command."""
    of = next(one for one in estate.applications if f" --id {one.app_id} " in command)
    return [one for one in of.owners if one in {user.id for user in estate.users}]


def _earlier_of_key(command: str, estate: Estate) -> list[str]:
    """The ends of the ids of the enabled versions before the current one of the key in a command."""
    boxes: list[Vault | ManagedHsm] = [*estate.vaults, *estate.hsms]
    found = next(key for box in boxes for key in box.keys if f"://{box.name}." in command and f"/keys/{key.name}/" in command)
    return [f"/{one.version} " for one in found.versions if one.enabled and one.version != found.current]


def _wide_roles(command: str, estate: Estate) -> list[str]:
    """How az names each role of the principal in a command at a subscription or above."""
    principal = next(one for one in estate.service_principals if f" --assignee {one.app_id} " in command)
    names = {role.id: role.name for role in BUILT_IN}
    return [
        f"--role '{names[one.role]}' --scope {one.scope}"
        for one in estate.role_assignments
        if one.principal == principal.id and "/resourcegroups/" not in one.scope.lower()
    ]


def _granting_beside_others(command: str, estate: Estate) -> list[str]:
    """The assignments of roles that grant others, to principals that have another role in the HSM of a command."""
    hsm = next(one for one in estate.hsms if f"--hsm-name {one.name} " in command)
    held = Counter(one.principal for one in hsm.assignments)
    granting = {_OFFICER, *(role.id for role in hsm.roles if "roleAssignments/write/action" in role.data_actions)}
    return [
        f"--name {one.id} --scope {one.scope}" for one in hsm.assignments if one.role in granting and held[one.principal] > 1
    ]


def _connections(command: str, estate: Estate) -> list[str]:
    """The connections of the vault in a command that are not approved, the last first: they are numbered."""
    vault = next(one for one in estate.vaults if f"/vaults/{one.name}/" in command)
    return [f"/connection-{number}" for number, state in reversed([*enumerate(vault.endpoints)]) if state != "Approved"]


def guardrail(command: str, estate: Estate) -> str:
    """A command of `keyaudit guardrails` for the workspace that keeps its logs longest, in its resource group."""
    kept = _longest(estate)
    [notified, *_] = [one.action_group for one in estate.logs.alert_rules if one.action_group]
    known = {
        "SUBSCRIPTION": kept.subscription,
        " GROUP ": f" {kept.resource_group} ",
        "workspaceId=RESOURCE_ID": f"workspaceId={workspace_id(kept)}",
        "actionGroupId=RESOURCE_ID": f"actionGroupId={notified}",
    }
    for written, meant in known.items():
        command = command.replace(written, meant)
    return command


_EACH: Mapping[str, Callable[[str, Estate], list[str]]] = {
    "--key-id KEY_ID": _credentials,
    "/VERSION ": _earlier_of_key,
    "--role ROLE --scope SCOPE": _wide_roles,
    "--name NAME --scope SCOPE": _granting_beside_others,
    "/CONNECTION": _connections,
}
"""By what a command leaves to its reader, what stands for it; the command is repeated for each."""


def filled(command: str, estate: Estate) -> str:
    """The command with what only its reader knows: a date, an owner. It is repeated for each earlier version."""
    for written, found in _EACH.items():
        if written in command:
            return " && ".join(command.replace(written, each) for each in found(command, estate))
    if command.startswith("az ad app owner remove "):
        return " && ".join(command.replace("OWNER", each) for each in _user_owners(command, estate))
    if " --version VERSION " in command:
        versions = _earlier(command, estate)
        assert versions, command
        return " && ".join(command.replace(" VERSION ", f" {version} ") for version in versions)
    person = next(user.id for user in estate.users)
    identity = next((one for one in estate.identities if f"--identity-name {one.name} " in command), None)
    known = {"YYYY-MM-DD": "2027-10-01", "--owner-object-id OWNER": f"--owner-object-id {person}", "EXTERNAL_KEY_ID": "kek-9"}
    known |= {" ISSUER ": f" {_EXACT['issuer']} ", " SUBJECT ": f" {_EXACT['subject']} "}
    if " --workspace WORKSPACE " in command:
        known |= {" WORKSPACE ": f" {workspace_id(_longest(estate))} ", " LOCATION ": " westeurope "}
    if " --endpoint FUNCTION " in command:
        site = next(one for one in estate.resources if one.type == "Microsoft.Web/sites")
        known |= {" FUNCTION ": f" {site.id}/functions/near-expiry "}
    if identity:
        known |= {" SUBSCRIPTION ": f" {identity.subscription} ", " RESOURCE_GROUP ": f" {identity.resource_group} "}
    known |= {"PREMIUM_VAULT": _premium(estate), **_network(command, estate)}
    for written, meant in known.items():
        command = command.replace(written, meant)
    return command


async def prepare(stage: Stage, command: str, policies: Collection[str]) -> None:
    """Write the files that a command names, as the texts of these policies say."""
    for name in ("credential.json", "federated.json"):
        if name in command:
            # The name of one that exists cannot be changed.
            named = {} if " update " in command else {"name": "rehearsal"}
            (stage.folder / name).write_text(json.dumps({**named, **_EXACT}))
    for name, content in _OTHERS.items():
        if name in command:
            (stage.folder / name).write_text(content)
    if "@audit.json" in command:
        devices = "hsm-device-audit-off" in policies
        log = {"category": "HsmServiceOperations"} if devices else {"categoryGroup": "audit"}
        (stage.folder / "audit.json").write_text(json.dumps([{**log, "enabled": True}]))
    if "@users.json" in command:
        users: dict[str, Any] = {}
        for each in policies:
            users |= _USERS[each](stage.simulator.estate.posture) if each in _USERS else {}
        (stage.folder / "users.json").write_text(json.dumps({"defaultUserRolePermissions": users}))
    if "--file key.pfx" in command:
        (stage.folder / "key.pfx").write_bytes(exported())
    if "policy.json'" in command:
        policy = await _policy(stage, command, policies)
        (stage.folder / "policy.json").write_text(json.dumps(policy))


async def _policy(stage: Stage, command: str, policies: Collection[str]) -> dict[str, Any]:
    """What policy.json says: limits of applications, or the policy of a certificate."""
    if APP_MANAGEMENT_URL in command:
        limits = await _limits(stage)
        return _unexempted(limits) if "app-management-policy-exempts" in policies else limits
    if "--file key.pfx" in command:
        return await _imported(stage)
    certificate = _OF_CERTIFICATE.match(command)
    # A release policy is in a file of its own.
    return await _edited(stage, certificate["vault"], certificate["name"], policies) if certificate else {}


async def _imported(stage: Stage) -> dict[str, Any]:
    """The policy to import a certificate with."""
    shown = await stage.run("az keyvault certificate get-default-policy")
    assert shown.status == 0, shown.errors
    default: dict[str, Any] = json.loads(shown.out)
    key = {**default[_KEY], "exportable": False, "reuseKey": False}
    return {**default, _KEY: key, "issuerParameters": {"name": "Unknown"}}


def exported() -> bytes:
    """A client certificate of a partner's CA with its private key, as it was copied into a secret."""
    key, made = _made("edi.contoso.example", "Partner CA")
    return pkcs12.serialize_key_and_certificates(b"edi", key, made, None, NoEncryption())


def certificate() -> bytes:
    """A new certificate of an application, in PEM, without its key."""
    return _made("new", "new")[1].public_bytes(Encoding.PEM)


def _made(subject: str, issuer: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    start = datetime.datetime.fromtimestamp(COLLECTED, datetime.UTC) - datetime.timedelta(days=30)
    return key, (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=180))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


async def _limits(stage: Stage) -> dict[str, Any]:
    """What `keyaudit guardrails` writes from the policy in force."""
    for command in (
        SAVE,
        f"{sys.executable} -m keyaudit guardrails --as app-management-policy --from {SAVED} --out policy.json",
    ):
        ran = await stage.run(command)
        assert ran.status == 0, ran.errors
    limits: dict[str, Any] = json.loads((stage.folder / "policy.json").read_text())
    return limits


def _unexempted(value: Any) -> Any:
    """A policy without exempt actors."""
    if isinstance(value, list):
        return [_unexempted(each) for each in value]
    return (
        {name: _unexempted(each) for name, each in value.items() if name != "excludeActors"}
        if isinstance(value, dict)
        else value
    )


async def _edited(stage: Stage, vault: str, name: str, policies: Collection[str]) -> dict[str, Any]:
    """A certificate's policy as it is, with the edits of these policies. One that is made in another vault has the edits of
    all policies.
    """
    own = {one.name: {each.name for each in one.certificates} for one in stage.simulator.estate.vaults}
    if name not in own[vault]:
        vault, policies = next(one for one, names in own.items() if name in names), [*EDITS, _RENEWS]
    shown = await stage.run(f"az keyvault certificate show --vault-name {vault} --name {name} --query policy")
    assert shown.status == 0, shown.errors
    policy: dict[str, Any] = json.loads(shown.out)
    for each in policies:
        for part, members in EDITS.get(each, {}).items():
            policy[part] = {**policy[part], **members}
        if each == _RENEWS:
            policy |= _RENEWING
    return policy
