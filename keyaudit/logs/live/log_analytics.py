"""Reads tables of Log Analytics over the window, in time slices small enough for a complete answer."""

from collections.abc import AsyncIterator, Iterator, Sequence

from msgspec import Struct

from keyaudit.cloud.answers.tables import Rows
from keyaudit.cloud.gateway import Gateway
from keyaudit.inventory.logs.token import Token
from keyaudit.inventory.logs.use import Use
from keyaudit.logs.files.documents import RawRecord, by_column
from keyaudit.logs.formats.sign_ins import PEOPLE
from keyaudit.logs.live.place import AT_ONCE, Batch, Place
from keyaudit.logs.live.sources import LEGACY
from keyaudit.logs.live.summaries import Summary, between
from keyaudit.logs.live.workspaces import Table
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY, iso_time

MOST_ROWS = 500_000
"""The maximum number of rows of an answer:
https://learn.microsoft.com/azure/azure-monitor/service-limits#log-analytics-workspaces
"""

_QUERIED = frozenset({"", "Analytics"})
_TOO_MUCH = frozenset({Reason.TRUNCATED, Reason.TOO_LARGE, Reason.TIMEOUT})
_LESS = {
    # Many services write to this table, each with its own columns.
    LEGACY: ' | where ResourceProvider =~ "MICROSOFT.KEYVAULT"',
    # Every user sign-in has a row of some kilobytes. Only all rows prove that there was no SAML sign-in. A workspace refuses a
    # query for a column that its table lacks as if it lacked the table; a row without its protocol is unreadable instead.
    PEOPLE: ' | extend AuthenticationProtocol = column_ifexists("AuthenticationProtocol", ""),'
    ' UserAgent = column_ifexists("UserAgent", "")'
    " | project TimeGenerated, Id, AppId, UserId, AuthenticationProtocol, ResultType, IPAddress, UserAgent, Type, AADTenantId",
}
"""By table, the filter that excludes irrelevant rows from a query."""


async def read_table(
    gateway: Gateway, table: Table, place: Place, window: Window, as_of: int, *, summary: Summary | None
) -> AsyncIterator[Batch]:
    """The uses in a table, per answer, then its reading result; nothing if the table does not exist.

    With a `summary`, the first and the last of equal uses of a day.
    """
    if not table.there:
        return
    if table.plan not in _QUERIED:
        place.lacks(
            f"on the plan {table.plan}, which keyaudit does not query: change the table's plan, or export it and import the "
            "files"
        )
        yield [place.read()]
        return
    begun = False
    async for found, summarized in _answers(gateway, table, window, summary):
        if isinstance(found, Refusal):
            if _absent(found) and not begun:
                return
            place.refused(found, "log.query")
        else:
            begun = True
            place.answered()
            for batch in _batches(place, found, summarized):
                yield batch
    if table.retention_days is not None:
        place.kept(table.retention_days, as_of)
    yield [place.read()]


class _Part(Struct, frozen=True):
    """A part of a window: the summary of its records, and the filter of those that are still to be fetched as rows, if any."""

    window: Window
    found: Rows | Refusal | None
    rest: str | None


async def _answers(
    gateway: Gateway, table: Table, window: Window, summary: Summary | None
) -> AsyncIterator[tuple[Rows | Refusal, Summary | None]]:
    """The answers in order, with the summary that they are of, until the end of the window or the first failure."""
    async for part in _parts(gateway, table, window, summary):
        found = part.found
        if found is not None:
            yield found, summary
        if part.rest is not None and not isinstance(found, Refusal):
            async for found in _slices(gateway, table, part.window, part.rest):
                yield found, None
        if isinstance(found, Refusal):
            return


async def _parts(gateway: Gateway, table: Table, window: Window, summary: Summary | None) -> AsyncIterator[_Part]:
    """The parts of a window in order.

    One with too many different records is halved, down to a day; more of a day, and tables that lack a column, are fetched as
    rows.
    """
    start, span = window.since, window.until - window.since
    while summary is not None and start < window.until:
        end = min(start + span, window.until)
        text = between(table.name, start, end) + summary.query()
        found = await gateway.query("log.query", text, workspace=table.workspace.guid)
        if _absent(found):
            break
        if _too_much(found) and end - start > DAY:
            span = (end - start) // DAY // 2 * DAY
            continue
        of = Window(since=start, until=end)
        yield _Part(of, None, "") if _too_much(found) else _Part(of, found, summary.others())
        start = end
    if start < window.until:
        yield _Part(Window(since=start, until=window.until), None, "")


async def _slices(gateway: Gateway, table: Table, window: Window, filtered: str) -> AsyncIterator[Rows | Refusal]:
    """The rows of the slices in order, until the end of the window or the first failure.

    A slice with too many rows is halved, down to a second; after one with few rows, the next is twice as long.
    """
    start, span, most = window.since, window.until - window.since, 0
    while start < window.until:
        end = min(start + span, window.until)
        found = await gateway.query("log.query", _query(table.name, start, end, filtered), workspace=table.workspace.guid)
        if _too_much(found):
            if end - start > 1:
                span = (end - start) // 2
                continue
            if isinstance(found, Rows):
                found = Refusal(Reason.TRUNCATED, f"more rows in the second of {iso_time(start)} than one query can return")
        yield found
        if isinstance(found, Refusal):
            return
        start, most = end, max(most, len(found.rows))
        if len(found.rows) * 2 <= most:
            span *= 2


def _query(table: str, since: int, until: int, filtered: str) -> str:
    return f"{between(table, since, until)}{filtered}{_LESS.get(table, '')}"


def _too_much(found: Rows | Refusal) -> bool:
    if isinstance(found, Refusal):
        return found.reason in _TOO_MUCH
    return len(found.rows) >= MOST_ROWS


def _absent(found: Rows | Refusal) -> bool:
    """Whether the workspace does not have a name in the query: of rows the table, of a summary possibly a column."""
    return isinstance(found, Refusal) and found.status == 400 and found.detail.endswith("/SemanticError")


def _batches(place: Place, found: Rows, summary: Summary | None) -> Iterator[Batch]:
    uses: list[Use | Token] = []
    for text, records in summary.records(found) if summary else _rows(found):
        uses += place.equal(text, records)
        if len(uses) >= AT_ONCE:
            yield uses
            uses = []
    yield uses


def _rows(found: Rows) -> Iterator[tuple[bytes, Sequence[tuple[RawRecord, int]]]]:
    for row in found.rows:
        text = bytes(row)
        yield text, [(by_column(found.columns, text), 1)]
