"""Unusual uses as JSON: one finding per line, with its reasons, their first rows, and its announcement."""

from collections import Counter
from typing import TextIO

from msgspec import structs

from keyaudit.logs.report.words import reason
from keyaudit.model.usage import Accepted, Learned, Unseen, Unusual, UsageCheck, Use, Why, Window
from keyaudit.model.values.times import DAY, iso_date, iso_time
from keyaudit.report.log_gaps import unseen
from keyaudit.report.members import SCHEMA, UNTRUSTED, attributes, document


def render(found: UsageCheck, out: TextIO) -> None:
    """Write one JSON object."""
    opened = Counter(each.severity for each in found.findings if each.open)
    members: dict[str, object] = {
        "schema": SCHEMA,
        "untrusted": UNTRUSTED,
        "tenant": found.tenant_id,
        "window": _window(found.window),
        "uses": found.uses,
        "baseline": [_learned(each) for each in found.learned],
        "fail_on": found.fail_on,
        "open": dict(sorted(opened.items())),
        "accepted": sum(each.accepted is not None for each in found.findings),
        "reported_before": sum(each.reported_until is not None for each in found.findings),
    }
    lists = {
        "findings": map(_finding, found.findings),
        "unknown": map(_unseen, found.unseen),
        "unused_announcements": map(_accepted, found.unused),
    }
    verdict = {"exit": int(found.exit), "name": found.exit.name.lower(), "complete": not found.unseen}
    document(out, members, lists, {"verdict": verdict})


def _window(window: Window) -> dict[str, str]:
    return {"from": iso_date(window.since), "to": iso_date(window.until - DAY)}


def _learned(learned: Learned) -> dict[str, object]:
    return {
        **_window(learned.window),
        "uses": learned.uses,
        "sources": dict(learned.sources),
        "undecided": learned.undecided,
        "missing": [_unseen(each) for each in learned.missing],
    }


def _finding(found: Unusual) -> dict[str, object]:
    return {
        **attributes(found, "severity", "operation", "target_kind", "target"),
        "app_id": found.app_id or None,
        "app_name": found.app_name or None,
        "reasons": [_why(found, why) for why in found.why],
        "accepted": _accepted(found.accepted) if found.accepted else None,
        "part_of": found.part_of or None,
        "reported_until": None if found.reported_until is None else iso_date(found.reported_until - DAY),
    }


def _why(found: Unusual, why: Why) -> dict[str, object]:
    return {
        "kind": why.kind,
        "severity": why.severity,
        "reason": reason(found, why),
        "count": why.count,
        "values": list(why.values),
        "known_elsewhere": why.elsewhere,
        **attributes(why, "uses", "refused", "days"),
        "first_on": iso_time(why.first_on),
        "last_on": iso_time(why.last_on),
        "evidence": [_use(use) for use in why.evidence],
    }


def _use(use: Use) -> dict[str, object]:
    return {**structs.asdict(use), "used_on": iso_time(use.used_on)}


def _accepted(accepted: Accepted) -> dict[str, object]:
    return {
        "app_id": accepted.app_id,
        "operation": accepted.operation,
        "target": accepted.target.text,
        "owner": accepted.owner,
        "reason": accepted.reason,
        "since": iso_date(accepted.since) if accepted.since else None,
        "until": accepted.last_day,
        "networks": [str(each) for each in accepted.networks],
        "mailboxes": accepted.mailboxes or None,
        "place": accepted.place,
    }


def _unseen(each: Unseen) -> dict[str, object]:
    return {
        "cause": each.blind,
        "subject": each.subject or None,
        "reason": each.reason,
        "days": [iso_date(day) for day in each.days],
        "count": each.count,
        "meaning": unseen(each),
    }
