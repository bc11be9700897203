"""The rotation as a document: the answer, the stages, the consumers with their evidence, then the steps."""

from keyaudit.model.reasons import ADVICE
from keyaudit.model.values.text import one_line
from keyaudit.questions.rotation import words
from keyaudit.questions.rotation.answer import Consumer, Rotation, State
from keyaudit.questions.rotation.answer import Stage as Reached
from keyaudit.questions.rotation.plan import plan
from keyaudit.report.document import Document, Item, Plan, Section, Stage
from keyaudit.report.lines import Paint

_PAINTS = {State.NOT_MOVED: Paint.ALARM, State.WILL_MOVE: Paint.WARN, State.UNKNOWN: Paint.DOUBT, State.MOVED: Paint.FINE}


def document(rotation: Rotation) -> Document:
    """The document of a rotation."""
    unread = [f"{one_line(each.what, 1_000)}: {ADVICE[each.reason].meaning} ({each.reason})" for each in rotation.unread]
    return Document(
        run=rotation.run,
        verdict=rotation.verdict,
        title=words.subject(rotation),
        answer=words.conclusion(rotation),
        parts=[
            [
                Stage(name=words.STAGES[stage], reached=rotation.reached(stage), text=words.stage(rotation, stage))
                for stage in Reached
            ],
            Section(title=words.since(rotation), items=[Item(text=move) for move in words.moved(rotation)], bullet=""),
            Section(
                title="Consumers",
                items=[_consumer(each, rotation) for each in _late_first(rotation)],
                empty="No consumer was found in what was read.",
                bullet="",
            ),
            Section(title="Not read, and may use it", items=[Item(text=text) for text in unread], bullet="? "),
            Section(title="Limits", items=[Item(text=limit) for limit in words.limits(rotation)], paragraphs=True),
            Plan(title="Steps", steps=plan(rotation)),
        ],
        meaning=words.meaning(rotation),
        gaps_only=True,
    )


def _late_first(rotation: Rotation) -> list[Consumer]:
    """By state, the ones that need work first; before a rotation in the order of its steps."""
    consumers = list(rotation.consumers)
    return sorted(consumers, key=lambda each: list(State).index(each.state)) if rotation.begun else consumers


def _consumer(consumer: Consumer, rotation: Rotation) -> Item:
    owner = words.owner(consumer)
    return Item(
        text=words.consumer(consumer),
        state=words.state(consumer, rotation),
        details=[words.evidence(consumer, rotation), *([f"owner {owner}"] if owner else [])],
        colour=_PAINTS[consumer.state] if rotation.begun else None,
    )
