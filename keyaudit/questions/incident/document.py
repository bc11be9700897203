"""The incident page as a document: the answer, the sections, the plan, and what it leaves open."""

from keyaudit.model.errors import Exit
from keyaudit.questions.blast_radius.words import meaning
from keyaudit.questions.incident.answer import Confidence, Incident
from keyaudit.questions.incident.plan import left_open, plan
from keyaudit.questions.incident.statements import Statement
from keyaudit.questions.incident.words import plan_title, sections, title, verdict
from keyaudit.report.document import Document, Item, Plan, Section
from keyaudit.report.lines import Paint


def document(incident: Incident) -> Document:
    """The document of an incident."""
    return Document(
        run=incident.radius.run,
        verdict=incident.verdict,
        title=title(incident),
        answer=verdict(incident),
        answer_first=True,
        parts=[
            *(Section(title=each.title, items=[*map(_item, each.statements)]) for each in sections(incident)),
            Plan(title=plan_title(incident), steps=plan(incident)),
            Section(title="What stays open", items=[Item(text=each) for each in left_open(incident)]),
        ],
        meaning=meaning(incident.radius) if incident.verdict.exit is Exit.FINDINGS else "",
    )


def _item(statement: Statement) -> Item:
    doubt = Paint.DOUBT if statement.confidence is Confidence.NOT_KNOWABLE else None
    return Item(text=statement.text, basis=statement.confidence, depth=statement.depth, colour=doubt)
