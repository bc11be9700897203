"""The rotation as one self-contained HTML page: a picture of the stages, the consumers with their evidence, and the steps."""

from collections.abc import Iterator
from typing import NamedTuple, TextIO

from keyaudit.model.errors import Exit
from keyaudit.model.reasons import ADVICE
from keyaudit.questions.rotation.answer import Rotation, Stage, State
from keyaudit.questions.rotation.document import document
from keyaudit.questions.rotation.plan import plan
from keyaudit.questions.rotation.words import (
    STAGES,
    STATES,
    consumer,
    evidence,
    limits,
    meaning,
    moved,
    owner,
    since,
    stage,
    state,
)
from keyaudit.report.document import MARKS
from keyaudit.report.html.answer import answer
from keyaudit.report.html.band import Fact, Tone
from keyaudit.report.lines import listed


class _Stage(NamedTuple):
    name: str
    mark: str
    text: str


class _Bar(NamedTuple):
    state: str
    x: str
    width: str


class _Consumer(NamedTuple):
    state: str
    said: str
    name: str
    evidence: str
    owner: str


def render(found: Rotation, out: TextIO) -> None:
    """Write the page."""
    counts = [f"{found.counted(each):,} {STATES[each]}" for each in reversed(State) if found.counted(each)]
    page = answer(
        "rotation.html",
        "rotation.css",
        "blast_radius.css",
        document=document(found),
        word="Rotation",
        tone={Exit.CLEAN: Tone.GOOD, Exit.FINDINGS: Tone.BAD}.get(found.verdict.exit, Tone.DOUBT),
        meaning=meaning(found),
        facts=[
            *([Fact("New version", found.new.name, exact=True)] if found.new else []),
            *(Fact("Old version", each.name, exact=True) for each in found.old),
        ],
        stages=[_Stage(STAGES[each], MARKS[found.reached(each)], stage(found, each)) for each in Stage],
        bars=list(_bars(found)),
        counted=f"{listed(counts)}.",
        since=since(found),
        moves=list(moved(found)),
        consumers=[
            _Consumer(each.state if found.begun else "", state(each, found), consumer(each), evidence(each, found), owner(each))
            for each in found.consumers
        ],
        unread=[f"{each.what}: {ADVICE[each.reason].meaning} ({each.reason})" for each in found.unread],
        limits=list(limits(found)),
        steps=plan(found),
    )
    out.write(page)


def _bars(found: Rotation) -> Iterator[_Bar]:
    """The share of the consumers in each state, those that have moved first; none before a rotation."""
    before, whole = 0, len(found.consumers) if found.begun else 0
    for each in reversed(State):
        if whole and found.counted(each):
            yield _Bar(each, f"{100 * before / whole:.2f}%", f"{100 * found.counted(each) / whole:.2f}%")
            before += found.counted(each)
