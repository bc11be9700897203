"""The sentences of the page, each with its basis. Names from tenants and logs are made safe for one line here."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from keyaudit.model.incident import Act, Confidence, Count, Incident, KeyFacts, Observed, about_log
from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.tables.usage import ACTIVITY_LOG, DIRECTORY_LOG, KEY_VAULT_LOG, MAIL_LOG, SIGN_IN_LOGS
from keyaudit.model.text import one_line
from keyaudit.model.times import DAY, iso_date, iso_time
from keyaudit.model.usage import ANY
from keyaudit.report.blast_radius.words import Branch, conclusion, said, tree
from keyaudit.report.lines import plural
from keyaudit.report.usage.words import unseen

_SHOWS = {
    KEY_VAULT_LOG: "uses of keys, secrets and certificates",
    MAIL_LOG: "mail that was read, and auditing that was turned off",
    SIGN_IN_LOGS[0]: "sign-ins of applications",
    SIGN_IN_LOGS[1]: "sign-ins of managed identities",
    DIRECTORY_LOG: "changes of credentials, permissions and federation",
    ACTIVITY_LOG: "changes of role assignments and of logging",
}
_LISTED = 300
"""The maximum length of a name."""


class Statement(Struct, frozen=True, kw_only=True):
    """A sentence with its basis: ids of records or objects, or what is missing."""

    text: str
    confidence: Confidence
    rests_on: Sequence[str] = ()
    depth: int = 0


class Section(Struct, frozen=True, kw_only=True):
    """A section of the page."""

    id: str
    title: str
    statements: Sequence[Statement]


def title(found: Incident) -> str:
    """The title of the page."""
    subject = found.radius.subject
    return one_line(f"{subject.note[0].upper()}{subject.note[1:]} {subject.name}", _LISTED)


def sections(found: Incident) -> list[Section]:
    """The sections in order, without the plan."""
    return [
        Section(id="what", title="The key", statements=list(_what(found))),
        Section(id="trust", title="Who trusts it", statements=list(_trust(found))),
        Section(id="used", title="Who used it", statements=list(_used(found))),
        Section(id="next", title="What they did next", statements=list(_next(found))),
        Section(id="unknown", title="What cannot be known, and why", statements=list(_unknown(found))),
    ]


def bounds(count: Count, noun: str, nouns: str = "") -> str:
    """ "at least 3 mailboxes, at most 41"."""
    least = plural(count.least, noun, nouns)
    if count.most is None:
        return f"at least {least}; no upper bound is known"
    return least if count.most == count.least else f"at least {least}, at most {count.most:,}"


def _what(found: Incident) -> Iterator[Statement]:
    if found.radius.stolen is not None:
        text = f"It is {found.radius.stolen.what} ({found.radius.stolen.source})."
        yield Statement(text=text, confidence=Confidence.OBSERVED, rests_on=[found.radius.stolen.source])
    elif found.compared:
        text = "It is not a publicly known stolen key; the list of keyaudit has published thefts only."
        yield Statement(text=text, confidence=Confidence.OBSERVED, rests_on=["keyaudit: list of published thefts"])
    else:
        text = (
            "Whether it is a publicly known stolen key is not known: such keys are listed by the SHA-1 thumbprint of their"
            " certificate, and none of it was read."
        )
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["keyaudit: list of published thefts"])
    for key in found.keys:
        confidence = Confidence.OBSERVED if not key.unknown else Confidence.NOT_KNOWABLE
        yield Statement(text=_version(key, found.radius.run.as_of), confidence=confidence, rests_on=[key.id])
    yield _copies(found)


def _copies(found: Incident) -> Statement:
    """Where the private key may be, beside the vault."""
    rests_on = [key.id for key in found.keys]
    if not found.keys:
        text = "Where it is kept, and who has a copy, is not known: no vault that was read is known to hold it."
        return Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
    if found.extractable:
        stolen = (
            "It was stolen"
            if found.radius.stolen is not None
            else "It was made elsewhere, is stored elsewhere, or is exportable"
        )
        text = f"{stolen}, so its private key may be outside the vault."
        return Statement(text=text, confidence=Confidence.INFERRED, rests_on=rests_on)
    if found.extractable is False:
        text = (
            "Its attributes say that the private key cannot be read out of the vault, so signing happens in the vault. A copy"
            " from before an import into the vault would not show."
        )
        return Statement(text=text, confidence=Confidence.INFERRED, rests_on=rests_on)
    text = "Whether its private key can be read out of the vault is not known: its attributes were not all read."
    return Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=rests_on)


def _version(key: KeyFacts, as_of: int) -> str:
    def value(name: str, text: str, absent: str) -> str:
        if name in key.unknown:
            return f"{name.replace('_', ' ')} unknown ({ADVICE[Reason(key.unknown[name])].meaning})"
        return text or absent

    made = f"created {iso_date(key.created_on)}, {(as_of - key.created_on) // DAY:,} days old" if key.created_on else ""
    parts = [
        value("created_on", made, "creation date not recorded by Key Vault"),
        value("custody", f"custody {key.custody}" if key.custody else "", "custody unknown"),
        value("enabled", "enabled" if key.enabled else "disabled", ""),
        value("expires_on", f"expires {iso_date(key.expires_on)}" if key.expires_on else "", "no expiration date"),
    ]
    return f"Version {one_line(key.version or 'not named')} ({key.kind or 'type unknown'}): {', '.join(parts)}."


def _trust(found: Incident) -> Iterator[Statement]:
    radius = found.radius
    unread = any(edge.doubt is not None for edge in radius.edges)
    confidence = Confidence.INFERRED if unread else Confidence.OBSERVED
    yield Statement(text=conclusion(radius), confidence=confidence, rests_on=[edge.target for edge in radius.trusting()])
    yield from _branches(tree(radius), 0)


def _branches(branches: Sequence[Branch], depth: int) -> Iterator[Statement]:
    for branch in branches:
        sure = Confidence.OBSERVED if depth == 0 else Confidence.INFERRED
        confidence = Confidence.NOT_KNOWABLE if branch.edge.doubt else sure
        text = said(branch)
        yield Statement(text=f"{text[0].upper()}{text[1:]}.", confidence=confidence, rests_on=[branch.edge.target], depth=depth)
        yield from _branches(branch.below, depth + 1)


_NO_LOGS = "No logs were supplied: give a folder of usage import or usage collect with --logs."


def _used(found: Incident) -> Iterator[Statement]:
    seen = found.observed
    if seen is None:
        yield Statement(text=f"Who used it is unknown. {_NO_LOGS}", confidence=Confidence.NOT_KNOWABLE)
        return
    if seen.learned_until is None and seen.uses:
        text = "Which of these uses are usual is unknown: there is no baseline; make one with keyaudit usage learn."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
    for act in seen.uses:
        yield Statement(text=_act(act), confidence=Confidence.OBSERVED, rests_on=act.records)
    if not seen.logs:
        text = "Who used it cannot be known: no log of this tenant names the key that a token was signed with."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
    elif not seen.uses:
        text = f"The logs of {seen.window} show no use of it."
        whole = not (any(_holes(seen, log) for log in seen.logs) or seen.vault_logged is False)
        confidence = Confidence.OBSERVED if whole else Confidence.NOT_KNOWABLE
        yield Statement(text=text, confidence=confidence, rests_on=[str(seen.window)])
    for log in seen.logs:
        yield from _doubts(seen, log)
    if SIGN_IN_LOGS[0] in seen.logs:
        text = "Sign-ins of users through an application that has it are in other logs, which do not name the credential."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
    if seen.vault_logged is False:
        text = "The log of its own vault is not among these logs, so its uses there are not shown."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)


def _act(act: Act) -> str:
    target = "" if act.target == ANY else f" of {one_line(act.target_kind)} {one_line(act.target, _LISTED)}"
    by = f"{one_line(act.actor.shown, _LISTED)} ({_ids(act)})" if act.actor.name else one_line(act.actor.shown)
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
    because = f"; followed since it {one_line(act.because, _LISTED)}" if act.because else ""
    times = "once" if act.count == 1 else f"{act.count:,} times"
    return f"{when}: {act.operation}{target} by {who}, {times}{refused}{near}{program}{credential}{objects}{place}{because}."


def _objects(act: Act) -> str:
    if act.target_kind == "mailbox" or act.target == ANY:
        noun = {"mailbox": ("mailbox", "mailboxes")}.get(act.target_kind, ("object", "objects"))
        return f", {plural(act.objects_count, *noun)}: {_some(act.objects, act.objects_count)}" if act.objects else ""
    return ""


def _ids(act: Act) -> str:
    return one_line(act.actor.app_id or act.actor.principal_id or "")


def _some(values: Sequence[str], count: int = 0) -> str:
    more = f" and {count - len(values):,} more" if count > len(values) else ""
    return ", ".join(one_line(value.rpartition("/providers/")[2], 120) for value in values) + more


def _next(found: Incident) -> Iterator[Statement]:
    seen = found.observed
    if seen is None:
        yield Statement(text=f"Its uses are unknown. {_NO_LOGS}", confidence=Confidence.NOT_KNOWABLE)
        return
    for act in seen.timeline:
        confidence = Confidence.INFERRED if act.because else Confidence.OBSERVED
        yield Statement(text=_act(act), confidence=confidence, rests_on=act.records)
    if not seen.uses:
        text = "Nobody is known to have used it, so no further activity could be looked for."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
    elif not seen.timeline:
        unusual = " unusual" if seen.learned_until is not None else ""
        text = f"The logs of {seen.window} show no further{unusual} activity of its users."
        whole = not (any(_holes(seen, log) for log in _FOLLOWED) or seen.vault_logged is False)
        confidence = Confidence.OBSERVED if whole else Confidence.NOT_KNOWABLE
        yield Statement(text=text, confidence=confidence, rests_on=[str(seen.window)])
    yield from _mail(seen)
    for log in _FOLLOWED:
        yield from _doubts(seen, log)


_FOLLOWED = (MAIL_LOG, SIGN_IN_LOGS[0], DIRECTORY_LOG, ACTIVITY_LOG)


def _mail(seen: Observed) -> Iterator[Statement]:
    """How many mailboxes were read: what the logs show, and why there may be more."""
    mail = [act for act in seen.timeline if act.operation == "read-mail"]
    records, count = [record for act in mail for record in act.records], seen.mailboxes
    if count.least:
        sure = Confidence.INFERRED if any(act.because for act in mail) else Confidence.OBSERVED
        text = f"They read at least {plural(count.least, 'mailbox', 'mailboxes')}."
        yield Statement(text=text, confidence=sure, rests_on=records)
    if count.most is None:
        more = "How many more mailboxes were read" if count.least else "Whether mail was read with it"
        yield Statement(text=f"{more} cannot be known: {_unbounded(seen)}.", confidence=Confidence.NOT_KNOWABLE)
    elif count.most == 0:
        text = f"The logs of {seen.window} show no mailbox that was read with it."
        yield Statement(text=text, confidence=Confidence.OBSERVED, rests_on=[MAIL_LOG])
    else:
        text = f"All that use it read at most {plural(count.most, 'mailbox', 'mailboxes')}, their usual work included."
        yield Statement(text=text, confidence=Confidence.INFERRED, rests_on=records or [MAIL_LOG])


def _unbounded(seen: Observed) -> str:
    if seen.unrecorded:
        return (
            "a token that was signed with the key, or with a copy of it, names any application and user, and no record says"
            " which key signed it"
        )
    return "the logs that would show it have gaps or were not supplied"


def _holes(seen: Observed, log: str) -> list[str]:
    """The gaps of a log in words."""
    holes = (
        [f"{log} is not among these logs at all: {_SHOWS.get(log, 'what it records')} do not show"]
        if log in seen.absent
        else []
    )
    return [*holes, *(unseen(each) for each in seen.unseen if about_log(each, log))]


def _doubts(seen: Observed, log: str) -> Iterator[Statement]:
    for hole in _holes(seen, log):
        yield Statement(text=f"This may not be all: {hole}.", confidence=Confidence.NOT_KNOWABLE, rests_on=[log])


def _unknown(found: Incident) -> Iterator[Statement]:
    signs = bool(found.keys) or any(edge.doubt is Reason.NOT_SUPPLIED for edge in found.radius.trusting())
    if signs:
        text = (
            "Tokens that were signed with a copy outside the vault: a forged token leaves no signature in a vault's log, and"
            " names any application and user that the forger chooses."
        )
        if found.keys:
            text += " Key Vault does not record whether a key was imported, so somebody may have had it before."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["no log records it"])
    seen = found.observed
    if seen is None:
        yield Statement(text=_NO_LOGS, confidence=Confidence.NOT_KNOWABLE, rests_on=["--logs"])
    else:
        first, last = iso_date(seen.window.since), iso_date(seen.window.until - DAY)
        text = f"The time before {first} and after {last} was not examined."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=[str(seen.window)])
        if seen.learned_until is None:
            text = "The usual users of the key are unknown without a baseline."
            yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["--baseline"])
        for log in seen.absent:
            text = f"{log}: no record in the window; {_SHOWS.get(log, 'what it records')} do not show. Export it and import it."
            yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=[log])
        for each in seen.unseen:
            yield Statement(text=f"{unseen(each)}.", confidence=Confidence.NOT_KNOWABLE, rests_on=[each.subject])
    if signs:
        text = "Who else was given the public key and accepts what it signs: no API of Azure shows it. Ask the relying parties."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["no API shows it"])
