"""Recognises the log of a record by its members, because file names are unreliable."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import compress
from operator import attrgetter
from typing import Any

import msgspec

from keyaudit.logs.formats import activity, directory, key_vault, office, sign_ins, tokens
from keyaudit.logs.formats.event import Event, Members, Shape, mark
from keyaudit.logs.formats.missing_members import lacking
from keyaudit.logs.formats.values import BadRecordError, UnknownKindError
from keyaudit.model.tokens import GRAPH_EVENTS, GRAPH_LOG, OLD_GRAPH_LOG
from keyaudit.model.values.text import one_line

Reader = Callable[[Members], Event | None]

# Members that only one kind of record has: the first entry whose members are all present matches.
_MARKS: tuple[tuple[tuple[str, ...], Reader], ...] = (
    (("AuditData",), office.of_wrapped),
    (("auditData",), office.of_wrapped),
    (("CreationTime", "Operation", "Workload"), office.of_audit),
    (("OfficeWorkload", "Operation"), office.of_row),
    (("OfficeId", "Operation"), office.of_row),
    (("RawEventData", "ActionType"), office.of_cloud_app),
    (("SignInActivityId", "RequestUri"), tokens.of_row),
    (("UniqueTokenIdentifier", "RequestUri"), tokens.of_audited),
    (("RequestUri", "OperationName"), key_vault.of_row),
    (("TargetResources", "OperationName"), directory.of_row),
    (("TargetResources", "ActivityDisplayName"), directory.of_row),
    (("ServicePrincipalCredentialKeyId", "AppId"), sign_ins.of_row),
    (("ServicePrincipalId", "ResourceIdentity"), sign_ins.of_row),
    (("ServicePrincipalName", "AppId"), sign_ins.of_row),
    (("AuthenticationProtocol", "AppId"), sign_ins.of_row),
    (("OperationNameValue",), activity.of_row),
    (("ActivityStatus", "OperationName"), activity.of_row),
    (("Caller", "OperationName"), activity.of_row),
    (("ActivityStatusValue", "OperationName"), activity.of_row),
    (("eventTimestamp", "operationName"), activity.of_listed),
    # Of many tables: after all others.
    (("ResourceProvider", "OperationName"), key_vault.of_legacy),
    (("activityDisplayName", "activityDateTime"), directory.of_graph),
    (("createdDateTime", "appId", "status"), sign_ins.of_graph),
)
# Rows contain the table's name, unless the exporting query overwrote the column `Type`.
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
# Tables that are read for tokens only.
_OF_TOKENS: dict[str, Reader] = {
    **dict.fromkeys(sign_ins.ONLY_TOKENS, sign_ins.of_row),
    GRAPH_LOG: tokens.of_row,
    OLD_GRAPH_LOG: tokens.of_old_row,
    GRAPH_EVENTS: tokens.of_audited,
}
# The tables of Defender in an event hub or in storage, each row in an envelope:
# https://learn.microsoft.com/defender-xdr/supported-event-types
_STREAMED: dict[str, Reader] = {
    "advancedhunting-cloudappevents": office.of_cloud_app,
    "advancedhunting-graphapiauditevents": tokens.of_audited,
}
_OTHER_STREAMED = tuple(f"advancedhunting-{of}" for of in ("device", "email", "identity", "alert", "url", "message"))
"""The first letters of those without uses: of devices, messages, people in Active Directory, and alerts."""
# A row has all columns of its export, in any format.
_ROWS = frozenset(TABLES.values())


def _streamed(members: Members) -> Event | None:
    """A row of Defender in its envelope."""
    record = _whole(members)
    inside = record.get("properties")
    if not isinstance(inside, dict):
        raise BadRecordError("has no properties")
    return _STREAMED[str(record["category"]).casefold()](inside)


# The category of an envelope, in lower case.
_CATEGORIES: dict[str, Reader] = {
    key_vault.CATEGORY.casefold(): key_vault.of_record,
    **dict.fromkeys(sign_ins.CATEGORIES, sign_ins.of_record),
    "auditlogs": directory.of_record,
    GRAPH_LOG.casefold(): tokens.of_record,
    tokens.OLD_GRAPH_CATEGORY: tokens.of_record,
    **dict.fromkeys(_STREAMED, _streamed),
    # https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema#schema-from-storage-account-and-event-hubs
    **dict.fromkeys(("administrative", "write", "delete", "action"), activity.of_record),
}
# Other tables and categories of the same diagnostic settings, without uses.
# https://learn.microsoft.com/entra/identity/monitoring-health/concept-diagnostic-settings-logs-options
# https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
# https://learn.microsoft.com/azure/azure-monitor/reference/tables/azkvpolicyevaluationdetailslogs
_OTHER_TABLES = frozenset(
    {
        "ADFSSignInLogs",
        "AADProvisioningLogs",
        "AADRiskyUsers",
        "AADUserRiskEvents",
        "AADRiskyServicePrincipals",
        "AADServicePrincipalRiskEvents",
        "NetworkAccessTraffic",
        "AZKVPolicyEvaluationDetailsLogs",
        "AzureMetrics",
    }
)
_OTHER_CATEGORIES = frozenset(
    {
        "adfssigninlogs",
        "provisioninglogs",
        "riskyusers",
        "userriskevents",
        "riskyserviceprincipals",
        "serviceprincipalriskevents",
        "networkaccesstrafficlogs",
        "azurepolicyevaluationdetails",
        "security",
        "servicehealth",
        "alert",
        "recommendation",
        "policy",
        "autoscale",
        "resourcehealth",
    }
)
_ENVELOPE = ("category", "operationName")
# Members of a directory change in its envelope's `properties`, for any category of the exporting system.
_CHANGE = ("activityDisplayName", "targetResources")
# A record with one of these may belong to a supported log.
_SUSPECT = ("TargetResources", "OperationName", "Operation", "operationName")
# The resource types that write supported logs; other resource ids are in other logs.
_WRITERS = ("/providers/microsoft.keyvault/", "/providers/microsoft.aadiam")
_RESOURCE_ID = ("resourceId", "ResourceId", "_ResourceId")
_MEMBERS = tuple(dict.fromkeys(name for names, _ in _MARKS for name in names))


_WORTH: Any = msgspec.defstruct(
    "_Worth",
    [
        # Members whose values identify a record, and members whose presence does.
        *((name, Any, None) for name in ("category", "Type")),
        *((name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in dict.fromkeys(("operationName", *_MEMBERS))),
    ],
    gc=False,
)
_look: Shape[Any] = Shape(_WORTH)
_present = attrgetter(*_MEMBERS)
_columns: Shape[dict[str, msgspec.Raw]] = Shape(dict[str, msgspec.Raw])
_any: Shape[dict[str, Any]] = Shape(dict[str, Any])
_lacking = lru_cache(maxsize=64)(lacking)


# These readers decide themselves whether a record is theirs.
_SURE = frozenset({key_vault.of_record, sign_ins.of_record, office.of_audit, tokens.of_record})


class Recogniser:
    """Reads records in order. It tries the reader of the previous record first, because most records are of the same kind."""

    def __init__(self) -> None:
        self._last: Reader | None = None

    def __call__(self, members: bytes | Mapping[str, Any]) -> Event | None:
        """The event of a record, with missing columns marked; None for a log without uses.

        Raises BadRecordError.
        """
        last = self._last
        if last is not None and isinstance(members, bytes):
            try:
                return last(members)
            except BadRecordError:
                # Either another kind, or an invalid record: decided below.
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
        names = tuple(compress(_MEMBERS, [each is not msgspec.UNSET for each in _present(found)]))
    else:
        enveloped = all(name in members for name in _ENVELOPE)
        category, table = members.get("category"), members.get("Type")
        names = tuple(members)
    if enveloped:
        known = _CATEGORIES.get(category.casefold()) if isinstance(category, str) else None
        return known or _marked(names) or _of_other_category(members, category)
    if isinstance(table, str) and table:
        if table in _OTHER_TABLES:
            return _other
        return TABLES.get(table) or _OF_TOKENS.get(table) or _marked(names) or _of_unknown(members, "Type", table)
    reader = _marked(names)
    if reader is None:
        raise UnknownKindError("from an unknown log")
    return reader


def _of_other_category(members: Members, category: object) -> Reader:
    """The reader of a record in an envelope with an unsupported category."""
    inside = _whole(members).get("properties")
    if isinstance(inside, dict) and not inside.keys().isdisjoint(_CHANGE):
        return directory.of_record
    folded = category.casefold() if isinstance(category, str) else ""
    if folded in _OTHER_CATEGORIES or folded.startswith(_OTHER_STREAMED):
        return _other
    return _of_unknown(members, "category", category)


def _of_unknown(members: Members, name: str, value: object) -> Reader:
    """The reader of an irrelevant record. Raises UnknownKindError for one that may belong to a supported log.

    `name`, `value`: the member that should identify its log.
    """
    record = _whole(members)
    places = [str(record[each]).casefold() for each in _RESOURCE_ID if record.get(each)]
    foreign = any("/providers/" in place and not any(writer in place for writer in _WRITERS) for place in places)
    if foreign and not any(activity.matters(record.get(each)) for each in _SUSPECT):
        return _other
    suspect = next((each for each in _SUSPECT if each in record), None)
    if suspect is None:
        return _other
    raise UnknownKindError(f"{name} {one_line(str(value), 64)} is no log that is known, and the record has {suspect}")


def _whole(members: Members) -> Mapping[str, Any]:
    return members if isinstance(members, Mapping) else _any(members)


@lru_cache(maxsize=64)
def _marked(names: tuple[str, ...]) -> Reader | None:
    """The reader of records with these members."""
    there = frozenset(names)
    return next((reader for marks, reader in _MARKS if there.issuperset(marks)), None)
