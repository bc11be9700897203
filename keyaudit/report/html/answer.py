"""A page about one question: the band with its answer and the facts about the run, then the parts of the question."""

from collections.abc import Sequence

from keyaudit.model.values.times import iso_time
from keyaudit.report.document import Document
from keyaudit.report.html import rendered
from keyaudit.report.html.band import Fact, Tone
from keyaudit.report.summary import SIMULATED


def answer(
    template: str, *styles: str, document: Document, word: str, tone: Tone, meaning: str, facts: Sequence[Fact], **parts: object
) -> str:
    """The page. `word`: the question in a word; `meaning`: of the exit code; `facts`: those of the question itself."""
    run = document.run
    about = [
        Fact("Tenant", run.tenant_name or run.tenant_id),
        Fact("Tenant id", run.tenant_id, exact=True),
        Fact("As of", iso_time(run.as_of)),
        Fact("Read by", run.identity),
        *facts,
        Fact("Exit code", f"{document.verdict.exit:d}: {meaning}"),
    ]
    simulated = SIMULATED if run.simulated else ""
    band = {"simulated": simulated, "document": document, "word": word, "tone": tone, "facts": about}
    return rendered(template, *styles, script="", **band, **parts)
