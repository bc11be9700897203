"""The page as one self-contained HTML file."""

from typing import TextIO

from keyaudit.model.errors import Exit
from keyaudit.questions.blast_radius.picture import picture
from keyaudit.questions.blast_radius.words import meaning
from keyaudit.questions.incident.answer import Incident
from keyaudit.questions.incident.document import document
from keyaudit.questions.incident.plan import left_open, plan
from keyaudit.questions.incident.words import plan_title, sections
from keyaudit.report.html.answer import answer
from keyaudit.report.html.band import Fact, Tone


def render(found: Incident, out: TextIO) -> None:
    """Write the page."""
    radius = found.radius
    good = Tone.GOOD if radius.verify and not radius.accepting() else Tone.PLAIN if radius.verify else Tone.BAD
    page = answer(
        "incident.html",
        "blast_radius.css",
        document=document(found),
        word="Verified" if radius.verify else "Incident",
        tone={Exit.CLEAN: good, Exit.FINDINGS: Tone.BAD}.get(radius.verdict.exit, Tone.DOUBT),
        meaning=meaning(radius),
        facts=[
            *([Fact("Logs", str(found.observed.window))] if found.observed else []),
            *(Fact("Public key", digest, exact=True) for digest in radius.digests),
        ],
        sections=sections(found),
        graph=picture(radius),
        steps=plan(found),
        plan_title=plan_title(found),
        left_open=left_open(found),
    )
    out.write(page)
