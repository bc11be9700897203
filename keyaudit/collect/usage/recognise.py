"""Which log a record is of, told by its members: the names of files say nothing that can be relied on."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import compress
from operator import attrgetter
from typing import Any

import msgspec

from keyaudit.collect.usage import activity, directory, key_vault, office, sign_ins
from keyaudit.collect.usage.event import Event, Members, Shape, mark
from keyaudit.collect.usage.lacking import lacking
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
    (("AuthenticationProtocol", "AppId"), sign_ins.of_row),
    (("OperationNameValue",), activity.of_row),
    (("activityDisplayName", "activityDateTime"), directory.of_graph),
    (("createdDateTime", "appId", "status"), sign_ins.of_graph),
)
# A table's rows name it. Those of a table that is not here are of other things.
TABLES: dict[str, Reader] = {
    key_vault.SOURCE: key_vault.of_row,
    "AzureDiagnostics": key_vault.of_legacy,
    sign_ins.SERVICE_PRINCIPALS: sign_ins.of_row,
    sign_ins.MANAGED_IDENTITIES: sign_ins.of_row,
    sign_ins.PEOPLE: sign_ins.of_row,
    directory.SOURCE: directory.of_row,
    office.SOURCE: office.of_row,
    activity.SOURCE: activity.of_row,
}
# A row has all columns that its table was exported with, however it is written.
_ROWS = frozenset(TABLES.values())
# An envelope's category, in lower case. Those of a category that is not here are of other things.
_CATEGORIES: dict[str, Reader] = {
    key_vault.CATEGORY.casefold(): key_vault.of_record,
    **dict.fromkeys(sign_ins.CATEGORIES, sign_ins.of_record),
    "auditlogs": directory.of_record,
    "administrative": activity.of_record,
}
_ENVELOPE = ("category", "operationName")
_MEMBERS = tuple(dict.fromkeys(name for names, _ in _MARKS for name in names))


_WORTH: Any = msgspec.defstruct(
    "_Worth",
    [
        # The members whose values say what a record is, and those that say it by being there.
        *((name, Any, None) for name in ("category", "Type")),
        *((name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in ("operationName", *_MEMBERS)),
    ],
    gc=False,
)
_look: Shape[Any] = Shape(_WORTH)
_present = attrgetter(*_MEMBERS)
_columns: Shape[dict[str, msgspec.Raw]] = Shape(dict[str, msgspec.Raw])
_lacking = lru_cache(maxsize=64)(lacking)


# These tell by themselves whether a record is theirs.
_SURE = frozenset({key_vault.of_record, sign_ins.of_record, office.of_audit})


class Recogniser:
    """Reads records one after the other; that one is mostly of the kind of the one before saves looking at it twice."""

    def __init__(self) -> None:
        self._last: Reader | None = None

    def __call__(self, members: bytes | Mapping[str, Any]) -> Event | None:
        """What a record comes to, with what a row's table was exported without; None: of a log that says nothing of uses.

        Raises BadRecordError.
        """
        last = self._last
        if last is not None and isinstance(members, bytes):
            try:
                return last(members)
            except BadRecordError:
                # Of another kind, or a bad one of its kind: which of them is said below.
                pass
        reader = _reader(members)
        self._last = reader if reader in _SURE else None
        event = reader(members)
        if event is not None and event.uses and reader in _ROWS:
            columns = _columns(members) if isinstance(members, bytes) else members
            names = _lacking(tuple(columns)).get(event.source, ())
            for use in event.uses:
                mark(use, names)
        return event


def _other(_: Members) -> None:
    return None


def _reader(members: bytes | Mapping[str, Any]) -> Reader:
    if isinstance(members, bytes):
        found = _look(members)
        enveloped = found.category is not None and found.operationName is not msgspec.UNSET
        category, table = found.category, found.Type
    else:
        found = None
        enveloped = all(name in members for name in _ENVELOPE)
        category, table = members.get("category"), members.get("Type")
    if enveloped:
        return _CATEGORIES.get(category.casefold(), _other) if isinstance(category, str) else _other
    if isinstance(table, str) and table:
        return TABLES.get(table, _other)
    names = (
        tuple(members) if found is None else tuple(compress(_MEMBERS, [each is not msgspec.UNSET for each in _present(found)]))
    )
    reader = _marked(names)
    if reader is None:
        raise BadRecordError("of no log that is known")
    return reader


@lru_cache(maxsize=64)
def _marked(names: tuple[str, ...]) -> Reader | None:
    """The reader of records with these members."""
    there = frozenset(names)
    return next((reader for marks, reader in _MARKS if there.issuperset(marks)), None)
