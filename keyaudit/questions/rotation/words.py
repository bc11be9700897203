"""Stages, consumers and evidence in words. Names of the tenant are made safe for one line here."""

from collections.abc import Iterator

from keyaudit.inventory.usage.complete_days import LONG_ENOUGH
from keyaudit.model.consumers import NOUNS
from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.evidence import RELYING_PARTIES
from keyaudit.model.reasons import ADVICE
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY, iso_date, iso_time, whole_days
from keyaudit.questions.rotation.answer import Consumer, Follows, Kind, Logged, Proof, Rotation, Stage, State, Why
from keyaudit.report.lines import listed, plural
from keyaudit.report.missing import extent

_NAME = 300
STATES = {
    State.NOT_MOVED: "not moved",
    State.WILL_MOVE: "will move",
    State.UNKNOWN: "unknown",
    State.MOVED: "moved",
}
FOLLOWS = {
    Follows.BY_ITSELF: "moves by itself",
    Follows.BY_HAND: "has to be told",
    Follows.UNKNOWN: "unknown",
}
STAGES = {
    Stage.MADE: "new version made",
    Stage.MOVED: "consumers moved",
    Stage.IDLE: "old version idle",
    Stage.RETIRED: "old version retired",
    Stage.PROVEN: "proven",
}
_WHY = {
    Why.REPORTS_NEW: "it reports that it uses the new version, {held}",
    Why.REPORTS_OLD: "it uses the old version {held}",
    Why.NAMES_OLD: "its setting names the old version {held}, and does not follow the rotation",
    Why.NAMES_NEW: "it uses the version that its setting names, which is the new one, {held}",
    Why.NAMES_NEW_ONLY: "its setting names the new version, {held}; it does not report which version it uses",
    Why.ACTIVE_NEW: "its active key is the new version, {held}; it does not say whether disks are still on an earlier one",
    Why.MOVING: "its active key is the new version, {held}, and some of its disks are still on an earlier one",
    Why.REPORTS_OTHER: "it uses a certificate that is none of the versions, {held}",
    Why.REPORTS_NOTHING: "it does not report which version it uses",
    Why.UNREAD: "which version it uses could not be read",
    Why.HOLDS_OLD: "it has only the old one{held}",
    Why.HOLDS_NEW: "it has only the new one{held}",
    Why.HOLDS_BOTH: "it has both the old and the new one{held}",
    Why.USED_OLD: "it used the old one{held} on {day}",
    Why.USED_BOTH: "it used the old one{held} on {day}, and the new one later",
    Why.USED_NEW: "it used the new one{held} on {day}, and the old one not since the new one was made",
    Why.USED_UNNAMED: "the log does not say which version it used on {day}",
    Why.USED_BEFORE: "it used the old one{held} only before the new one was made",
    Why.IDLE: "it has both the old and the new one, and complete logs show no sign-in with the old one{held} in the last "
    f"{LONG_ENOUGH // DAY} days",
}
_NAMED_INSIDE = frozenset(
    {
        Why.REPORTS_NEW,
        Why.REPORTS_OLD,
        Why.NAMES_OLD,
        Why.NAMES_NEW,
        Why.NAMES_NEW_ONLY,
        Why.ACTIVE_NEW,
        Why.MOVING,
        Why.REPORTS_OTHER,
    },
)
_PROOFS = {
    Proof.SERVICE: "reported by the service",
    Proof.SETTING: "from its setting",
    Proof.DIRECTORY: "from its certificates and secrets",
    Proof.REPORT: "from Entra's credential report",
    Proof.LOGS: "from the logs",
    Proof.FILE: "from its configuration file",
}
_BEYOND = (
    "No API of Azure lists the parties outside it that were given the public key, or a copy of a secret or certificate: "
    "ask them."
)
_NOT_READ = (
    "No API shows which secrets Kubernetes, Data Factory, App Configuration and programs read, and keyaudit does not read the "
    "workspaces of API Management. The log of the vault shows their use."
)
_USERS_OF_KEYS = "No API shows which programs use a key. The log of the vault shows their use."
WRAPS = (
    "Data may be wrapped with it, so an old version has to stay enabled: without it, such data and its backups cannot be read."
)


def subject(found: Rotation) -> str:
    """ "Key kv-data-prod/storage-cmk"."""
    text = found.name if found.target.lower() in found.name.lower() or found.vault else f"{found.name} ({found.target})"
    return one_line(f"{found.noun[0].upper()}{found.noun[1:]} {text}", _NAME)


def consumer(each: Consumer) -> str:
    """ "storage account stcontosolake"."""
    what = NOUNS.get(each.what, each.what)
    return one_line(f"{what} {each.name}", _NAME)


