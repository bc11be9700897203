"""The events of `made` in files, as each system that exports them writes them."""

import csv
import datetime
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.collect.usage import made

Rows = Iterable[Mapping[str, Any]]


def _plain(value: Any, form: Callable[[datetime.datetime], str]) -> Any:
    if isinstance(value, datetime.datetime):
        return form(value)
    return json.dumps(value) if isinstance(value, dict | list) else value


def lines(records: Rows) -> str:
    return "".join(json.dumps(record, separators=(",", ":")) + "\r\n" for record in records)


def wrapped(records: Rows, name: str = "records", **beside: Any) -> str:
    return json.dumps({**beside, name: list(records)}, indent=2)


def listed(records: Rows) -> str:
    return json.dumps(list(records))


def table(records: Rows) -> str:
    rows = [{name: _plain(value, made.iso) for name, value in record.items()} for record in records]
    columns = [{"name": name, "type": "string"} for name in rows[0]]
    primary = {"name": "PrimaryResult", "columns": columns, "rows": [list(row.values()) for row in rows]}
    return json.dumps({"tables": [primary]})


def objects(records: Rows) -> str:
    return listed(
        {"TableName": "PrimaryResult", **{name: str(_plain(value, made.iso)) for name, value in record.items()}}
        for record in records
    )


def exported(records: Rows) -> str:
    rows = [{name: _plain(value, made.portal) for name, value in record.items()} for record in records]
    zoned = [name + (" [UTC]" if name in ("TimeGenerated", "CreatedDateTime", "ActivityDateTime") else "") for name in rows[0]]
    return comma_separated(zoned, [list(row.values()) for row in rows])


def comma_separated(header: list[str], rows: Iterable[list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def purview(records: Rows) -> str:
    rows = [made.mail_purview(dict(record)) for record in records]
    return comma_separated(list(rows[0]), [list(row.values()) for row in rows])


def _graph(records: Rows) -> str:
    return wrapped(records, "value", **{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#auditLogs"})


FORMS: dict[str, dict[str, str]] = {
    "storage": {
        "PT1H.json": lines(map(made.kv_record, made.requests())),
        "PT1H-2.json": lines(map(made.sign_in_record, made.sign_ins())) + lines(map(made.change_record, made.changes())),
        "blob": listed(map(made.mail_audit, made.mail())),
    },
    "event hub": {
        "a": wrapped(map(made.kv_record, made.requests())),
        "b": wrapped(map(made.sign_in_record, made.sign_ins())) + "\n" + wrapped(map(made.change_record, made.changes())),
        "c": wrapped(map(made.mail_graph, made.mail()), "value"),
    },
    "query": {
        "kv.json": table(map(made.kv_row, made.requests())),
        "sp.json": table(map(made.sign_in_row, made.sign_ins())),
        "audit.json": table(map(made.change_row, made.changes())),
        "office.json": table(map(made.mail_row, made.mail())),
    },
    "objects": {
        "kv.json": objects(map(made.kv_row, made.requests())),
        "sp.json": objects(map(made.sign_in_row, made.sign_ins())),
        "audit.json": objects(map(made.change_row, made.changes())),
        "office.json": lines(made.mail_purview(event) for event in made.mail()),
    },
    "portal": {
        "kv.csv": exported(map(made.kv_row, made.requests())),
        "sp.csv": exported(map(made.sign_in_row, made.sign_ins())),
        "audit.csv": exported(map(made.change_row, made.changes())),
        "office.csv": exported(map(made.mail_row, made.mail())),
    },
    "graph": {
        "legacy.json": table(map(made.kv_legacy, made.requests())),
        "signIns.json": _graph(map(made.sign_in_graph, made.sign_ins())),
        "audits.json": _graph(map(made.change_graph, made.changes())),
        "purview.csv": purview(made.mail()),
    },
}
"""By name one export of all 200 events, by file."""
EVENTS = 200
