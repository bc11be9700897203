"""The sentences of the page, each with its basis. Names from tenants and logs are made safe for one line here."""

from collections.abc import Iterator, Sequence

from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.tables.usage import ACTIVITY_LOG, DIRECTORY_LOG, MAIL_LOG, SIGN_IN_LOGS
from keyaudit.model.usage import Kind
from keyaudit.model.values.text import listed, one_line
from keyaudit.model.values.times import DAY, duration_text, iso_date
from keyaudit.questions.blast_radius.words import Branch, conclusion, edge_text, is_secret, limits, opened, tree
from keyaudit.questions.incident.acts import LISTED, act_text
from keyaudit.questions.incident.answer import LIKELY, Act, Confidence, Count, Incident, KeyFacts, Link, Observed
from keyaudit.questions.incident.origin import causes, saml, signatures, timeline
from keyaudit.questions.incident.statements import NO_LOGS, SHOWS, Section, Statement, doubts, holes
from keyaudit.questions.incident.tokens import in_short, tokens
from keyaudit.report.lines import plural
from keyaudit.report.log_gaps import unseen


def title(found: Incident) -> str:
    """The title of the page."""
    subject = found.radius.subject
    return one_line(f"{subject.note[0].upper()}{subject.note[1:]} {subject.name}", LISTED)


def plan_title(found: Incident) -> str:
    """The title of the plan."""
    return "Still to do" if found.radius.verify else "Plan"


def sections(found: Incident) -> list[Section]:
    """The sections in order, without the plan."""
    trust = Section(id="trust", title="Who trusts it", statements=list(_trust(found)))
    if found.radius.verify:
        return [trust]
    what = Section(id="what", title=f"The {'secret' if is_secret(found.radius) else 'key'}", statements=list(_what(found)))
    unknown = Section(id="unknown", title="What cannot be known, and why", statements=list(_unknown(found)))
    if found.observed is None:
        return [what, trust, unknown]
    found_causes, found_tokens = list(causes(found)), tokens(found)
    return [
        Section(id="timeline", title="Timeline", statements=list(timeline(found))),
        what,
        trust,
        Section(id="used", title="Who used it", statements=list(_used(found.observed))),
        *([Section(id="cause", title="Who added the credentials", statements=found_causes)] if found_causes else []),
        Section(id="next", title="What they did next", statements=list(_next(found, found.observed))),
        *([Section(id="tokens", title="Their tokens", statements=found_tokens)] if found_tokens else []),
        unknown,
    ]


def verdict(found: Incident) -> str:
    """The page in two or three sentences: whether it was used outside its baseline, what followed, and what accepts it."""
    radius, seen = found.radius, found.observed
    trust = (conclusion(radius), opened(radius))
    stolen = f"It is {radius.stolen.what}." if radius.stolen is not None else ""
    if radius.verify:
        return " ".join(filter(None, [stolen, conclusion(radius), *limits(radius)]))
    if seen is None:
        return " ".join(filter(None, [stolen, "Who used it is unknown: no logs were supplied.", *trust]))
    mail = f"Mail was read in {bounds(seen.mailboxes, 'mailbox', 'mailboxes')}." if seen.mailboxes.least else ""
    forged = in_short(seen.tokens) if seen.tokens is not None else ""
    return " ".join(filter(None, [stolen, _use(seen), mail, forged, *trust]))


def _use(seen: Observed) -> str:
    strange = [act for act in seen.uses if act.outside]
    if strange:
        names = list(dict.fromkeys(one_line(act.actor.shown, LISTED) for act in strange))
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        return f"Used outside its baseline {_days(strange)}, by {listed([*names[:_NAMED], *([more.strip()] if more else [])])}."
    if not seen.logs:
        return "Who used it cannot be known: no log names the key that a token was signed with."
    if other := [act for act in seen.timeline if act.outside and act.link is Link.KEY]:
        names = list(dict.fromkeys(one_line(act.actor.shown, LISTED) for act in other))
        return f"{listed(names[:_NAMED])} did something outside the baseline {_days(other)}."
    gaps = any(holes(seen, log) for log in seen.logs) or seen.vault_logged is False
    but = ", but they have gaps" if gaps else ""
    if not seen.uses:
        return f"The logs of {seen.window} show no use of it{but}."
    if seen.learned_until is None:
        return f"The logs of {seen.window} show uses of it; which of them are usual is unknown without a baseline."
    return f"The logs of {seen.window} show no use of it outside its baseline{but}."


