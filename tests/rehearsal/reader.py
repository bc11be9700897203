"""What the reader of a fix does besides pasting: fills in what only they know, and writes the files as the text says."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from keyaudit.simulator.estate import Estate
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
    "audit.json": '[{"categoryGroup": "audit", "enabled": true}]',
    "categories.json": '[{"category": "Administrative", "enabled": true}]',
    "users.json": "{}",
}
_OF_CERTIFICATE = re.compile(r"az keyvault certificate .*--vault-name (?P<vault>\S+) --name (?P<name>\S+?)(?:-2)? ")


def filled(command: str, estate: Estate) -> str:
    """The command with what only its reader knows: a date, an owner."""
    person = next(user.id for user in estate.users)
    identity = next((one for one in estate.identities if f"--identity-name {one.name} " in command), None)
    known = {"YYYY-MM-DD": "2027-10-01", "--owner-object-id OWNER": f"--owner-object-id {person}", "EXTERNAL_KEY_ID": "kek-9"}
    known |= {" ISSUER ": f" {_EXACT['issuer']} ", " SUBJECT ": f" {_EXACT['subject']} "}
    if identity:
        known |= {" SUBSCRIPTION ": f" {identity.subscription} ", " RESOURCE_GROUP ": f" {identity.resource_group} "}
    for written, meant in known.items():
        command = command.replace(written, meant)
    return command


async def prepare(stage: Stage, command: str, policies: Iterable[str]) -> None:
    """Write the files that a command names, as the texts of these policies say."""
    for name in ("credential.json", "federated.json"):
        if name in command:
            # The name of one that exists cannot be changed.
            named = {} if " update " in command else {"name": "rehearsal"}
            (stage.folder / name).write_text(json.dumps({**named, **_EXACT}))
    for name, content in _OTHERS.items():
        if name in command:
            (stage.folder / name).write_text(content)
    certificate = _OF_CERTIFICATE.match(command)
    if certificate and "@policy.json" in command:
        policy = await _edited(stage, certificate["vault"], certificate["name"], policies)
        (stage.folder / "policy.json").write_text(json.dumps(policy))


async def _edited(stage: Stage, vault: str, name: str, policies: Iterable[str]) -> dict[str, Any]:
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
