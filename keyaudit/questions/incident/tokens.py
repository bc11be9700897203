"""Sentences on the tokens of those who used the key, and whether a sign-in issued them."""

from collections.abc import Iterator, Sequence

from keyaudit.model.tokens import APP, LONGEST, MICROSOFT_LOG, USER, USER_LOGS, Doubt, Issue, Token, Tokens, Uncalibrated
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import iso_time
from keyaudit.questions.incident.acts import LISTED
from keyaudit.questions.incident.answer import Confidence, Incident
from keyaudit.questions.incident.statements import Statement
from keyaudit.report.lines import plural

_MOST = 40
"""The maximum number of tokens that are named."""
_CLASSES = 10
"""The maximum number of classes that are listed."""
_UNCHECKED = {
    Doubt.NO_TIME: "no time of issue in the log",
    Doubt.NO_TABLE: "a sign-in log is missing; those of users (interactive and not), of service principals and of managed"
    " identities are needed",
    Doubt.MICROSOFT: f"perhaps of one of Microsoft's own applications, and {MICROSOFT_LOG} is missing",
    Doubt.NO_IDS: "a sign-in log has no ids of tokens, like sign-ins from version 1.0 of Microsoft Graph, and summaries",
    Doubt.NOT_COVERED: "issued before a sign-in log begins",
    Doubt.GAP: "near the time of issue, a sign-in log is silent when it usually is not, or has a sign-in without a token's id",
    Doubt.RECENT: "a sign-in log ends less than four days after the time of issue, and sign-ins are logged late",
    Doubt.FAILED: "only a failed sign-in has the id",
    Doubt.NO_BASELINE: "without a baseline it is unknown how many such tokens have a sign-in record",
    Doubt.CLASS: "the baseline has fewer than 1,000 such tokens, or more than one in 1,000 whose sign-in record is missing or"
    " differs",
}


def tokens(found: Incident) -> list[Statement]:
    """What the sign-in logs say of their tokens; empty if nobody is known who could have used one."""
    seen = found.observed.tokens if found.observed is not None else None
    return [] if seen is None else list(_told(seen))


def in_short(found: Tokens) -> str:
    """ "3 tokens have no sign-in record." Empty if none is found."""
    parts = [
        (Issue.NOT_LISTED, "without a sign-in record"),
        (Issue.DIFFERS, "whose sign-in record differs"),
        (Issue.OVER_AGE, "used longer than any token is valid"),
    ]
    said = [f"{plural(found.counts[issue], 'token')} {what}" for issue, what in parts if found.counts.get(issue)]
    return f"Found: {'; '.join(said)}." if said else ""


def _told(seen: Tokens) -> Iterator[Statement]:
    if not seen.counts:
        text = (
            "These logs name no token that they used. Requests to Microsoft Graph (MicrosoftGraphActivityLogs), the unified"
            " audit log (AppAccessContext) and the activity log (claims) name them."
        )
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)
        return
    for token in seen.found[:_MOST]:
        yield Statement(text=_named(token), confidence=Confidence.INFERRED, rests_on=[token.record] if token.record else [])
    if len(seen.found) > _MOST:
        text = f"{plural(len(seen.found) - _MOST, 'more such use')}: the JSON names up to 1,000."
        yield Statement(text=text, confidence=Confidence.INFERRED)
    if listed := seen.counts.get(Issue.LISTED, 0):
        text = (
            f"{plural(listed, 'token')} that they used {'has' if listed == 1 else 'have'} a sign-in record. So would a token"
            " that carries a copied id, and one that Entra issued to a thief."
        )
        yield Statement(text=text, confidence=Confidence.OBSERVED)
    for doubt, count in seen.doubts.items():
        text = f"{plural(count, 'token')} could not be checked: {_UNCHECKED[doubt]}."
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE, rests_on=list(USER_LOGS))
        if doubt is Doubt.CLASS:
            yield from _by_class(seen.uncalibrated)
    if nameless := seen.counts.get(Issue.NO_ID, 0):
        text = (
            f"For {plural(nameless, 'pair')} of application and user, records name no token, so these uses could not be"
            " compared with the sign-ins. A forger may leave the id out."
        )
        yield Statement(text=text, confidence=Confidence.NOT_KNOWABLE)


def _by_class(found: Sequence[Uncalibrated]) -> Iterator[Statement]:
    for each in found[:_CLASSES]:
        app = one_line(each.name or each.app_id or "an application that is not named", LISTED)
        whose = " of users of other tenants" if each.external else {USER: " of users", APP: ""}.get(each.kind or "", "")
        text = f"{plural(each.tokens, 'token')}{whose} for {app} at {each.service}. {_rate(each)}"
        yield Statement(text=text, confidence=Confidence.OBSERVED, depth=1)
    if len(found) > _CLASSES:
        text = f"{plural(len(found) - _CLASSES, 'more such class', 'more such classes')}: the JSON lists them."
        yield Statement(text=text, confidence=Confidence.OBSERVED, depth=1)


def _named(token: Token) -> str:
    who = one_line(token.name or token.app_id or "an application that is not named", LISTED)
    as_ = f" as {one_line(token.principal_id, LISTED)}" if token.principal_id else ""
    issued = f" (issued {iso_time(token.issued_on)})" if token.issued_on is not None else ""
    odd = " Its id does not have the form of an id from Entra." if token.odd else ""
    what = {
        Issue.NOT_LISTED: f"no sign-in record for this token{issued}.{odd} {_rate(token)}",
        Issue.DIFFERS: f"the sign-in record with the id of this token{issued} is of another user, application, resource or"
        f" time. {_rate(token)}",
        Issue.OVER_AGE: f"this token{issued} was used, or says that it is valid, for longer than {LONGEST // 3600} hours, and"
        " no token of Entra is.",
    }[token.issue]
    where = f"{token.log}, record {one_line(token.record, LISTED)}" if token.record else token.log
    return f"{iso_time(token.first_on)}: {who}{as_} at {token.service} ({where}): {what}"


def _rate(token: Token | Uncalibrated) -> str:
    rate = token.rate
    if not rate.ids:
        return "The baseline has no token like it."
    return f"Of {rate.ids:,} tokens like it in the baseline, {rate.listed:,} have one."
