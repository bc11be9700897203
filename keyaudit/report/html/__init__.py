"""The report as one page of HTML that needs nothing else: no script, no other file, no network.

The modules beside this one work out what each section says; the templates decide how that looks. Every text is made inert
where it is put in (`inert`), so that no template can forget it. The same report gives the same bytes.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import BinaryIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from keyaudit.model.run import Report
from keyaudit.report.html.inert import inert, whole
from keyaudit.report.html.page import WORDS, page


def write(report: Report, out: BinaryIO) -> None:
    """Write the page. Findings beyond what a page can hold are counted in it, and not listed."""
    out.write(rendered("page.html", page=page(report)).encode())


def rendered(template: str, *styles: str, **values: object) -> str:
    """A page by one of the templates, which shows `values`; `styles` come after the one that all pages have."""
    css = "".join(map(_style, ("style.css", *styles)))
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    # What the style is made of is ours, and the browser compares it with the digest.
    return _templates().get_template(template).render(style=Markup(css), style_digest=digest, **values)  # noqa: S704


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
    made.filters["whole"] = whole
    return made


@cache
def _style(name: str) -> str:
    return files(__name__).joinpath("templates", name).read_text("utf-8")
