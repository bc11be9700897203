"""What the reader of a fix does besides pasting: fills in what only they know, and writes the files as the text says."""

import json
import re
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

from keyaudit.simulator.arm_logs import workspace_id
from keyaudit.simulator.estate import Estate, Posture, Workspace
from tests.rehearsal.stage import Stage

_EXACT = {
    "issuer": "https://token.actions.githubusercontent.com",
    "subject": "repo:contoso@1001/shop@2002:environment:production",
    "audiences": ["api://AzureADTokenExchange"],
}
"""A federated credential for one environment of one repository, both by their ids."""
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
_APP_MANAGEMENT = "https://graph.microsoft.com/v1.0/policies/defaultAppManagementPolicy"
_OF_CERTIFICATE = re.compile(r"az keyvault certificate .*--vault-name (?P<vault>\S+) --name (?P<name>\S+?)(?:-2)? ")


def _longest(estate: Estate) -> Workspace:
    """The workspace that keeps its logs longest."""
    return max(estate.logs.workspaces, key=lambda one: one.retention_days)


def filled(command: str, estate: Estate) -> str:
    """The command with what only its reader knows: a date, an owner."""
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
    if "@policy.json" in command and _APP_MANAGEMENT in command:
        (stage.folder / "policy.json").write_text(json.dumps(await _limits(stage)))
    certificate = _OF_CERTIFICATE.match(command)
    if certificate and "@policy.json" in command:
        policy = await _edited(stage, certificate["vault"], certificate["name"], policies)
        (stage.folder / "policy.json").write_text(json.dumps(policy))


async def _limits(stage: Stage) -> dict[str, Any]:
    """What `keyaudit guardrails` writes, with the restrictions of identifier URIs in force, and the one that is asked."""
    wrote = await stage.run(f"{sys.executable} -m keyaudit guardrails --as app-management-policy --out policy.json")
    assert wrote.status == 0, wrote.errors
    limits: dict[str, Any] = json.loads((stage.folder / "policy.json").read_text())
    shown = await stage.run(f"az rest --url {_APP_MANAGEMENT}")
    assert shown.status == 0, shown.errors
    in_force = json.loads(shown.out)["applicationRestrictions"]["identifierUris"]
    asked = {"uriAdditionWithoutUniqueTenantIdentifier": {"state": "enabled", "restrictForAppsCreatedAfterDateTime": None}}
    applications = {**limits["applicationRestrictions"], "identifierUris": {**in_force, **asked}}
    return {**limits, "applicationRestrictions": applications}


async def _edited(stage: Stage, vault: str, name: str, policies: Collection[str]) -> dict[str, Any]:
    """A certificate's policy as it is, with the edits of these policies."""
    shown = await stage.run(f"az keyvault certificate show --vault-name {vault} --name {name} --query policy")
    assert shown.status == 0, shown.errors
    policy: dict[str, Any] = json.loads(shown.out)
    for each in policies:
        for part, members in EDITS.get(each, {}).items():
            policy[part] = {**policy[part], **members}
        if each == "kv-cert-no-auto-renew":
            policy |= _RENEWING
    return policy
