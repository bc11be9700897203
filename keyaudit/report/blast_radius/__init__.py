"""Renders the blast radius of a stolen key and the plan, in each format."""

from collections.abc import Mapping

from keyaudit.model.blast_radius import BlastRadius
from keyaudit.report.blast_radius import dot, html, json, text
from keyaudit.report.options import Render, plain

FORMATS: Mapping[str, Render[BlastRadius]] = {
    "text": text.render,
    "json": plain(json.render),
    "dot": plain(dot.render),
    "html": plain(html.render),
}