def state(each: Consumer, found: Rotation) -> str:
    """The state of a consumer; before a rotation, how it will take a new version."""
    if not found.begun:
        return FOLLOWS[each.follows]
    return f"will move by {iso_time(each.until)}" if each.until is not None else STATES[each.state]


def evidence(each: Consumer, found: Rotation) -> str:
    """Why it is in this state, by which evidence, and how old that is."""
    if not found.begun:
        return _before(each)
    held = one_line(each.held, _NAME)
    if each.why not in _NAMED_INSIDE:
        held = f" ({held})" if held else ""
    day = iso_date(each.seen_on) if each.seen_on is not None else "an unknown day"
    why = _WHY[each.why].format(held=held, day=day)
    reason = f": {ADVICE[each.reason].meaning} ({each.reason})" if each.reason is not None else ""
    broken = f"; it says that it cannot read it ({one_line(each.broken, _NAME)})" if each.broken else ""
    return f"{why}{reason}{broken} [{_PROOFS[each.proof]}, {_age(each, found)}]"


def _age(each: Consumer, found: Rotation) -> str:
    if each.seen_on is None:
        return "without a date"
    days = whole_days(max(0, found.run.as_of - each.seen_on))
    return "as of today" if days == 0 else f"{plural(days, 'day')} old"


def _before(each: Consumer) -> str:
    if each.kind is Kind.USER:
        day = iso_date(each.seen_on) if each.seen_on is not None else "an unknown day"
        return f"it used the key on {day}; the log does not show whether it asks for this version"
    if each.follows is Follows.UNKNOWN:
        reason = f": {ADVICE[each.reason].meaning} ({each.reason})" if each.reason is not None else ""
        return f"whether it follows a rotation is unknown{reason}"
    if each.kind is Kind.SERVICE:
        if each.broken:
            return f"it says that it cannot read it ({one_line(each.broken, _NAME)}), and does not start again until it can"
        by_hand = f"its setting names version {one_line(each.held, _NAME)}; it breaks if that is disabled before it is told"
        return by_hand if each.follows is Follows.BY_HAND else "its setting names no version, so it takes the new one"
    if each.follows is Follows.BY_ITSELF:
        return "it fetches keys from the issuer" if each.kind is Kind.RELYING_PARTY else "Azure renews its credential"
    held = f" ({one_line(each.held, _NAME)})" if each.held else ""
    return f"it has the one in use{held}; it breaks if that is retired before it has the new one"


def owner(each: Consumer) -> str:
    """ "team-a, team-b (tag owner)"; empty without an owner."""
    return f"{one_line(listed(each.owners), _NAME)} ({one_line(each.owned_by)})" if each.owners else ""


def since(found: Rotation) -> str:
    """The heading of what changed since an earlier snapshot; empty without one."""
    return f"Since {iso_time(found.earlier)}" if found.earlier is not None else ""


def moved(found: Rotation) -> Iterator[str]:
    """What changed since then, one consumer each; without a change, one sentence that says so."""
    for each in found.moves:
        before = STATES[each.before] if each.before is not None else "not found, or not asked to move yet"
        after = STATES[each.after] if each.after is not None else "not found any more"
        yield f"{consumer(each.consumer)}: {after}; it was {before}"
    if found.earlier is not None and not found.moves:
        yield "No consumer has moved."


def stage(found: Rotation, which: Stage) -> str:
    """How far the rotation has come with one stage."""
    match which:
        case Stage.MADE:
            return _made(found)
        case Stage.MOVED:
            if not found.begun:
                return f"not begun; {plural(len(found.consumers), 'consumer')} found"
            return f"{found.counted(State.MOVED):,} of {plural(len(found.consumers), 'consumer')}"
        case Stage.IDLE:
            return _idle(found)
        case Stage.RETIRED:
            return _retired(found)
        case Stage.PROVEN:
            return "yes" if found.proven else "no"


def _made(found: Rotation) -> str:
    if found.unsure is not None:
        return f"unknown which one is the new one: {ADVICE[found.unsure].meaning} ({found.unsure})"
    if found.new is None:
        noun = "version" if found.vault else "credential"
        return f"no: there is one {noun}" if len(found.old) == 1 else "no"
    on = f" on {iso_date(found.new.created_on)}" if found.new.created_on is not None else ", on a day that was not recorded"
    return f"{one_line(found.new.name, _NAME)}{on}"


def _idle(found: Rotation) -> str:
    if not found.begun:
        return "not begun"
    used = [each for each in found.consumers if each.why in (Why.USED_OLD, Why.USED_BOTH) and each.seen_on is not None]
    if used:
        last = max(used, key=lambda each: each.seen_on or 0)
        return f"no: last used on {iso_date(last.seen_on or 0)} by {consumer(last)}"
    if found.idle:
        return f"yes: complete logs show no use in the last {LONG_ENOUGH // DAY} days"
    return "unknown: the logs do not show it"


