"""Renders resources that expire soon or have expired, in each format."""

from collections.abc import Mapping

from keyaudit.model.run import Expiring
from keyaudit.report.expiring import csv, json, table, text
from keyaudit.report.options import Render, plain

FORMATS: Mapping[str, Render[Expiring]] = {
    "text": text.render,
    "table": table.render,
    "json": plain(json.render),
    "csv": plain(csv.render),
}
