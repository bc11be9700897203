"""One self-contained HTML page: the graph as a drawing and as nested lists, the edges as a table, and the plan."""

from typing import TextIO

from keyaudit.model import times
from keyaudit.model.blast_radius import BlastRadius
from keyaudit.model.errors import Exit
from keyaudit.report.blast_radius.picture import picture
from keyaudit.report.blast_radius.plan import left, plan
from keyaudit.report.blast_radius.words import VERBS, conclusion, limits, meaning, opened, said, subject, tree, why
from keyaudit.report.html import rendered
from keyaudit.report.html.band import Fact, Tone
from keyaudit.report.summary import SIMULATED


def render(found: BlastRadius, out: TextIO) -> None:
    """Write the page."""
    run, exit_ = found.run, found.verdict.exit
    facts = [
        Fact("Tenant", run.tenant_name or run.tenant_id),
        Fact("Tenant id", run.tenant_id, exact=True),
        Fact("As of", times.iso_time(run.as_of)),
        Fact("Read by", run.identity),
        *(Fact("Public key", digest, exact=True) for digest in found.digests),
        Fact("Exit code", f"{exit_:d}: {meaning(found)}"),
    ]
    tones = {Exit.CLEAN: Tone.GOOD if not found.accepting() else Tone.PLAIN, Exit.FINDINGS: Tone.BAD}
    shown = rendered(
        "blast_radius.html",
        "blast_radius.css",
        simulated=SIMULATED if run.simulated else "",
        title=subject(found),
        word="Verified" if found.verify else "Blast radius",
        conclusion=" ".join(filter(None, [conclusion(found), opened(found)])),
        limits=list(limits(found)),
        tone=tones.get(exit_, Tone.DOUBT),
        facts=facts,
        graph=picture(found),
        branches=tree(found),
        said=said,
        edges=found.edges,
        nodes=found.nodes,
        verbs=VERBS,
        why=why,
        steps=left(found) if found.verify else plan(found),
        plan_title="Still to do" if found.verify else "Plan",
    )
    out.write(shown)
