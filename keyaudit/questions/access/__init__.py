"""Renders who can use a resource, or what a principal can use, in each format."""

from collections.abc import Mapping

from keyaudit.questions.access import csv, json, text
from keyaudit.questions.access.answer import Access
from keyaudit.report.options import Render, plain

FORMATS: Mapping[str, Render[Access]] = {
    "text": text.render,
    "table": text.render_table,
    "json": plain(json.render),
    "csv": plain(csv.render),
}
