"""Sentences on when it happened, who added the credentials, and which SAML sign-ins rest on the key."""

from collections.abc import Iterator

from keyaudit.model.tables.usage import DIRECTORY_LOG, KEY_VAULT_LOG, USER_SIGN_IN_LOG
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import iso_time
from keyaudit.questions.incident.acts import LISTED, act_text, briefly
from keyaudit.questions.incident.answer import Confidence, Incident, Observed, SamlSignIns
from keyaudit.questions.incident.statements import NO_LOGS, Statement, doubts, holes
from keyaudit.report.lines import plural

_MOST = 40
"""The maximum number of entries of the timeline."""
_HOUR = 3_600
_ASSERTED = _HOUR
"""MSAL advises callers of a vault to keep an assertion for so many seconds:
https://github.com/AzureAD/microsoft-authentication-library-for-python/blob/dev/msal/application.py
"""


def timeline(found: Incident) -> Iterator[Statement]:
    """What happened outside the baseline, in the order of time."""
    seen = found.observed
    if seen is None:
        yield Statement(text=f"When it was used is unknown. {NO_LOGS}", confidence=Confidence.NOT_KNOWABLE)
        return
    for act in found.strange[:_MOST]:
        confidence = Confidence.INFERRED if act.because else Confidence.OBSERVED
        yield Statement(text=briefly(act), confidence=confidence, rests_on=act.records)
    if len(found.strange) > _MOST:
        text = f"{len(found.strange) - _MOST:,} more are in the sections below."
        yield Statement(text=text, confidence=Confidence.OBSERVED, rests_on=[str(seen.window)])
    if seen.learned_until is None:
        text = "Which acts are unusual is unknown without a baseline; all uses are in the sections below."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["--baseline"])
    elif not seen.logs:
        text = "When it was used cannot be known: no log of this tenant names the key that a token was signed with."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
    elif not found.strange:
        gaps = any(holes(seen, log) for log in seen.logs) or seen.vault_logged is False
        text = f"The logs of {seen.window} show nothing outside the baseline{', but they have gaps' if gaps else ''}."
        confidence = Confidence.NOT_KNOWABLE if gaps else Confidence.OBSERVED
        yield Statement(text=text, confidence=confidence, rests_on=[str(seen.window)])


def causes(found: Incident) -> Iterator[Statement]:
    """Who added the credentials that were signed in with, or changed the federation; empty if it has neither."""
    seen = found.observed
    if seen is None:
        return
    for act in seen.causes:
        nameless = act.operation == "add-credential" and act.credential is None
        more = " The record does not name the credential: it may be any that it has." if nameless else ""
        confidence = Confidence.INFERRED if nameless else Confidence.OBSERVED
        yield Statement(text=f"{act_text(act)}{more}", confidence=confidence, rests_on=act.records)
    added = {act.credential for act in seen.causes}
    used = dict.fromkeys(act.credential for act in seen.uses if act.operation == "sign-in" and act.credential)
    for credential in used:
        if credential not in added:
            text = (
                f"No record in these logs adds credential {one_line(credential)}, with which it signed in: who did is unknown."
            )
            yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=[DIRECTORY_LOG])
    if used or seen.domains or seen.causes:
        yield from doubts(seen, DIRECTORY_LOG)


def signatures(seen: Observed) -> Iterator[Statement]:
    """Sign-ins that no signature in the vault explains."""
    found = seen.signed
    if found is None:
        return
    if not found.covered:
        text = (
            "Whether a sign-in with its credential came before its first signature in the vault is not known: the vault's log"
            " does not cover the whole life of the key."
        )
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=[KEY_VAULT_LOG])
        return
    if found.before and found.first_on is not None:
        first = f"its first signature ({iso_time(found.made_on)})" if found.made_on else "any signature"
        text = (
            f"{plural(found.before, 'sign-in')} with its credential came before {first} in the vault, the first on"
            f" {iso_time(found.first_on)}, and the vault's log covers the whole life of the key: the key exists elsewhere, too."
        )
        yield Statement(text=text, confidence=Confidence.INFERRED, rests_on=found.records)
    if found.gap is not None and found.gap > _ASSERTED:
        text = (
            f"Up to {plural(found.gap // _HOUR, 'hour')} passed between the last signature in the vault and a sign-in with its"
            " credential: the application's assertions are valid for that long, or the key exists elsewhere, too."
        )
        yield Statement(text=text, confidence=Confidence.INFERRED, rests_on=[found.gap_record] if found.gap_record else [])


def saml(seen: Observed) -> Iterator[Statement]:
    """The SAML sign-ins that rest on it, and those that no log shows."""
    for each in seen.saml:
        name = one_line(each.name, LISTED)
        yield _signed_for(seen, each, name)
        text = (
            f"A token that was forged with a copy of it goes to {name} directly, and Entra does not record it: ask {name} for"
            " its log."
        )
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["no log of Entra records it"])
    if seen.saml:
        text = "Such sign-ins that are not interactive are in AADNonInteractiveUserSignInLogs, which is read for tokens only."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=["AADNonInteractiveUserSignInLogs"])
        yield from doubts(seen, USER_SIGN_IN_LOG)
    for domain in seen.domains:
        text = (
            f"Sign-ins of users of {one_line(domain, LISTED)} rest on it. They are in SigninLogs and"
            " AADNonInteractiveUserSignInLogs, which do not name the certificate; keyaudit does not count them."
        )
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=[USER_SIGN_IN_LOG])


def _signed_for(seen: Observed, each: SamlSignIns, name: str) -> Statement:
    if each.first_on is None or each.last_on is None:
        text = f"The logs of {seen.window} show no interactive sign-in by SAML or WS-Federation to {name}."
        confidence = Confidence.NOT_KNOWABLE if holes(seen, USER_SIGN_IN_LOG) else Confidence.OBSERVED
        return Statement(text=text, confidence=confidence, rests_on=[USER_SIGN_IN_LOG])
    when = iso_time(each.first_on) if each.count == 1 else f"{iso_time(each.first_on)} to {iso_time(each.last_on)}"
    refused = f", {each.refused:,} refused" if each.refused else ""
    rests = {
        True: "which is on this key now.",
        False: "which is on another key now; before, it may have been this one.",
        None: "and whether that is on this key is not known.",
    }[each.active]
    count, users = plural(each.count, "interactive sign-in"), plural(each.users, "user")
    text = (
        f"{when}: at least {count} of {users} by SAML or WS-Federation to {name}{refused}. Entra signs the tokens"
        f" with the active certificate, {rests}"
    )
    confidence = Confidence.INFERRED if each.active else Confidence.NOT_KNOWABLE
    return Statement(text=text, confidence=confidence, rests_on=each.records)
