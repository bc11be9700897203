"""The estate `blind-spots`: contoso, with unreadable parts that are common in audits."""

from msgspec.structs import replace

from keyaudit.simulator.estate import Estate, Plant, Vault
from keyaudit.simulator.estates.contoso import contoso
from keyaudit.simulator.estates.contoso.access import CROWN_VAULT, ORDER_SIGNING
from keyaudit.simulator.estates.contoso.hsm import TRUST_HSM
from keyaudit.simulator.estates.defects import (
    ENTRA_LOGS_MISSING,
    EXPIRING_SOON,
    FOREIGN_PRINCIPAL,
    HUMAN_SIGNER,
    KEY_OUTSIDE_VAULT,
    MANY_SIGNERS,
    NEAR_EXPIRY_UNHEARD,
    NO_AUTO_ROTATION,
    NO_KEY_ALERTS,
    NO_OWNER,
    NOT_RETIRED,
    OUTSIDE_OWNER,
    POWERFUL_WITH_USER_OWNER,
    SECRET_OLD_VERSION,
    UNOBSERVED_CROWN_KEY,
)
from keyaudit.simulator.estates.ids import application_id, certificate_id, hsm_deleted_key_id, hsm_key_id, key_id

_FIREWALL = "kv-payments-prod"
_NO_PERMISSION = "kv-hr-prod"
_VANISHES = "kv-stores-dev"
_NO_ROTATION_POLICIES = "kv-orders-prod"
_ENTRA_ALONE = "/tables/microsoftgraphactivitylogs"
"""The end of the id of a log table for Entra's logs only, whose diagnostic settings are not readable."""
_VANISHES_AFTER = 8
"""The number of requests about its keys: enough to list them, not enough to read them."""

_UNREAD = (
    # The control plane still shows keys, but not whether one backs a certificate, which every policy on keys needs. It shows no
    # certificates and secrets.
    *(key_id(vault, "").removesuffix("keys/") for vault in (_FIREWALL, _NO_PERMISSION, _VANISHES)),
    certificate_id(_NO_ROTATION_POLICIES, ""),
    # An HSM's keys and local roles are visible only to principals with a local role.
    hsm_key_id(TRUST_HSM.name, ""),
    hsm_deleted_key_id(TRUST_HSM.name, ""),
    f"/managedhsms/{TRUST_HSM.name}",
    # The federation of domains is not readable.
    "/domains/",
)
"""Parts of the ids of unreadable objects."""


def blind_spots(as_of: int) -> Estate:
    """Contoso at `as_of`, with the planted defects that can still be found with certainty."""
    whole = contoso(as_of)
    return replace(
        whole,
        name="blind-spots",
        vaults=tuple(_darkened(vault) for vault in whole.vaults),
        # The usual case with Managed HSMs: Reader shows the HSM, but the auditor has no local role.
        hsms=tuple(replace(hsm, access="local") if hsm.name == TRUST_HSM.name else hsm for hsm in whole.hsms),
        logs=replace(whole.logs, entra_refused=True),
        graph_refuses=("owners", "federationConfiguration", f"groups/{_group(whole)}"),
        plants=frozenset(plant for plant in whole.plants if _still_certain(plant, _left_behind(whole))),
    )


def _group(estate: Estate) -> str:
    """The object id of the group that may sign with the most important key, with hidden members."""
    return next(group.id for group in estate.groups if group.name == ORDER_SIGNING)


def _left_behind(estate: Estate) -> str:
    """The application with an old certificate of a vault whose certificates are not readable."""
    return next(application_id(estate.tenant_id, one.id) for one in estate.applications if one.name == "edi-gateway")


def _darkened(vault: Vault) -> Vault:
    if vault.name == _FIREWALL:
        return replace(vault, access="firewall")
    if vault.name == _NO_PERMISSION:
        return replace(vault, access="rbac")
    if vault.name == _VANISHES:
        return replace(vault, vanishes_after=_VANISHES_AFTER)
    if vault.name == _NO_ROTATION_POLICIES:
        # An access policy for keys only.
        return replace(vault, refused=("rotationpolicy", "certificates"))
    return vault


def _still_certain(plant: Plant, left_behind: str) -> bool:
    in_doubt = (
        # Without a vault's certificates it is unknown whether a credential is one of them.
        ({NOT_RETIRED}, left_behind),
        ({KEY_OUTSIDE_VAULT}, ""),
        # The members of the group that signs with the most important key are hidden: number, users and guests.
        ({MANY_SIGNERS, UNOBSERVED_CROWN_KEY}, key_id(CROWN_VAULT, "")),
        ({HUMAN_SIGNER, FOREIGN_PRINCIPAL}, f"/{CROWN_VAULT}/accesspolicies/"),
        ({NO_AUTO_ROTATION, EXPIRING_SOON}, key_id(_NO_ROTATION_POLICIES, "")),
        # Which of its keys somebody has to renew is unknown.
        ({NEAR_EXPIRY_UNHEARD}, f"/{_NO_ROTATION_POLICIES}"),
        # Which version of a secret is the current one is unknown where none was listed.
        ({SECRET_OLD_VERSION}, f"/{_FIREWALL}.vault.azure.net/"),
        # Where Entra's logs go, Microsoft Sentinel may watch them.
        ({ENTRA_LOGS_MISSING, NO_KEY_ALERTS, NO_OWNER, OUTSIDE_OWNER, POWERFUL_WITH_USER_OWNER}, ""),
    )
    unread = any(place in plant.subject for place in _UNREAD) or plant.subject.endswith(_ENTRA_ALONE)
    return not unread and not any(plant.policy in policies and place in plant.subject for policies, place in in_doubt)
