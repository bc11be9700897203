"""Unusual uses in a window of logs, in each format."""

from collections.abc import Mapping

from keyaudit.model.usage import UsageCheck
from keyaudit.report.options import Render, plain
from keyaudit.report.usage import csv, json, text

FORMATS: Mapping[str, Render[UsageCheck]] = {"text": text.render, "json": plain(json.render), "csv": plain(csv.render)}
