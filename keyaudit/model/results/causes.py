"""Causes: what one action on one object closes, and the findings that it closes.

A policy declares the kind of its cause, and the column that names the object to act upon. Open failures with the same kind and
object have one cause. Reports for people show a cause once; gates, exit codes, waivers and baselines count findings.
"""

import hashlib
import re
from collections.abc import Mapping

from msgspec import Struct, field

MANY = 2
"""The number of causes that differ in their object alone, above which reports for people list them as one."""


SHORT = 6
"""The least digits of a finding's id that stand for it."""
WHOLE = 16
"""The number of its digits."""
_ID = re.compile(rf"[0-9a-f]{{{SHORT},{WHOLE}}}", re.ASCII)


class Kind(Struct, frozen=True):
    """A kind of cause. `object`: the noun of what is acted upon. `action`: what closes every finding of the cause."""

    object: str
    action: str


KINDS: Mapping[str, Kind] = {
    "credential": Kind(
        "client secret or certificate of an application",
        "Let the application sign in with a managed identity or a federated credential, or with a new certificate. Then remove "
        "this credential.",
    ),
    "federated-credential": Kind(
        "federated credential",
        "Move the workload, if it still exists, to a federated credential with one exact subject that nobody else can obtain. "
        "Then remove this one.",
    ),
    "shared-key": Kind(
        "key pair that several identities use",
        "Give each identity a certificate with its own key. Then remove the shared one from all of them.",
    ),
    "platform-certificates": Kind(
        "Microsoft application",
        "List its certificates, and check who added each one and when. Remove those that its platform did not add.",
    ),
    "certificate": Kind(
        "certificate in a vault",
        "Correct its issuance policy, issue one new version, and move its users to it. Then disable the old version.",
    ),
    "key-version": Kind(
        "key",
        "Give the key a rotation policy with an expiry time, or a key outside Azure a job that rotates it. Make one new "
        "version with the right type, size, protection and operations, and move its users to it. Disable the older ones when "
        "no data or backup needs them any more.",
    ),
    "old-key-versions": Kind(
        "key",
        "Move the users of older versions to the current one. Then disable every older version.",
    ),
    "key-signers": Kind(
        "key",
        "Restrict signing with the key to the few principals in its environment that need it.",
    ),
    "secret": Kind(
        "secret in a vault",
        "Import a private key as a certificate, and remove the secret once nothing reads it. Give any other value a new "
        "version with an expiration date.",
    ),
    "secret-readers": Kind(
        "vault",
        "Restrict reading secrets in the vault to the few principals that need it.",
    ),
    "grant": Kind(
        "role assignment or access policy",
        "Give the principal a narrower assignment if it needs one. Then remove this one.",
    ),
    "delegation": Kind(
        "delegation to another tenant",
        "Have the other organisation send a definition with roles that cannot reach keys. Then remove the old assignments.",
    ),
    "principal": Kind(
        "service principal",
        "Limit its permissions to what it needs. Disable it if nobody uses it.",
    ),
    "inherited-permissions": Kind(
        "blueprint of agents",
        "Grant narrower permissions to the agents that need them. Then remove the wide ones from what the blueprint's agents "
        "inherit.",
    ),
    "sign-in-audience": Kind(
        "app registration",
        "Limit its sign-in audience to this tenant.",
    ),
    "redirect-uris": Kind(
        "app registration",
        "Register the exact https addresses that the application uses, on hosts you own. Remove the others when no sign-in "
        "returns to them.",
    ),
    "authorization-policy": Kind(
        "tenant's authorization policy",
        "Change the policy once: limit user consent and application registration.",
    ),
    "app-management-policy": Kind(
        "app management policy",
        "Change the policy once: its limits for secrets and certificates, its exemptions, and its rule for identifier URIs.",
    ),
    "signing-certificate": Kind(
        "token-signing certificate",
        "Add a new signing certificate, give it to every party that verifies signatures, and make it the active one. Then "
        "remove this one.",
    ),
    "custody-record": Kind(
        "token-signing certificate",
        "Have the custodian of the private key record its HSM, and supply the record.",
    ),
    "vault-network": Kind(
        "vault or Managed HSM",
        "Create a private endpoint if none exists, and approve or reject each pending connection. Then disable public network "
        "access.",
    ),
    "vault-audit-log": Kind(
        "vault",
        "Use one diagnostic setting to send its audit log to a workspace with sufficient retention.",
    ),
    "subscription-roles": Kind(
        "subscription",
        "Move its vaults to Azure RBAC. Then remove roles such as Owner and Contributor at the subscription or above from "
        "principals that do not need them.",
    ),
    "vault-administrators": Kind(
        "vault or Managed HSM",
        "Let no workload keep the right to grant itself access to it.",
    ),
    "account-keys": Kind(
        "account with its own access keys",
        "Move its clients to Entra ID. Then disable its keys.",
    ),
    "service-key": Kind(
        "service that encrypts with a customer-managed key",
        "Configure the service with a usable key, without a version.",
    ),
    "service-secret": Kind(
        "service that uses a secret or certificate from your vault",
        "Let the service read the vault, and use the current version.",
    ),
}
"""The kinds of causes, by id. A finding of another policy is a cause by itself."""


class Declared(Struct, frozen=True):
    """One cause that a policy declares. `object`: the column with the id of the object.

    `when`: the condition of the rows that have this cause, as its author wrote it; empty: every row.
    """

    kind: str
    object: str
    when: str = ""


class Member(Struct, frozen=True):
    """One finding of a cause."""

    policy: str
    subject: str
    problem: str
    beside: bool
    """Whether it is about the same row as the head."""

    @property
    def finding(self) -> str:
        """The id of the finding."""
        return fingerprint(self.policy, self.subject)


class Cause(Struct, frozen=True, kw_only=True):
    """A cause with several open failures. `head` is the most severe one; of equals, the one whose policy is more severe."""

    kind: str
    object: str
    """The id of the object that is acted upon."""
    head: Member
    also: tuple[Member, ...]
    """The others, the most severe first."""

    @property
    def key(self) -> tuple[str, str]:
        """Kind and object: no two causes share them."""
        return self.kind, self.object

    @property
    def action(self) -> str:
        """What closes every finding of the cause."""
        return KINDS[self.kind].action


class Causes(Struct, frozen=True):
    """The causes of the open failures of a report."""

    open: Mapping[str, int] = field(default_factory=dict)
    """Their number by the severity of the head, with those that have one finding."""
    repeated: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """Causes that differ in their object alone, where they are more than `MANY`: their number, by the head's `alike`."""

    @property
    def count(self) -> int:
        """Their number."""
        return sum(self.open.values())


def fingerprint(policy: str, subject: str) -> str:
    """The id of a finding: 16 hex digits of SHA-256 over policy id and subject."""
    # JSON, and so a name, may contain half a surrogate pair.
    return hashlib.sha256(f"{policy}\n{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:WHOLE]


def is_id(text: str) -> bool:
    """Whether a text may be the id of a finding, or how it begins."""
    return _ID.fullmatch(text.lower()) is not None
