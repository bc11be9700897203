"""Published keys, keys that services trust, and settings of validators, in each format."""

from collections.abc import Callable, Mapping
from typing import TextIO

from keyaudit.model.trust import Trust, TrustCheck, TrustScan
from keyaudit.report.formats import Options
from keyaudit.report.trust import csv, json, text

LISTS: Mapping[str, Callable[[Trust, TextIO, Options], None]] = {
    "text": lambda found, out, options: text.published(found, out, width=options.width or 80, colour=options.colour),
    "json": lambda found, out, _: json.published(found, out),
    "csv": lambda found, out, _: csv.published(found, out),
}
CHECKS: Mapping[str, Callable[[TrustCheck, TextIO, Options], None]] = {
    "text": lambda found, out, options: text.checked(found, out, width=options.width or 80, colour=options.colour),
    "json": lambda found, out, _: json.checked(found, out),
    "csv": lambda found, out, _: csv.checked(found, out),
}
SCANS: Mapping[str, Callable[[TrustScan, TextIO, Options], None]] = {
    "text": lambda found, out, options: text.scanned(found, out, width=options.width or 80, colour=options.colour),
    "json": lambda found, out, _: json.scanned(found, out),
    "csv": lambda found, out, _: csv.scanned(found, out),
}
