"""JSON: one grant per line."""

from typing import TextIO

from keyaudit.questions.access.answer import Access, Open, Reach, Way, Who
from keyaudit.report.members import about_run, attributes, coverage_member, time_member


def render(found: Access, out: TextIO) -> None:
    """Write one JSON object."""
    subject = {"kind": found.noun, "id": found.id, "name": found.name, "described": found.note or None}
    members = {"subject": subject, "open_nothing": found.inert}
    lists = {
        "ways": map(_reach, found.reaches),
        "others": map(way_member, found.others),
        "not_all_known": map(_open, found.open),
        "not_read": map(coverage_member, found.unlisted),
    }
    about_run(out, found.run, found.verdict, members, lists)


def _reach(reach: Reach) -> dict[str, object]:
    place = {"vault_id": reach.vault_id, "vault": reach.vault_name, "limited_to": reach.thing or None}
    return {"principal": _who(reach.who), **place, **way_member(reach.way)}


def way_member(way: Way) -> dict[str, object]:
    """One grant."""
    return {
        "grant": way.id,
        **attributes(way, "kind", "role", "custom", "api", "scope", "scope_kind", "allows"),
        "through": [_who(group) for group in way.through],
        "through_unknown": way.unplaced,
        **attributes(way, "application_id", "condition", "standing"),
        "expires_on": time_member(way.expires_on),
        "unknown": way.doubt,
    }


def _who(who: Who) -> dict[str, object]:
    return {
        **attributes(who, "id", "name", "kind", "sign_in", "home", "enabled"),
    }


def _open(each: Open) -> dict[str, object]:
    return {"principal": _who(each.who), "reason": each.reason}
