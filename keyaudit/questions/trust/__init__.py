"""Published keys, keys that services trust, and settings of validators, in each format."""

from collections.abc import Mapping

from keyaudit.questions.trust import csv, json, text
from keyaudit.questions.trust.answer import Trust, TrustCheck, TrustScan
from keyaudit.report.options import Render, plain

LISTS: Mapping[str, Render[Trust]] = {"text": text.published, "json": plain(json.published), "csv": plain(csv.published)}
CHECKS: Mapping[str, Render[TrustCheck]] = {"text": text.checked, "json": plain(json.checked), "csv": plain(csv.checked)}
SCANS: Mapping[str, Render[TrustScan]] = {"text": text.scanned, "json": plain(json.scanned), "csv": plain(csv.scanned)}