def _days(acts: Sequence[Act]) -> str:
    first, last = (iso_date(each) for each in (min(act.first_on for act in acts), max(act.last_on for act in acts)))
    return f"on {first}" if first == last else f"from {first} to {last}"


_NAMED = 3


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
    elif is_secret(found.radius):
        text = "keyaudit reads no value of a secret: only its tags and the services that use it say what accepts it."
        yield Statement(text=text, confidence=Confidence.OBSERVED, rests_on=[found.radius.target])
    elif found.compared:
        text = "It is not a publicly known stolen key; the list of keyaudit has published thefts only."
        yield Statement(text=text, confidence=Confidence.OBSERVED, rests_on=["keyaudit: list of published thefts"])
    else:
        text = (
            "Whether it is a publicly known stolen key is not known: such keys are listed by the SHA-1 thumbprint of their"
            " certificate, and no certificate of it was read."
        )
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["keyaudit: list of published thefts"])
    for key in found.keys:
        confidence = Confidence.OBSERVED if not key.unknown else Confidence.NOT_KNOWABLE
        yield Statement(text=_version(key, found.radius.run.as_of), confidence=confidence, rests_on=[key.id])
    yield _copies(found)


def _copies(found: Incident) -> Statement:
    """Where the private key may be, beside the vault."""
    rests_on = [key.id for key in found.keys]
    if is_secret(found.radius):
        text = (
            "Every principal that read it may have kept its value, which works until the service that accepts it stops doing"
            " so. Disabling the secret in the vault only ends further reads."
        )
        return Statement(text=text, confidence=Confidence.INFERRED, rests_on=rests_on)
    if not found.keys:
        text = "It is not known where it is kept and who has a copy: no vault that was read is known to hold it."
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
    text = "It is not known whether its private key can be read out of the vault: its attributes were not all read."
    return Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=rests_on)


def _version(key: KeyFacts, as_of: int) -> str:
    def value(name: str, text: str, absent: str) -> str:
        if name in key.unknown:
            return f"{name.replace('_', ' ')} unknown ({ADVICE[Reason(key.unknown[name])].meaning})"
        return text or absent

    made = f"created {iso_date(key.created_on)}, {duration_text(max(0, as_of - key.created_on))} old" if key.created_on else ""
    of_secret = "/secrets/" in key.id
    parts = [
        value("created_on", made, "creation date not recorded by Key Vault"),
        "" if of_secret else value("custody", f"custody {key.custody}" if key.custody else "", "custody unknown"),
        value("enabled", "enabled" if key.enabled else "disabled", ""),
        value("expires_on", f"expires {iso_date(key.expires_on)}" if key.expires_on else "", "no expiration date"),
    ]
    kind = one_line(key.kind or f"{'content ' * of_secret}type {'not stated' if of_secret else 'unknown'}")
    return f"Version {one_line(key.version or 'not named')} ({kind}): {', '.join(filter(None, parts))}."


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
        text = edge_text(branch)
        yield Statement(text=f"{text[0].upper()}{text[1:]}.", confidence=confidence, rests_on=[branch.edge.target], depth=depth)
        yield from _branches(branch.below, depth + 1)


def _used(seen: Observed) -> Iterator[Statement]:
    if seen.learned_until is None and seen.uses:
        text = "Which of these uses are usual is unknown: there is no baseline; make one with keyaudit usage learn."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
    for act in seen.uses:
        yield Statement(text=act_text(act), confidence=Confidence.OBSERVED, rests_on=act.records)
    yield from signatures(seen)
    yield from saml(seen)
    if not seen.logs:
        text = "Who used it cannot be known: no log of this tenant names the key that a token was signed with."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
    elif not seen.uses:
        text = f"The logs of {seen.window} show no use of it."
        whole = not (any(holes(seen, log) for log in seen.logs) or seen.vault_logged is False)
        confidence = Confidence.OBSERVED if whole else Confidence.NOT_KNOWABLE
        yield Statement(text=text, confidence=confidence, rests_on=[str(seen.window)])
    for log in seen.logs:
        yield from doubts(seen, log)
    if SIGN_IN_LOGS[0] in seen.logs:
        text = "Sign-ins of users through an application that has it are in other logs, which do not name the credential."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
    if seen.vault_logged is False:
        text = "The log of its own vault is not among these logs, so its uses there are not shown."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)


