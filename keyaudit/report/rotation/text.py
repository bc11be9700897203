"""Text for people: the answer, the stages, the consumers with their evidence, then the steps."""

from collections.abc import Iterator
from typing import TextIO

from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.reasons import ADVICE
from keyaudit.model.rotation import Consumer, Rotation, Stage, State
from keyaudit.model.text import one_line
from keyaudit.report.lines import Paint, joined, paint, parted, wrap
from keyaudit.report.missing import incomplete, unsafe
from keyaudit.report.options import Options
from keyaudit.report.rotation.plan import Step, plan
from keyaudit.report.rotation.words import (
    STAGES,
    conclusion,
    consumer,
    evidence,
    limits,
    meaning,
    moved,
    owner,
    since,
    stage,
    state,
    subject,
)
from keyaudit.report.summary import header, reads_done

_MARKS = {True: "done", False: "open", None: "?"}
_PAINTS = {State.NOT_MOVED: Paint.ALARM, State.WILL_MOVE: Paint.WARN, State.UNKNOWN: Paint.DOUBT, State.MOVED: Paint.FINE}


def render(found: Rotation, out: TextIO, options: Options) -> None:
    """Write it except for commands, which are not wrapped."""
    width, colour = options.page, options.colour
    blocks = parted(
        header(found.run, found.verdict, width, colour),
        [paint(line, Paint.BOLD, colour) for line in wrap(f"{subject(found)}. {conclusion(found)}", width)],
        [line for which in Stage for line in _stage(found, which, width)],
        _since(found, width, colour),
        _consumers(found, width, colour),
        _unread(found, width, colour),
        [line for limit in limits(found) for line in wrap(limit, width)],
        _steps(plan(found), width, colour),
        incomplete(found.verdict, width, colour) if found.verdict.gaps else [],
        unsafe(found.verdict, width, colour),
        _ended(found, width, colour),
    )
    out.write(joined(blocks))


def _stage(found: Rotation, which: Stage, width: int) -> list[str]:
    number = list(Stage).index(which) + 1
    first = f"{number}. {STAGES[which]:<20} {_MARKS[found.reached(which)]:<5} "
    return wrap(stage(found, which), width, first, " " * len(first))


def _consumers(found: Rotation, width: int, colour: bool) -> list[str]:
    if not found.consumers:
        return ["No consumer was found in what was read."]
    return [
        paint("Consumers", Paint.BOLD, colour),
        *(line for each in _late_first(found) for line in _consumer(each, found, width, colour)),
    ]


def _late_first(found: Rotation) -> list[Consumer]:
    """By state, the ones that need work first; before a rotation in the order of its steps."""
    return sorted(found.consumers, key=lambda each: list(State).index(each.state)) if found.begun else list(found.consumers)


def _consumer(each: Consumer, found: Rotation, width: int, colour: bool) -> Iterator[str]:
    lines = wrap(f"{state(each, found)}: {consumer(each)}", width, "  ", "      ")
    yield from (paint(line, _PAINTS[each.state], colour and found.begun) for line in lines)
    yield from wrap(evidence(each, found), width, "      ", "      ")
    if each.owners:
        yield from wrap(f"owner {owner(each)}", width, "      ", "      ")


def _since(found: Rotation, width: int, colour: bool) -> list[str]:
    if found.earlier is None:
        return []
    lines = [line for each in moved(found) for line in wrap(each, width, "  ", "      ")]
    return [paint(since(found), Paint.BOLD, colour), *lines]


def _unread(found: Rotation, width: int, colour: bool) -> list[str]:
    if not found.unread:
        return []
    lines = [paint("Not read, and may use it", Paint.BOLD, colour)]
    for each in found.unread:
        lines += wrap(f"{one_line(each.what, 1_000)}: {ADVICE[each.reason].meaning} ({each.reason})", width, "  ? ", "    ")
    return lines


def _steps(steps: list[Step], width: int, colour: bool) -> list[str]:
    if not steps:
        return []
    lines = [paint("Steps. keyaudit prints these commands and runs none of them.", Paint.BOLD, colour)]
    phase, rest = "", "     "
    for number, step in enumerate(steps, 1):
        if step.phase != phase:
            phase = step.phase
            lines += ["", paint(phase.capitalize(), Paint.BOLD, colour)]
        lines += wrap(step.title, width, f"{number:3}. ", rest)
        lines += wrap(step.text, width, rest, rest) if step.text else []
        lines += wrap(f"Owner: {step.owner}.", width, rest, rest) if step.owner else []
        lines += wrap(f"To go back: {step.back}.", width, rest, rest) if step.back else []
        lines += [f"{rest}  {command}" for command in step.commands]
    return lines


def _ended(found: Rotation, width: int, colour: bool) -> list[str]:
    verdict = found.verdict
    said = f"Exit {verdict.exit:d}: {meaning(found)} ({reads_done(verdict)})."
    also = [line for code in verdict.conditions[1:] for line in wrap(f"Also {code:d}: {MEANINGS[Exit(code)]}.", width)]
    return [*(paint(line, Paint.BOLD, colour) for line in wrap(said, width)), *also]
