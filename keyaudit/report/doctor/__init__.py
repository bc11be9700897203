"""How much of a tenant can be read, for people and for programs."""

from collections.abc import Mapping

from keyaudit.report.doctor import json, text
from keyaudit.report.doctor.examine import Examination
from keyaudit.report.options import Render, plain

FORMATS: Mapping[str, Render[Examination]] = {"text": text.render, "json": plain(json.render)}
