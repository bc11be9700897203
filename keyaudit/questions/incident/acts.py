"""One act in words, for sections and for the timeline. Names from tenants and logs are made safe for one line here."""

from collections.abc import Sequence

from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.usage import ANY, PRIVILEGED
from keyaudit.model.values.text import listed, one_line
from keyaudit.model.values.times import iso_time
from keyaudit.questions.incident.answer import Act
from keyaudit.report.lines import plural

LISTED = 300
"""The maximum length of a name."""


def act_text(act: Act) -> str:
    """An act as a sentence that begins with its time."""
    by = f"{one_line(act.actor.shown, LISTED)} ({_ids(act)})" if act.actor.name else one_line(act.actor.shown)
    who = f"{by}, called by {one_line(act.caller)}" if act.caller else by
    refused = f", {'all' if act.refused == act.count else f'{act.refused:,}'} refused" if act.refused else ""
    when = iso_time(act.first_on) if act.count == 1 else f"{iso_time(act.first_on)} to {iso_time(act.last_on)}"
    near = f" from {_some(act.networks)}" if act.networks else ""
    program = f" with {_some(act.clients[:1])}" if act.clients else ""
    credential = f", credential {one_line(act.credential)}" if act.credential else ""
    objects = _objects(act)
    place = "" if act.outside is None else "; inside the baseline"
    if act.outside:
        place = f"; outside the baseline ({', '.join(act.outside)})"
    because = f"; followed because it {one_line(act.because, LISTED)}" if act.because else ""
    times = "once" if act.count == 1 else f"{act.count:,} times"
    return (
        f"{when}: {act.operation}{_target(act)} by {who}, {times}{refused}{near}{program}{credential}{objects}{place}{because}."
    )


def _target(act: Act) -> str:
    """The class of its targets, as it follows the operation."""
    if act.target in (ANY, PRIVILEGED):
        return " (a privileged change)" * (act.target == PRIVILEGED)
    if act.target_kind == "mailbox":
        return f" of mailboxes of {one_line(act.target, LISTED)}"
    name = f" ({FIRST_PARTY[act.target]})" if act.target in FIRST_PARTY else ""
    to = "to" if act.operation in ("sign-in", "saml-sign-in", "device-code-sign-in") else "of"
    return f" {to} {one_line(act.target_kind)} {one_line(act.target, LISTED)}{name}"


def _objects(act: Act) -> str:
    if act.target_kind == "mailbox" or act.target in (ANY, PRIVILEGED):
        noun = {"mailbox": ("mailbox", "mailboxes")}.get(act.target_kind, ("object", "objects"))
        return f", {plural(act.objects_count, *noun)}: {_some(act.objects, act.objects_count)}" if act.objects else ""
    return ""


def _ids(act: Act) -> str:
    return one_line(act.actor.app_id or act.actor.principal_id or "")


def _some(values: Sequence[str], count: int = 0) -> str:
    named = [one_line(value.rpartition("/providers/")[2], 120) for value in values]
    return listed([*named, f"{count - len(values):,} more"] if count > len(values) else named)


def briefly(act: Act) -> str:
    """An act as an entry of a timeline: who did what, how often, and from where."""
    until = f" (until {iso_time(act.last_on)})" if act.last_on != act.first_on else ""
    times = "once" if act.count == 1 else f"{act.count:,} times"
    near = f", from {_some(act.networks)}" if act.networks else ""
    return (
        f"{iso_time(act.first_on)}{until}: {one_line(act.actor.shown, LISTED)}: {act.operation}{_target(act)}, {times}{near}."
    )
