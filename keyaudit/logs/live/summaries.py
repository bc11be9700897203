"""Tables of Log Analytics that are summarized where they are: of equal records of a day, their number, the first and the last.

Records are equal if all columns that the record readers use are equal, except the time and those that identify a record. So one
record has the same class, client, network and result as all others like it, by the same reader, and any question about the time
of a use is answered by the first and the last. A query picks the claims that the readers use, and cuts the parameters off a
URI; it interprets nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from keyaudit.cloud.answers.tables import Rows
from keyaudit.inventory.disk.files import BROKEN
from keyaudit.logs.files.documents import RawRecord
from keyaudit.logs.formats.key_vault import BURST_NAMES
from keyaudit.logs.formats.office import MAIL_OPERATIONS, SOURCE
from keyaudit.logs.formats.values import BadRecordError
from keyaudit.model.tables.usage import KEY_VAULT_LOG, SIGN_IN_LOGS
from keyaudit.model.values.times import iso_time


class Summary(Struct, frozen=True, kw_only=True):
    """How a table is summarized."""

    by: Mapping[str, str]
    """The columns that are equal, by the names under which the reader finds them, as KQL."""
    single: Sequence[str]
    """The columns that identify a record."""
    when: str = "TimeGenerated"
    """The time of the event, as KQL."""
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """A column with its values, in any case, of records that are summarized; all others are fetched as rows. Empty: all are."""

    def query(self) -> str:
        """The end of a query, after its first filter."""
        extended = {"When": self.when, **{name: sql for name, sql in self.by.items() if name != sql}}
        ends = (
            f"({', '.join(self._end(end))}) = arg_{which}({', '.join(('When', *self.single))})" for end, which in _ENDS.items()
        )
        return (
            f"{self._where('in~')} | extend {', '.join(f'{name} = {kql}' for name, kql in extended.items())}"
            f" | summarize Uses = count(), {', '.join(ends)} by Day = bin(When, 1d), {', '.join(self.by)}"
        )

    def others(self) -> str | None:
        """The filter for records that are fetched as rows; None if there are none."""
        return self._where("!in~") if self.only else None

    def records(self, found: Rows) -> Iterator[tuple[bytes, Sequence[tuple[RawRecord, int]]]]:
        """Each row of an answer, with its first and last record, and how many records each stands for."""
        for row in found.rows:
            text = bytes(row)
            yield text, self._records(found.columns, text)

    def _records(self, columns: Sequence[str], text: bytes) -> Sequence[tuple[RawRecord, int]]:
        try:
            values = dict(zip(columns, msgspec.json.decode(text, type=list[Any]), strict=True))
            uses = msgspec.convert(values["Uses"], int)
            first, last = ({**_picked(values, self.by), **self._named(values, end)} for end in _ENDS)
        except (*BROKEN, KeyError, ValueError) as error:
            return [(BadRecordError(f"a row that has not the columns of the query: {error}"), 1)]
        return [(first, uses - 1), (last, 1)] if uses > 1 else [(first, 1)]

    def _named(self, values: Mapping[str, Any], end: str) -> Mapping[str, Any]:
        return dict(zip(("TimeGenerated", *self.single), (values[name] for name in self._end(end)), strict=True))

    def _end(self, end: str) -> Sequence[str]:
        return [f"{end}{name}" for name in ("When", *self.single)]

    def _where(self, operator: str) -> str:
        return "".join(
            f" | where {column} {operator} ({', '.join(map(_literal, values))})" for column, values in self.only.items()
        )


_ENDS = {"First": "min", "Last": "max"}
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_BURSTS = ", ".join(f'"{name}"' for name in BURST_NAMES)
_CLAIMS = ", ".join(f'"{name}", Identity.claim["{name}"]' for name in ("appid", "oid", _OBJECT_ID))


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _picked(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: values[name] for name in names}


def _literal(text: str) -> str:
    return f'"{text}"'


_SIGN_IN = Summary(
    # Not all published schemas of these tables have the columns that are looked for here:
    # https://learn.microsoft.com/azure/azure-monitor/reference/tables/aadmanagedidentitysigninlogs
    when='coalesce(column_ifexists("CreatedDateTime", datetime(null)), TimeGenerated)',
    by={
        **_same("Type", "Category", "AppId", "ServicePrincipalId", "ServicePrincipalCredentialKeyId", "FederatedCredentialId"),
        **_same("ResourceIdentity", "IPAddress", "ResultType"),
        **{name: f'column_ifexists("{name}", "")' for name in ("AADTenantId", "UserAgent")},
    },
    single=("Id",),
)
SUMMARIES: Mapping[str, Summary] = {
    KEY_VAULT_LOG: Summary(
        by={
            **_same(
                "Type", "OperationName", "ResultType", "HttpStatusCode", "CallerIpAddress", "Id", "ClientInfo", "_ResourceId"
            ),
            # The other claims are of one token, and parameters of one request.
            "Identity": f'tostring(bag_pack("claim", bag_pack({_CLAIMS})))',
            "RequestUri": 'tostring(split(RequestUri, "?")[0])',
            # Of calls that are counted by the hour, the equal ones of one hour are summarized.
            "Hour": f'iff(OperationName in~ ({_BURSTS}), substring(tostring(TimeGenerated), 0, 13), "")',
        },
        single=("CorrelationId", "DurationMs"),
    ),
    SOURCE: Summary(
        by={
            **_same("Type", "Operation", "OrganizationId", "UserId", "ResultStatus", "AppId", "ClientAppId", "MailboxOwnerUPN"),
            **_same("MailboxGuid", "Client_IPAddress", "ClientIP", "ActorIpAddress", "ClientInfoString"),
            **{name: f"tostring({name})" for name in ("OperationProperties", "ExtendedProperties")},
        },
        single=("OfficeId",),
        # Changes are rare, and each is a record of its own.
        only={"Operation": MAIL_OPERATIONS},
    ),
    **dict.fromkeys(SIGN_IN_LOGS, _SIGN_IN),
}
"""By the name of the table. All others are fetched as rows."""


def between(table: str, since: int, until: int) -> str:
    """The beginning of a query for records between two times."""
    return f"{table} | where TimeGenerated >= datetime({iso_time(since)}) and TimeGenerated < datetime({iso_time(until)})"
