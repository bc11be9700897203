"""Ids and times of a simulated tenant: derived from a seed and a name, so that a new object does not change the others."""

import hashlib
import uuid

from msgspec import Struct

DAY = 86_400


class Ground(Struct, frozen=True):
    """The seed and time of one tenant. Ids and times are derived from names: `guid("application", "Billing API")`."""

    seed: int
    as_of: int
    domain: str

    @property
    def tenant(self) -> str:
        """The tenant's id."""
        return self.guid("tenant", self.domain)

    def hexadecimal(self, *names: str) -> str:
        """32 hex digits, as a key version's id has."""
        return self._digest(names)[:32]

    def thumbprint(self, *names: str) -> str:
        """40 upper-case hex digits, as a certificate's SHA-1 has."""
        return self._digest(names)[:40].upper()

    def guid(self, *names: str) -> str:
        """A lower-case version 4 GUID."""
        digits = self._digest(names)
        variant = "89ab"[int(digits[16], 16) % 4]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"

    def moment(self, age: int, *names: str) -> int:
        """A time `age` days before `as_of`, and up to half a day more: a tenant's objects are not all created at once."""
        return self.as_of - age * DAY - int(self._digest(names)[:8], 16) % (DAY // 2)

    def _digest(self, names: tuple[str, ...]) -> str:
        return hashlib.sha256(f"{self.seed}/{'/'.join(names)}".encode()).hexdigest()


def vault_id(subscription: str, resource_group: str, name: str) -> str:
    """What a finding about a vault names."""
    return f"/subscriptions/{subscription}/resourcegroups/{resource_group}/providers/microsoft.keyvault/vaults/{name}".lower()


def hsm_id(subscription: str, resource_group: str, name: str) -> str:
    """What a finding about a Managed HSM names."""
    return (
        f"/subscriptions/{subscription}/resourcegroups/{resource_group}/providers/microsoft.keyvault/managedhsms/{name}".lower()
    )


def assignment_id(scope: str, guid: str) -> str:
    """What a finding about a role assignment names; an HSM's own roles too, `scope` then being in the HSM."""
    return f"{scope}/providers/microsoft.authorization/roleassignments/{guid}".lower()


def eligibility_id(tenant: str, scope: str, guid: str) -> str:
    """What a finding about a role that somebody may activate names: Azure gives the instance of an eligibility its own name."""
    name = uuid.uuid5(uuid.NAMESPACE_OID, f"{tenant}/eligible/{guid}")
    return f"{scope}/providers/microsoft.authorization/roleeligibilityscheduleinstances/{name}".lower()


def directory_assignment_id(tenant: str, principal: str, role: str) -> str:
    """What a finding about a directory role over the whole tenant names."""
    name = uuid.uuid5(uuid.NAMESPACE_OID, f"{tenant}/directory role/{principal}/{role}///False")
    return f"/tenants/{tenant}/roleassignments/{principal}/{role}/tenant/{name}".lower()


def access_policy_id(vault: str, principal: str) -> str:
    """What a finding about an access policy names; `vault` as in `vault_id`."""
    return f"{vault}/accesspolicies/{principal}".lower()


def key_id(vault: str, key: str) -> str:
    """What a finding about a key names; with `/{version}` after it, one of its versions."""
    return f"https://{vault}.vault.azure.net/keys/{key}".lower()


def certificate_id(vault: str, certificate: str) -> str:
    """What a finding about a certificate names; with `/{version}` after it, one of its versions."""
    return f"https://{vault}.vault.azure.net/certificates/{certificate}".lower()


def secret_id(vault: str, secret: str) -> str:
    """What a finding about a secret names."""
    return f"https://{vault}.vault.azure.net/secrets/{secret}".lower()


def deleted_key_id(vault: str, key: str) -> str:
    """What a finding about a deleted key names."""
    return f"https://{vault}.vault.azure.net/deletedkeys/{key}".lower()


def hsm_deleted_key_id(hsm: str, key: str) -> str:
    """What a finding about a deleted key of a Managed HSM names."""
    return f"https://{hsm}.managedhsm.azure.net/deletedkeys/{key}".lower()


def hsm_key_id(hsm: str, key: str) -> str:
    """What a finding about a Managed HSM's key names; with `/{version}` after it, one of its versions."""
    return f"https://{hsm}.managedhsm.azure.net/keys/{key}".lower()


def application_id(tenant: str, object_id: str) -> str:
    """What a finding about an application names."""
    return f"/tenants/{tenant}/applications/{object_id}"


def principal_id(tenant: str, object_id: str) -> str:
    """The row id of a service principal."""
    return f"/tenants/{tenant}/serviceprincipals/{object_id}"


def credential_id(holder: str, key: str) -> str:
    """What a finding about a credential names, under its holder's row id."""
    return f"{holder}/credentials/{key}"


def signing_certificate_id(principal: str, thumbprint: str) -> str:
    """What a finding about a SAML signing certificate names, under its service principal's row id."""
    return f"{principal}/signingcertificates/{thumbprint.lower()}"
