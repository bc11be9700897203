"""Account keys of services from Resource Graph: never the key, only its age and whether it is enabled."""

from collections.abc import Iterator

from msgspec import UNSET, Struct

from keyaudit.collect.rows import Row
from keyaudit.collect.services.items import Service, flag, member, text
from keyaudit.collect.wire import Wire, is_null
from keyaudit.model.coverage import Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import At, steps
from keyaudit.model.surfaces.services.account_keys import ACCOUNT_KEY, ACCOUNTS

_ACCOUNTS = {each.kind: each for each in ACCOUNTS}


def account_key_rows(service: Service, scope: Scope, place: tuple[str, str]) -> Iterator[dict[str, object]]:
    """A row for each account key of the service."""
    account = _ACCOUNTS.get(service.kind)
    if account is None:
        return
    for slot, made in account.slots.items():
        id_ = f"{service.item.id}/keys/{slot}"
        row = Row(ACCOUNT_KEY, id=id_, resource_id=service.item.id, scope_id=scope.id, url=place[0], version=place[1])
        service.put_place(row)
        row.put_all(account_id=service.item.id.lower(), slot=slot, tags=service.item.tags)
        row.put_all(read_only=slot.endswith("-readonly"), dated=bool(made))
        row.fill(service.item)
        row.put("created_on", _at(service.item, made) if made else None)
        if isinstance(account.accepted, At):
            row.take("local_auth_enabled", service.item, account.accepted)
        else:
            row.put_read("local_auth_enabled", Refusal(Reason.NOT_VISIBLE) if account.accepted is None else account.accepted)
        row.put_read("oidc_issuer", _oidc_issuer(service))
        row.put_read("client_id", text(service.item.client_id))
        yield row.finish()


def _at(item: Struct, path: str) -> Wire:
    """The member at a path, ignoring the case of names; left out if one on the way to it is null that may not be."""
    (name, nullable), *rest = steps(path)
    raw: Wire = getattr(item, name)
    for inner, may_be in rest:
        if is_null(raw) and not nullable:
            return UNSET
        raw, nullable = member(raw, inner), may_be
    return raw


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