def _retired(found: Rotation) -> str:
    if not found.begun:
        return "not begun"
    if not found.vault:
        return f"no: {plural(len(found.old), 'old credential')} still registered"
    disabled = sum(each.enabled is False for each in found.old)
    unknown = sum(each.enabled is None for each in found.old)
    text = f"{disabled:,} of {plural(len(found.old), 'old version')} disabled"
    text += f", {unknown:,} unknown" if unknown else ""
    return f"{text}; old versions have to stay enabled" if found.wraps and disabled < len(found.old) else text


def logs(each: Logged) -> str:
    """What one log covers, and what is missing."""
    days = LONG_ENOUGH // DAY
    if each.enough:
        return f"{each.log}: complete from {each.covered}."
    if each.covered is None:
        return f"{each.log}: not supplied, or not complete until now; supply it with --import logs=DIR."
    return (
        f"{each.log}: complete from {each.covered}. That is too short: {days} complete days are needed, counted from when the "
        "new version was made, and every record in them has to name what was used."
    )


def conclusion(found: Rotation) -> str:
    """The answer in one or two sentences. "All" is stated only if the exit code is 0."""
    name = {Exit.FINDINGS: _late, Exit.INCOMPLETE: _open}.get(found.verdict.exit)
    if name is not None:
        return name(found)
    if found.verdict.exit is not Exit.CLEAN:
        return "It is unknown which consumers have moved."
    if found.nothing:
        return "It has no client secret or certificate, so there is nothing to rotate."
    if not found.begun:
        return f"Everything that may use it is known{extent(found.verdict)}. {_rehearsed(found)}"
    of = plural(len(found.consumers), "consumer")
    days = LONG_ENOUGH // DAY
    return f"All have moved{extent(found.verdict)}: {of} read, and complete logs show no use of the old version in {days} days."


def _late(found: Rotation) -> str:
    late = [each for each in found.consumers if each.state in (State.NOT_MOVED, State.WILL_MOVE)]
    names = [consumer(each) for each in late[:3]]
    more = [f"{len(late) - 3:,} more"] if len(late) > 3 else []
    if found.retired:
        return f"The old version is disabled, and still used: {listed([*names, *more])}."
    return f"Do not retire the old version: {listed([*names, *more])} {'uses' if len(late) == 1 else 'use'} it."


def _open(found: Rotation) -> str:
    if not found.begun:
        known = not found.unread and all(each.enough for each in found.logs)
        return f"{'Not everything that may use it is known. ' * (not known)}{_rehearsed(found)}"
    unknown = found.counted(State.UNKNOWN)
    parts = [plural(unknown, "consumer is", "consumers are") + " unknown"] if unknown else []
    parts += [plural(len(found.unread), "list or value was", "lists or values were") + " not read"] if found.unread else []
    parts += ["the logs do not show that the old version is idle"] if not all(each.enough for each in found.logs) else []
    return f"No consumer was found on the old version, but {listed(parts) or 'something could not be read'}."


def _rehearsed(found: Rotation) -> str:
    counts = [(sum(each.follows is how for each in found.consumers), words) for how, words in _COUNTED.items()]
    told = [f"{plural(count, 'consumer')} {words[count != 1]}" for count, words in counts if count]
    return f"{listed(told)[:1].upper()}{listed(told)[1:]}." if told else f"No consumer was found{extent(found.verdict)}."


_COUNTED = {
    Follows.BY_ITSELF: ("moves by itself", "move by themselves"),
    Follows.BY_HAND: ("has to be told", "have to be told"),
    Follows.UNKNOWN: ("may name this version", "may name this version"),
}


def limits(found: Rotation) -> Iterator[str]:
    """What the answer rests on, and what it can never show."""
    if not found.vault and found.begun and found.new is not None:
        yield f"Taken for the new one: {one_line(found.new.name, _NAME)}, the newest. Each program may have one of its own."
    yield from map(logs, found.logs)
    if found.vault:
        yield _USERS_OF_KEYS if found.noun == "key" else _NOT_READ
    if RELYING_PARTIES not in found.run.evidence and found.noun == "certificate":
        yield "Relying parties are read only with --import relying-parties=PATH."
    yield _BEYOND


def meaning(found: Rotation) -> str:
    """The meaning of the exit code."""
    if found.verdict.exit is Exit.FINDINGS:
        return "somebody uses the old version, or moves later"
    if found.verdict.exit is Exit.CLEAN:
        return "every consumer that was read has moved, and the old version is idle" if found.begun else "complete"
    return MEANINGS[found.verdict.exit]
