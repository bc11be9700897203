"""Renders resources that expire soon or have expired, in each format."""

from collections.abc import Mapping

from keyaudit.model.results.run import Expiring
from keyaudit.questions.expiring import csv, json, text
from keyaudit.report.options import Render, plain

FORMATS: Mapping[str, Render[Expiring]] = {
    "text": text.render,
    "table": text.render_table,
    "json": plain(json.render),
    "csv": plain(csv.render),
}
