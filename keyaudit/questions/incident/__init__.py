"""The incident page of a stolen key, in each format."""

from collections.abc import Mapping

from keyaudit.questions.incident import dot, html, json
from keyaudit.questions.incident.answer import Incident
from keyaudit.questions.incident.document import document
from keyaudit.report.document import write_markdown, write_text
from keyaudit.report.options import Render, plain

FORMATS: Mapping[str, Render[Incident]] = {
    "text": lambda found, out, options: write_text(document(found), out, options),
    "html": plain(html.render),
    "markdown": plain(lambda found, out: write_markdown(document(found), out)),
    "json": plain(json.render),
    "dot": plain(dot.render),
}
