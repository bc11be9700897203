"""JSON: one consumer, log or step per line."""

from typing import TextIO

from keyaudit.model.values.times import iso_time
from keyaudit.questions.rotation.answer import Consumer, Logged, Move, Rotation, Stage, State, Unread, Version
from keyaudit.questions.rotation.plan import plan
from keyaudit.questions.rotation.words import conclusion, evidence, limits, stage
from keyaudit.report.members import about_run, attributes, time_member
from keyaudit.report.steps import Step


def render(found: Rotation, out: TextIO) -> None:
    """Write one JSON object."""
    members = {
        "subject": {"kind": found.noun, "id": found.target, "name": found.name},
        "conclusion": conclusion(found),
        "begun": found.begun,
        "new": _version(found.new) if found.new else None,
        "unknown_new": found.unsure,
        "moved": {"of": len(found.consumers), **{str(each): found.counted(each) for each in State}} if found.begun else None,
        "wraps": found.wraps,
        "since": time_member(found.earlier),
        "limits": list(limits(found)),
    }
    lists = {
        "stages": ({"id": each, "reached": found.reached(each), "text": stage(found, each)} for each in Stage),
        "old": map(_version, found.old),
        "moves": map(_move, found.moves),
        "consumers": (_consumer(each, found) for each in found.consumers),
        "logs": map(_logged, found.logs),
        "unread": map(_unread, found.unread),
        "plan": map(_step, plan(found)),
    }
    about_run(out, found.run, found.verdict, members, lists)


def _version(version: Version) -> dict[str, object]:
    return {
        "id": version.id,
        "name": version.name,
        "created_on": time_member(version.created_on),
        "enabled": version.enabled,
        "unknown": version.reason,
    }


def _consumer(each: Consumer, found: Rotation) -> dict[str, object]:
    return {
        **attributes(each, "kind", "id", "name"),
        "what": each.what or None,
        "state": each.state if found.begun else None,
        "follows": each.follows,
        "why": each.why if found.begun else None,
        "text": evidence(each, found),
        "evidence": each.proof,
        "evidence_on": time_member(each.seen_on),
        "held": each.held or None,
        "moves_by": time_member(each.until),
        "unknown": each.reason,
        "broken": each.broken or None,
        "owners": list(each.owners),
        "owned_by": each.owned_by or None,
    }


def _move(each: Move) -> dict[str, object]:
    consumer = {"kind": each.consumer.kind, "id": each.consumer.id, "name": each.consumer.name}
    return {**consumer, "was": each.before, "is": each.after}


def _logged(each: Logged) -> dict[str, object]:
    window = {"from": iso_time(each.covered.since), "until": iso_time(each.covered.until)} if each.covered else None
    return {"log": each.log, "complete": window, "enough": each.enough}


def _unread(each: Unread) -> dict[str, object]:
    return {"what": each.what, "reason": each.reason}


def _step(step: Step) -> dict[str, object]:
    return {
        "phase": step.phase,
        "title": step.title,
        "text": step.text or None,
        "back": step.back or None,
        "owner": step.owner or None,
        "commands": list(step.commands),
    }
