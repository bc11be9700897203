"""Which log a record is of, told by its members: the names of files say nothing that can be relied on."""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from keyaudit.collect.usage import activity, directory, key_vault, office, sign_ins
from keyaudit.collect.usage.event import Event, Members, Shape
from keyaudit.collect.usage.values import BadRecordError

Reader = Callable[[Members], Event | None]

# Members that one kind of record has and no other: the first whose members are all there is it.
_MARKS: tuple[tuple[tuple[str, ...], Reader], ...] = (
    (("AuditData",), office.of_wrapped),
    (("auditData",), office.of_wrapped),
    (("CreationTime", "Operation", "Workload"), office.of_audit),
    (("OfficeWorkload", "Operation"), office.of_row),
    (("OfficeId", "Operation"), office.of_row),
    (("RequestUri", "OperationName", "HttpStatusCode"), key_vault.of_row),
    (("ResourceProvider", "OperationName"), key_vault.of_legacy),
    (("TargetResources", "OperationName"), directory.of_row),
    (("ServicePrincipalCredentialKeyId", "AppId"), sign_ins.of_row),
    (("ServicePrincipalId", "ResourceIdentity"), sign_ins.of_row),
    (("OperationNameValue",), activity.of_row),
    (("activityDisplayName", "activityDateTime"), directory.of_graph),
    (("createdDateTime", "appId", "status"), sign_ins.of_graph),
)
# A table's rows name it. Those of a table that is not here are of other things.
_TABLES: dict[str, Reader] = {
    key_vault.SOURCE: key_vault.of_row,
    "AzureDiagnostics": key_vault.of_legacy,
    sign_ins.SERVICE_PRINCIPALS: sign_ins.of_row,
    sign_ins.MANAGED_IDENTITIES: sign_ins.of_row,
    directory.SOURCE: directory.of_row,
    office.SOURCE: office.of_row,
    activity.SOURCE: activity.of_row,
}
# An envelope's category, in lower case. Those of a category that is not here are of other things.
_CATEGORIES: dict[str, Reader] = {
    "auditevent": key_vault.of_record,
    **dict.fromkeys(sign_ins.CATEGORIES, sign_ins.of_record),
    "auditlogs": directory.of_record,
    "administrative": activity.of_record,
}
_ENVELOPE = ("category", "operationName")
_MEMBERS = tuple(dict.fromkeys(name for names, _ in _MARKS for name in names))


class _Named(msgspec.Struct, gc=False):
    """The members whose values say what a record is."""

    category: Any = None
    operationName: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 - Azure's spelling
    Type: Any = None


_Present: Any = msgspec.defstruct(
    "_Present", [(name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in _MEMBERS], gc=False
)
_named: Shape[_Named] = Shape(_Named)
_present: Shape[Any] = Shape(_Present)


def read(members: bytes | Mapping[str, Any]) -> Event | None:
    """What a record comes to; None where it is of a log that says nothing of uses. Raises BadRecordError."""
    return _reader(members)(members)


def _other(_: Members) -> None:
    return None


def _reader(members: bytes | Mapping[str, Any]) -> Reader:
    if isinstance(members, bytes):
        found = _named(members)
        enveloped = found.category is not None and found.operationName is not msgspec.UNSET
        category, table = found.category, found.Type
    else:
        enveloped = all(name in members for name in _ENVELOPE)
        category, table = members.get("category"), members.get("Type")
    if enveloped:
        return _CATEGORIES.get(category.casefold(), _other) if isinstance(category, str) else _other
    if isinstance(table, str) and table:
        return _TABLES.get(table, _other)
    there = _there(members) if isinstance(members, bytes) else members.keys()
    reader = _marked(frozenset(there))
    if reader is None:
        raise BadRecordError("of no log that is known")
    return reader


def _there(members: bytes) -> Collection[str]:
    found = _present(members)
    return [name for name in _MEMBERS if getattr(found, name) is not msgspec.UNSET]


@lru_cache(maxsize=64)
def _marked(there: frozenset[str]) -> Reader | None:
    return next((reader for names, reader in _MARKS if there.issuperset(names)), None)
