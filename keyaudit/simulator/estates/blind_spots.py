"""The estate `blind-spots`: contoso, with some of what audits often cannot read."""

from dataclasses import replace

from keyaudit.simulator.estate import Estate, Plant, Vault
from keyaudit.simulator.estates.contoso import contoso
from keyaudit.simulator.estates.contoso_access import ORDER_SIGNING
from keyaudit.simulator.estates.defects import EXPIRING_SOON, NO_AUTO_ROTATION, UNOBSERVED_CROWN_KEY
from keyaudit.simulator.estates.ids import key_id

_FIREWALL = "kv-payments-prod"
_NO_PERMISSION = "kv-hr-prod"
_VANISHES = "kv-stores-dev"
_NO_ROTATION_POLICIES = "kv-orders-prod"
_VANISHES_AFTER = 8
"""Requests about its keys: enough to list its keys, not enough to read them."""


def blind_spots(as_of: int) -> Estate:
    """Contoso at `as_of`; its plants are those that can still be found for certain."""
    whole = contoso(as_of)
    return replace(
        whole,
        name="blind-spots",
        vaults=tuple(_darkened(vault) for vault in whole.vaults),
        # The usual case with Managed HSMs: Reader shows that it is there, and no local role lets the auditor in.
        hsms=tuple(replace(hsm, access="local") for hsm in whole.hsms),
        logs=replace(whole.logs, entra_refused=True),
        graph_refuses=("owners", "federationConfiguration", f"groups/{_group(whole)}"),
        plants=frozenset(plant for plant in whole.plants if _still_certain(plant)),
    )


def _group(estate: Estate) -> str:
    """The object id of the group that may sign with the crown key: who is in it is not shown."""
    return next(group.id for group in estate.groups if group.name == ORDER_SIGNING)


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


def _still_certain(plant: Plant) -> bool:
    # The control plane still shows keys, but not whether one backs a certificate: every policy on keys asks that first.
    if any(plant.subject.startswith(key_id(vault, "")) for vault in (_FIREWALL, _NO_PERMISSION, _VANISHES)):
        return False
    if ".managedhsm." in plant.subject:
        return False
    # Nor is it shown there who is in the group that makes the crown key one.
    hidden = plant.policy in {NO_AUTO_ROTATION, EXPIRING_SOON, UNOBSERVED_CROWN_KEY}
    return not (hidden and plant.subject.startswith(key_id(_NO_ROTATION_POLICIES, "")))
