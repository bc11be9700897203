"""Grants for a snapshot of many keys: a few over everything, most on one vault, a third of them to groups."""

from collections.abc import Sequence

from keyaudit.inventory.spool import Unit
from tests.bench.whole import TENANT, Row, row

_GROUPS = 300
_MEMBERS = 40
_USERS = 20_000
_ENVIRONMENTS = ("prod", "prod", "test")
_WIDE = 400
"""Grants on the subscription; all others are on a vault, one in fifty on a key."""


def write_grants(unit: Unit, vaults: Sequence[str], subscription: str, count: int) -> None:
    """Write that many grants, and the principals that they name, with the members of the groups among them."""
    if not count:
        return
    home = f"/subscriptions/{subscription}"
    unit.row("subscription", row("subscription", home, subscription_id=subscription, management_groups=["/root"]))
    for number in range(_USERS + _GROUPS):
        principal = _principal(number)
        unit.row("principal", principal)
        if principal["kind"] == "service-principal":
            # At home in an environment, so that it is known how far they reach who can use a key.
            unit.row("service_principal", _service_principal(number))
    for group in range(_GROUPS):
        for nth in range(_MEMBERS):
            unit.row("membership", _membership(_USERS + group, (group * 97 + nth * 31) % _USERS))
    for number in range(count):
        vault = f"{home}/resourcegroups/rg/providers/microsoft.keyvault/vaults/{vaults[number % len(vaults)]}"
        scope, kind = (home, "subscription") if number < _WIDE else (vault, "vault")
        if number >= _WIDE and number % 50 == 0:
            scope, kind = f"{vault}/keys/key-{number % 250}", "object"
        who = _USERS + number % _GROUPS if number % 3 == 0 else number * 7 % _USERS
        unit.row("grant", _grant(number, scope, kind, vault if kind != "subscription" else None, who))


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def _principal(number: int) -> Row:
    group = number >= _USERS
    return row(
        "principal",
        f"{TENANT.id}/principals/{_id(number)}",
        name=f"p{number}",
        object_id=_id(number),
        kind="group" if group else "user" if number % 4 else "service-principal",
        home="foreign" if number % 50 == 0 else "own",
        members_listed=True if group else None,
    )


def _service_principal(number: int) -> Row:
    id_ = f"{TENANT.id}/servicePrincipals/{_id(number)}"
    return row("service_principal", id_, name=f"p{number}", app_id=_id(number), app_tags=[f"env:{_ENVIRONMENTS[number % 3]}"])


def _membership(group: int, member: int) -> Row:
    id_ = f"{TENANT.id}/groups/{_id(group)}/members/{_id(member)}"
    return row("membership", id_, group_id=_id(group), member_id=_id(member))


def _grant(number: int, scope: str, kind: str, vault: str | None, who: int) -> Row:
    return row(
        "grant",
        f"{scope}/assignments/{number}",
        name="Key Vault Crypto User",
        kind="azure-role",
        principal_id=_id(who),
        scope=scope,
        scope_kind=kind,
        vault_id=vault,
        allows=["sign", "decrypt"] if number % 2 else ["grant"],
        standing=number % 7 != 0,
    )
