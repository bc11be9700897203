"""The report as one self-contained HTML page: no other file, no network, and one script of our own, which only hides, shows and
arranges what is on the page; without scripts the page has the same content.

The other modules compute the content of each section; the templates decide its appearance. Every inserted text is escaped
automatically (`inert`). The same report gives the same bytes.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import BinaryIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from keyaudit.model.results.run import Report
from keyaudit.report.html.inert import inert, lines, place, whole
from keyaudit.report.html.page import WORDS, page
from keyaudit.report.html.tenants import tenants


def write(report: Report, out: BinaryIO) -> None:
    """Write the page. Findings beyond the maximum are counted, and not listed."""
    out.write(rendered("page.html", "filters.css", script="filters.js", page=page(report)).encode())


def write_tenants(reports: Sequence[Report], out: BinaryIO) -> None:
    """Write several tenants on one page: what is open in each area of each, and the worst of all."""
    out.write(rendered("tenants.html", "tenants.css", page=tenants(reports)).encode())


def rendered(template: str, *styles: str, script: str = "", **values: object) -> str:
    """A page from one of the templates with `values`; `styles` are added to the common style."""
    css = "".join(map(_file, ("style.css", *styles)))
    js = _file(script) if script else ""
    # Both contain only our own text, and the browser compares each with its digest.
    ours = {"style": Markup(css), "script": Markup(js), "style_digest": _digest(css), "script_digest": _digest(js)}  # noqa: S704
    return _templates().get_template(template).render(**ours, **values)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader(__name__),
        autoescape=True,
        finalize=inert,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(WORDS)
    made.filters.update(lines=lines, place=place, whole=whole)
    return made


@cache
def _file(name: str) -> str:
    return files(__name__).joinpath("templates", name).read_text("utf-8")
