"""Renders a rotation: the stages, the consumers with their evidence, and the steps, in each format."""

from collections.abc import Mapping

from keyaudit.questions.rotation import html, json
from keyaudit.questions.rotation.answer import Rotation
from keyaudit.questions.rotation.document import document
from keyaudit.report.document import write_markdown, write_text
from keyaudit.report.options import Render, plain

FORMATS: Mapping[str, Render[Rotation]] = {
    "text": lambda found, out, options: write_text(document(found), out, options),
    "json": plain(json.render),
    "markdown": plain(lambda found, out: write_markdown(document(found), out)),
    "html": plain(html.render),
}
