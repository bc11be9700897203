"""Account keys of services from Resource Graph: never the key, only its age and whether it is enabled."""

from collections.abc import Iterator

from msgspec import UNSET

from keyaudit.collect.rows import Row
from keyaudit.collect.services.items import Service, flag, member, text
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.model.coverage import Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.account_key import ACCOUNT_KEY
from keyaudit.model.values.times import DAY

_COSMOS = {
    "primary": "primaryMasterKey",
    "secondary": "secondaryMasterKey",
    "primary-readonly": "primaryReadonlyMasterKey",
    "secondary-readonly": "secondaryReadonlyMasterKey",
}


def account_key_rows(service: Service, scope: Scope, place: tuple[str, str]) -> Iterator[dict[str, object]]:
    """A row for each account key of the service."""
    for slot, made in _slots(service):
        id_ = f"{service.item.id}/keys/{slot}"
        row = Row(ACCOUNT_KEY, id=id_, resource_id=service.item.id, scope_id=scope.id, url=place[0], version=place[1])
        service.put_place(row)
        row.put_all(account_id=service.item.id.lower(), slot=slot, tags=service.item.tags)
        row.put_all(local_auth_enabled=_local_auth(service), read_only=slot.endswith("-readonly"), dated=made is not None)
        row.put_all(created_on=made, expiry_period=_expiry_period(service))
        row.put_read("oidc_issuer", _oidc_issuer(service))
        row.put_read("client_id", text(service.item.client_id))
        yield row.finish()


def _slots(service: Service) -> Iterator[tuple[str, Wire | None]]:
    """Each key's slot and creation date; None for a service that records no dates."""
    item = service.item
    match service.kind:
        case "storage":
            for slot in ("key1", "key2"):
                yield slot, member(item.key_creation_time, slot)
        case "cosmos-db":
            # An account whose keys were never regenerated has an empty object here. Null is no such answer.
            kept = UNSET if is_null(item.keys_metadata) else item.keys_metadata
            for slot, name in _COSMOS.items():
                yield slot, member(kept, name, "generationTime")
        case "container-registry":
            yield "admin-user", None
        case "kubernetes":
            yield "local-accounts", None
        case "arc-kubernetes" | "openshift":
            yield "none", None
        case "service-bus" | "event-hubs" | "cognitive-services" | "app-configuration":
            yield "keys", None


def _local_auth(service: Service) -> bool | Refusal:
    """Whether keys are enabled. A setting that was never made means enabled, except for a registry's admin user.

    https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent, the built-in policies of Azure Policy
    on disableLocalAuth (not true counts as enabled), and
    https://learn.microsoft.com/azure/container-registry/container-registry-authentication
    """
    item = service.item
    match service.kind:
        case "storage":
            return flag(item.allow_shared_key_access, never_set=True)
        case "container-registry":
            return flag(item.admin_user_enabled, never_set=False)
        case "kubernetes":
            return _not(flag(item.disable_local_accounts, never_set=False))
        case "arc-kubernetes":
            return False
        case "openshift":
            return Refusal(Reason.NOT_VISIBLE)
        case _:
            return _not(flag(item.disable_local_auth, never_set=False))


def _not(value: bool | Refusal) -> bool | Refusal:
    return value if isinstance(value, Refusal) else not value


def _expiry_period(service: Service) -> int | Refusal | None:
    """The limit of a policy, whose required member it is: a policy without one was not read."""
    if is_null(service.item.key_policy):
        return None
    found = read(member(service.item.key_policy, "keyExpirationPeriodInDays"), int)
    return found if isinstance(found, Refusal) else found * DAY


def _oidc_issuer(service: Service) -> str | Refusal | None:
    """The issuer of a cluster; one that says it has an issuer, and not which, was not read.

    A cluster that Azure Arc connects may have an issuer of its owner's:
    https://learn.microsoft.com/azure/azure-arc/kubernetes/workload-identity
    """
    profile = service.item.oidc_issuer_profile
    issuer = text(member(profile, "selfHostedIssuerUrl")) if service.kind == "arc-kubernetes" else None
    issuer = issuer or text(member(profile, "issuerURL"))
    if issuer is None and flag(member(profile, "enabled"), never_set=False) is not False:
        return Refusal(Reason.BAD_BODY)
    return issuer
