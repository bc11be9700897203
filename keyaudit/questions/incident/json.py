"""The page as JSON: the sentences with their basis, and the acts in logs."""

from typing import TextIO

from keyaudit.model.tokens import Issue, Token, Tokens
from keyaudit.model.values.times import iso_date, iso_time
from keyaudit.questions.access.json import way_member
from keyaudit.questions.blast_radius.answer import Edge, Node
from keyaudit.questions.blast_radius.words import conclusion, limits
from keyaudit.questions.incident.answer import Act, Incident, SamlSignIns
from keyaudit.questions.incident.plan import left_open, plan
from keyaudit.questions.incident.statements import Section
from keyaudit.questions.incident.words import sections, title, verdict
from keyaudit.report.members import about_run, attributes, time_member
from keyaudit.report.steps import Step


def render(found: Incident, out: TextIO) -> None:
    """Write one JSON object. With --verify, `plan` has the steps that are not done."""
    radius, seen = found.radius, found.observed
    members = {
        "subject": {"kind": radius.subject.note, "id": radius.target, "name": radius.subject.name},
        "title": title(found),
        "known_stolen": {"what": found.radius.stolen.what, "source": found.radius.stolen.source}
        if found.radius.stolen
        else None,
        "extractable": found.extractable,
        "window": {"from": iso_date(seen.window.since), "until": iso_time(seen.window.until)} if seen else None,
        "learned_until": time_member(seen.learned_until) if seen else None,
        "mailboxes": {"at_least": seen.mailboxes.least, "at_most": seen.mailboxes.most} if seen else None,
        "tokens_checked": _checked(seen.tokens) if seen and seen.tokens else None,
        "logs_absent": list(seen.absent) if seen else None,
        "left_open": left_open(found),
        "in_short": verdict(found),
        "public_keys_sha256": list(radius.digests),
        "verify": radius.verify,
        "conclusion": conclusion(radius),
        "limits": list(limits(radius)),
    }
    lists = {
        "sections": map(_section, sections(found)),
        "uses": map(_act, seen.uses if seen else ()),
        "timeline": map(_act, seen.timeline if seen else ()),
        "nodes": map(_node, radius.nodes.values()),
        "edges": map(_edge, radius.edges),
        "plan": map(_step, plan(found)),
        "causes": map(_act, seen.causes if seen else ()),
        "saml": map(_saml, seen.saml if seen else ()),
        "tokens": map(_token, seen.tokens.found if seen and seen.tokens else ()),
    }
    about_run(out, radius.run, radius.verdict, members, lists)


def _node(node: Node) -> dict[str, object]:
    return {"id": node.id, "kind": node.kind, "name": node.name, "note": node.note or None}


def _edge(edge: Edge) -> dict[str, object]:
    return {
        **attributes(edge, "source", "target", "relation"),
        "certain": edge.doubt is None,
        "unknown": edge.doubt,
        "how": edge.how or None,
        "names": edge.names or None,
        "way": way_member(edge.way) if edge.way else None,
        "facts": dict(sorted(edge.facts.items())),
    }


def _step(step: Step) -> dict[str, object]:
    settles = {"relation": step.settles.relation, "target": step.settles.target} if step.settles else None
    return {
        "phase": step.phase,
        "title": step.title,
        "text": step.text or None,
        "breaks": step.breaks or None,
        "shell": step.language,
        "commands": list(step.commands),
        "settles": settles,
    }


def _section(section: Section) -> dict[str, object]:
    statements = [
        {"text": each.text, "confidence": each.confidence, "depth": each.depth, "rests_on": list(each.rests_on)}
        for each in section.statements
    ]
    return {"id": section.id, "title": section.title, "statements": statements}


def _act(act: Act) -> dict[str, object]:
    return {
        "app_id": act.actor.app_id,
        "principal_id": act.actor.principal_id,
        "name": act.actor.name or None,
        **attributes(
            act, "caller", "operation", "target_kind", "target", "objects", "objects_count", "credential", "networks", "clients"
        ),
        "first_on": iso_time(act.first_on),
        "last_on": iso_time(act.last_on),
        "count": act.count,
        "refused": act.refused,
        "outside_baseline": None if act.outside is None else list(act.outside),
        "because": act.because or None,
        "records": list(act.records),
        "link": act.link,
    }


def _saml(each: SamlSignIns) -> dict[str, object]:
    return {
        **attributes(each, "app_id", "name", "active", "count", "users", "refused"),
        "first_on": time_member(each.first_on),
        "last_on": time_member(each.last_on),
        "records": list(each.records),
    }


def _checked(found: Tokens) -> dict[str, object]:
    return {
        "by_result": {issue.value: found.counts.get(issue, 0) for issue in Issue},
        "unknown_because": {doubt.value: count for doubt, count in found.doubts.items()},
        "uncalibrated": [
            {
                **attributes(each, "service", "kind", "external", "app_id"),
                "name": each.name or None,
                "tokens": each.tokens,
                "class_ids": each.rate.ids,
                "class_listed": each.rate.listed,
            }
            for each in found.uncalibrated
        ],
    }


def _token(token: Token) -> dict[str, object]:
    return {
        "result": token.issue,
        **attributes(token, "log", "record", "service", "app_id"),
        "name": token.name or None,
        **attributes(token, "principal_id", "kind", "external"),
        "issued_on": time_member(token.issued_on),
        "first_on": iso_time(token.first_on),
        "last_on": iso_time(token.last_on),
        "other_form": token.odd,
        "class_ids": token.rate.ids,
        "class_listed": token.rate.listed,
    }