def _next(found: Incident, seen: Observed) -> Iterator[Statement]:
    for act in seen.timeline:
        confidence = Confidence.INFERRED if act.because else Confidence.OBSERVED
        yield Statement(text=act_text(act), confidence=confidence, rests_on=act.records)
    if not seen.uses and not seen.timeline:
        text = "Nobody is known to have used it, so no further activity could be looked for."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
    elif not seen.timeline:
        unusual = " unusual" if seen.learned_until is not None else ""
        text = f"The logs of {seen.window} show no further{unusual} activity of its users."
        whole = not (any(holes(seen, log) for log in _FOLLOWED) or seen.vault_logged is False)
        confidence = Confidence.OBSERVED if whole else Confidence.NOT_KNOWABLE
        yield Statement(text=text, confidence=confidence, rests_on=[str(seen.window)])
    if seen.learned_until is None and seen.uses:
        text = "Who else acted from the same networks was not examined: without a baseline they may be anybody's."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["--baseline"])
    yield from _mail(found, seen)
    for log in _FOLLOWED:
        yield from doubts(seen, log)


_FOLLOWED = (MAIL_LOG, SIGN_IN_LOGS[0], DIRECTORY_LOG, ACTIVITY_LOG)


def _mail(found: Incident, seen: Observed) -> Iterator[Statement]:
    """How many mailboxes were read: what the logs show, and why there may be more."""
    mail = [act for act in seen.timeline if act.operation == "read-mail"]
    records, count = [record for act in mail for record in act.records], seen.mailboxes
    if count.least:
        counted = any(act.because or act.outside == (Kind.MANY_MAILBOXES,) for act in mail)
        sure = Confidence.INFERRED if counted else Confidence.OBSERVED
        text = f"They read at least {plural(count.least, 'mailbox', 'mailboxes')}."
        yield Statement(text=text, confidence=sure, rests_on=records)
    if count.most is None:
        more = "How many more mailboxes were read" if count.least else "Whether mail was read with it"
        yield Statement(text=f"{more} cannot be known: {_unbounded(found, seen)}.", confidence=Confidence.NOT_KNOWABLE)
    elif count.most == 0:
        text = f"The logs of {seen.window} show no mailbox that was read with it."
        yield Statement(text=text, confidence=Confidence.OBSERVED, rests_on=[MAIL_LOG])
    else:
        text = f"All that use it read at most {plural(count.most, 'mailbox', 'mailboxes')}, their usual work included."
        yield Statement(text=text, confidence=Confidence.INFERRED, rests_on=records or [MAIL_LOG])


def _unbounded(found: Incident, seen: Observed) -> str:
    if seen.unrecorded and is_secret(found.radius):
        return "a copy of its value can be used where no log of this tenant records it"
    if seen.unrecorded:
        return (
            "a token that was signed with the key, or with a copy of it, names any application and user, and no record says"
            " which key signed it"
        )
    if any(act.link in LIKELY for act in seen.timeline):
        return "others acted from the same network or with the same program, and may have come from elsewhere, too"
    return "the logs that would show it have gaps or were not supplied"


def _unknown(found: Incident) -> Iterator[Statement]:
    secret = is_secret(found.radius)
    signs = not secret and (bool(found.keys) or any(edge.doubt is Reason.NOT_SUPPLIED for edge in found.radius.trusting()))
    if secret:
        text = "What was done with a copy of its value: only the service that accepts it can have logged that, not the vault."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["no log of the vault records it"])
    if signs:
        text = (
            "Tokens that were signed with a copy outside the vault: a forged token leaves no signature in a vault's log, and"
            " names any application and user that the forger chooses."
        )
        if found.keys:
            text += " Key Vault shows an import of a key only in its log, so somebody may have had it before."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["no log records it"])
    seen = found.observed
    if seen is None:
        text = f"Who used it is unknown. {NO_LOGS}"
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["--logs"])
    else:
        first, last = iso_date(seen.window.since), iso_date(seen.window.until - DAY)
        text = f"The time before {first} and after {last} was not examined."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=[str(seen.window)])
        if seen.learned_until is None:
            text = "The usual users of the key are unknown without a baseline."
            yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["--baseline"])
        for log in seen.absent:
            text = f"{log}: no record in the window; {SHOWS.get(log, 'what it records')} do not show. Export it and import it."
            yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=[log])
        for each in seen.unseen:
            yield Statement(text=f"{unseen(each)}.", confidence=Confidence.NOT_KNOWABLE, rests_on=[each.subject])
    if signs:
        text = "Who else was given the public key and accepts what it signs: no API of Azure shows it. Ask the relying parties."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["no API shows it"])
    for limit in limits(found.radius):
        yield Statement(text=limit, confidence=Confidence.NOT_KNOWABLE, rests_on=["not in the inventory"])
