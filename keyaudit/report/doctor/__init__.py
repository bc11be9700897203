"""How much of a tenant can be read, for people and for programs."""

from collections.abc import Callable, Mapping
from typing import TextIO

from keyaudit.report.doctor import json, text
from keyaudit.report.doctor.examine import Examination
from keyaudit.report.formats import Options

FORMATS: Mapping[str, Callable[[Examination, TextIO, Options], None]] = {
    "text": lambda found, out, options: text.render(found, out, width=options.width or 80, colour=options.colour),
    "json": lambda found, out, _: json.render(found, out),
}
