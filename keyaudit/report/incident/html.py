"""The page as one self-contained HTML file."""

from typing import TextIO

from keyaudit.model import times
from keyaudit.model.errors import Exit
from keyaudit.model.incident import Incident
from keyaudit.report.blast_radius.picture import picture
from keyaudit.report.blast_radius.words import meaning
from keyaudit.report.html import rendered
from keyaudit.report.html.band import Fact, Tone
from keyaudit.report.incident.plan import left_open, plan
from keyaudit.report.incident.words import plan_title, sections, title, verdict
from keyaudit.report.summary import SIMULATED


def render(found: Incident, out: TextIO) -> None:
    """Write the page."""
    run, exit_ = found.radius.run, found.radius.verdict.exit
    facts = [
        Fact("Tenant", run.tenant_name or run.tenant_id),
        Fact("Tenant id", run.tenant_id, exact=True),
        Fact("As of", times.iso_time(run.as_of)),
        Fact("Read by", run.identity),
        *([Fact("Logs", str(found.observed.window))] if found.observed else []),
        *(Fact("Public key", digest, exact=True) for digest in found.radius.digests),
        Fact("Exit code", f"{exit_:d}: {meaning(found.radius)}"),
    ]
    verify = found.radius.verify
    good = Tone.GOOD if verify and not found.radius.accepting() else Tone.PLAIN if verify else Tone.BAD
    shown = rendered(
        "incident.html",
        "blast_radius.css",
        simulated=SIMULATED if run.simulated else "",
        title=title(found),
        verdict=verdict(found),
        word="Verified" if verify else "Incident",
        tone={Exit.CLEAN: good, Exit.FINDINGS: Tone.BAD}.get(exit_, Tone.DOUBT),
        facts=facts,
        sections=sections(found),
        graph=picture(found.radius),
        steps=plan(found),
        plan_title=plan_title(found),
        left_open=left_open(found),
    )
    out.write(shown)
