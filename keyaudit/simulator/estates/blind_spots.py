"""The estate `blind-spots`: contoso, with some of what audits often cannot read."""

from dataclasses import replace

from keyaudit.simulator.estate import Estate, Plant, Vault
from keyaudit.simulator.estates.contoso import contoso
from keyaudit.simulator.estates.contoso_access import CROWN_VAULT, ORDER_SIGNING
from keyaudit.simulator.estates.contoso_hsm import TRUST_HSM
from keyaudit.simulator.estates.defects import (
    ENTRA_LOGS_MISSING,
    EXPIRING_SOON,
    FOREIGN_PRINCIPAL,
    HUMAN_SIGNER,
    MANY_SIGNERS,
    NO_AUTO_ROTATION,
    NO_OWNER,
    NOT_RETIRED,
    POWERFUL_WITH_USER_OWNER,
    UNOBSERVED_CROWN_KEY,
)
from keyaudit.simulator.estates.ids import application_id, certificate_id, hsm_key_id, key_id

_FIREWALL = "kv-payments-prod"
_NO_PERMISSION = "kv-hr-prod"
_VANISHES = "kv-stores-dev"
_NO_ROTATION_POLICIES = "kv-orders-prod"
_ENTRA_ALONE = "/tables/microsoftgraphactivitylogs"
"""What the id of a log table ends with that no other log goes to than Entra's, and where that goes is refused."""
_VANISHES_AFTER = 8
"""Requests about its keys: enough to list its keys, not enough to read them."""

_UNREAD = (
    # The control plane still shows keys, but not whether one backs a certificate: every policy on keys asks that first.
    # Of certificates and secrets it shows nothing.
    *(key_id(vault, "").removesuffix("keys/") for vault in (_FIREWALL, _NO_PERMISSION, _VANISHES)),
    certificate_id(_NO_ROTATION_POLICIES, ""),
    # An HSM's keys and local roles are shown to those alone who have one.
    hsm_key_id(TRUST_HSM.name, ""),
    f"/managedhsms/{TRUST_HSM.name}",
    # What federated domains are trusted by is refused.
    "/domains/",
)
"""In the ids of what is not read."""


def blind_spots(as_of: int) -> Estate:
    """Contoso at `as_of`; its plants are those that can still be found for certain."""
    whole = contoso(as_of)
    return replace(
        whole,
        name="blind-spots",
        vaults=tuple(_darkened(vault) for vault in whole.vaults),
        # The usual case with Managed HSMs: Reader shows that it is there, and no local role lets the auditor in.
        hsms=tuple(replace(hsm, access="local") if hsm.name == TRUST_HSM.name else hsm for hsm in whole.hsms),
        logs=replace(whole.logs, entra_refused=True),
        graph_refuses=("owners", "federationConfiguration", f"groups/{_group(whole)}"),
        plants=frozenset(plant for plant in whole.plants if _still_certain(plant, _left_behind(whole))),
    )


def _group(estate: Estate) -> str:
    """The object id of the group that may sign with the crown key: who is in it is not shown."""
    return next(group.id for group in estate.groups if group.name == ORDER_SIGNING)


def _left_behind(estate: Estate) -> str:
    """The application whose certificate is an old one of a vault that shows no certificates."""
    return next(application_id(estate.tenant_id, one.id) for one in estate.applications if one.name == "edi-gateway")


def _darkened(vault: Vault) -> Vault:
    if vault.name == _FIREWALL:
        return replace(vault, access="firewall")
    if vault.name == _NO_PERMISSION:
        return replace(vault, access="rbac")
    if vault.name == _VANISHES:
        return replace(vault, vanishes_after=_VANISHES_AFTER)
    if vault.name == _NO_ROTATION_POLICIES:
        # An access policy from the time when it held keys alone.
        return replace(vault, refused=("rotationpolicy", "certificates"))
    return vault


def _still_certain(plant: Plant, left_behind: str) -> bool:
    in_doubt = (
        # Without a vault's certificates no credential can be told to be one of them.
        ({NOT_RETIRED}, left_behind),
        # Who is in the group that signs with the crown key is hidden: how many, whether users, whether guests.
        ({MANY_SIGNERS, UNOBSERVED_CROWN_KEY}, key_id(CROWN_VAULT, "")),
        ({HUMAN_SIGNER, FOREIGN_PRINCIPAL}, f"/{CROWN_VAULT}/accesspolicies/"),
        ({NO_AUTO_ROTATION, EXPIRING_SOON}, key_id(_NO_ROTATION_POLICIES, "")),
        ({ENTRA_LOGS_MISSING, NO_OWNER, POWERFUL_WITH_USER_OWNER}, ""),
    )
    unread = any(place in plant.subject for place in _UNREAD) or plant.subject.endswith(_ENTRA_ALONE)
    return not unread and not any(plant.policy in policies and place in plant.subject for policies, place in in_doubt)
