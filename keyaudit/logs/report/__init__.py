"""Unusual uses in a window of logs, in each format."""

from collections.abc import Mapping

from keyaudit.logs.report import csv, json, text
from keyaudit.model.usage import UsageCheck
from keyaudit.report.options import Render, plain

FORMATS: Mapping[str, Render[UsageCheck]] = {"text": text.render, "json": plain(json.render), "csv": plain(csv.render)}
