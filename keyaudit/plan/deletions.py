"""What a plan deletes, by the ids of its rows."""

from collections.abc import Callable, Mapping
from typing import Any

from keyaudit.plan.resources import access, groups, hsms, identities, logs, objects, principals, vaults
from keyaudit.plan.scopes import Ground

_OF_VAULT = frozenset({"key", "certificate", "secret", "deleted", "grant", "log_sink"})
"""The tables whose rows go with their vault."""
Ids = Callable[[Mapping[str, Any], str], list[str]]
"""The ids of a resource by its values before, and the tenant's id in ids."""


class Removed:
    """The ids of what the plan deletes, in lower case. A replaced object is deleted first."""

    def __init__(self, ground: Ground) -> None:
        self._ids: dict[str, str] = {}
        """By id, the address of the resource."""
        tenant = f"/tenants/{ground.tenant_id}"
        for type_, ids in {**_BY_ATTRIBUTE, **_COMPOSED}.items():
            for address, before in ground.resources.removed(type_):
                for id_ in ids(before, tenant):
                    self._ids[id_.lower().rstrip("/")] = address

    def __bool__(self) -> bool:
        return bool(self._ids)

    def covers(self, table: str, row: Mapping[str, Any]) -> bool:
        """Whether a stored row is of something that is deleted, or is in it."""
        if table in _OF_VAULT and str(row.get("vault_id") or row.get("logged_id") or "").lower() in self._ids:
            return True
        # Nothing arrives where the place that a log goes to is deleted.
        if table == "log_sink" and self.address(str(row.get("destination_id") or "")) is not None:
            return True
        return self.address(str(row["id"])) is not None

    def address(self, id_: str) -> str | None:
        """The address of the deleted resource that a row with this id is of, or is in."""
        here = id_.lower()
        while here:
            if found := self._ids.get(here):
                return found
            here = here.rpartition("/")[0]
        return None


def _text(before: Mapping[str, Any], *attributes: str) -> str:
    """The first of these attributes that is a text; empty if none is."""
    return next((found for name in attributes if isinstance(found := before.get(name), str) and found), "")


def _attributes(*names: str) -> Ids:
    return lambda before, _: [found for name in names if (found := _text(before, name))]


def _certificate(before: Mapping[str, Any], _: str) -> list[str]:
    """A certificate, with the key and the secret that have its name."""
    id_ = _text(before, "versionless_id")
    return [id_.replace("/certificates/", f"/{each}/") for each in ("certificates", "keys", "secrets")] if id_ else []


def _object(collection: str) -> Ids:
    def ids(before: Mapping[str, Any], tenant: str) -> list[str]:
        id_ = _text(before, "object_id", "id").rpartition("/")[2]
        return [f"{tenant}/{collection}/{id_}"] if id_ else []

    return ids


def _credential(collection: str, *holders: str) -> Ids:
    def ids(before: Mapping[str, Any], tenant: str) -> list[str]:
        holder, id_ = _text(before, *holders).rpartition("/")[2], _text(before, "key_id", "credential_id")
        return [f"{tenant}/{collection}/{holder}/credentials/{id_}"] if holder and id_ else []

    return ids


def _setting(before: Mapping[str, Any], _: str) -> list[str]:
    target, name = _text(before, "target_resource_id"), _text(before, "name")
    return [f"{target}/diagnosticsettings/{name}"] if target and name else []


def _policy(before: Mapping[str, Any], _: str) -> list[str]:
    vault, who = _text(before, "key_vault_id"), _text(before, "object_id")
    return [f"{vault}/accesspolicies/{who}"] if vault and who else []


def _membership(before: Mapping[str, Any], tenant: str) -> list[str]:
    group, member = _text(before, "group_object_id", "group_id"), _text(before, "member_object_id", "principal_id")
    return [f"{tenant}/groups/{group}/members/{member}"] if group and member else []


def _group(before: Mapping[str, Any], tenant: str) -> list[str]:
    return [f"{tenant}/{collection}/{id_}" for collection in ("groups", "principals") if (id_ := _text(before, "object_id"))]


_BY_ATTRIBUTE: dict[str, Ids] = {
    **dict.fromkeys(
        (vaults.VAULT, hsms.HSM, access.ASSIGNMENT, identities.IDENTITY, identities.FEDERATED, hsms.KEY, *logs.PLACES),
        _attributes("id"),
    ),
    **dict.fromkeys((objects.KEY, objects.SECRET), _attributes("versionless_id")),
}
_OF_APPLICATION = ("application_id", "application_object_id")
_COMPOSED: dict[str, Ids] = {
    objects.CERTIFICATE: _certificate,
    **dict.fromkeys(("azuread_application", "azuread_application_registration"), _object("applications")),
    "azuread_service_principal": _object("servicePrincipals"),
    **{
        f"azuread_application_{each}": _credential("applications", *_OF_APPLICATION)
        for each in ("password", "certificate", "federated_identity_credential")
    },
    **{
        f"azuread_service_principal_{each}": _credential("servicePrincipals", "service_principal_id")
        for each in ("password", "certificate")
    },
    logs.SETTING: _setting,
    vaults.POLICY: _policy,
    **dict.fromkeys(groups.JOINING, _membership),
    **dict.fromkeys(principals.GROUPS, _group),
}
