"""Decodes answers of Log Analytics. An answer that the service marks as partial is a refusal, even if it has rows."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from keyaudit.cloud.answers.pages import foreign, is_set
from keyaudit.cloud.clients import Answer
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason


class Rows(Struct, frozen=True):
    """The rows of a query: each the JSON text of a list, with one value for each column."""

    columns: Sequence[str] = ()
    rows: Sequence[msgspec.Raw] = ()


class _Column(msgspec.Struct):
    name: str


class _Table(msgspec.Struct):
    columns: list[_Column]
    rows: list[msgspec.Raw]


class _Tables(msgspec.Struct):
    tables: list[_Table]
    error: msgspec.Raw = msgspec.Raw()


_TABLES = msgspec.json.Decoder(_Tables)


def rows_of(answer: Answer) -> Rows | Refusal:
    """The rows in an answer of status 200; Refusal(truncated) for a partial answer."""
    if refusal := foreign(answer):
        return refusal
    try:
        found = _TABLES.decode(answer.body)
    except msgspec.ValidationError:
        return Refusal(Reason.BAD_BODY, "the response has no rows with columns", answer.status)
    except (msgspec.MsgspecError, RecursionError):
        return Refusal(Reason.BAD_BODY, "not JSON", answer.status)
    if is_set(found.error):
        return Refusal(Reason.TRUNCATED, "an error in addition to the rows", answer.status)
    if len(found.tables) != 1:
        return Refusal(Reason.BAD_BODY, f"{len(found.tables):,} tables where one was asked for", answer.status)
    [table] = found.tables
    return Rows([column.name for column in table.columns], table.rows)
