"""Keys and validators in words. Names from files and the tenant are made safe for one line here."""

from collections.abc import Mapping, Sequence

from keyaudit.model.coverage import Refusal
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.relying_parties import RelyingParties, Validator
from keyaudit.model.stolen_keys import STOLEN
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.questions.trust.answer import Checked, Named, PublishedKey, State
from keyaudit.report.lines import listed, plural

_NAME = 200
_NO_METADATA = "there is no list of published keys to compare with; name a snapshot with --from, or --tenant"
_ELSEWHERE = "its issuer is not Entra, so its published keys were not read"

OF_KEY = ("key_id", "thumbprint", "token_issuer", "fetched_on")
OF_VALIDATOR = ("authority", "validates_issuer", "tenants_allowed", "validates_audience")
"""The facts of each, by their output names."""
OUTCOMES = {True: "fail", None: "unknown", False: "pass"}
"""The result of a validator, by whether it accepts tokens of any tenant."""

CHECK_ENDS = {
    Exit.FINDINGS: "a trusted key is stolen, or Entra no longer publishes it",
    Exit.INCOMPLETE: "unknown for a key or a file",
    Exit.UNSAFE: "a response would have led across a security boundary",
}
SCAN_ENDS = {
    Exit.FINDINGS: "tokens are accepted with keys that many tenants share, without a check of issuer or tenant",
    Exit.INCOMPLETE: "a file is unreadable or unclear",
    Exit.NO_ACCESS: "no settings files found, so nothing was checked",
}


def age(key: PublishedKey, as_of: int) -> str:
    """ "412 d"; a dash if unknown."""
    return "-" if key.starts_on is None else f"{times.whole_days(as_of - key.starts_on):,} d"


def places(key: PublishedKey) -> str:
    """ "tenant, common, organizations"."""
    return ", ".join(one_line(place, _NAME) for place in key.places)


def notes(key: PublishedKey, as_of: int) -> list[str]:
    """Notes on the key, the most severe first."""
    stolen = STOLEN.get(key.thumbprint or "")
    found = [f"STOLEN: {stolen.what}"] if stolen else []
    if key.expires_on is not None and key.expired(as_of):
        found.append(f"expired {times.duration_text(as_of - key.expires_on)} ago and is still published")
    if key.among_tenants:
        found.append("for personal accounts, and among the tenant's keys")
    elif key.for_consumers:
        found.append("for personal accounts")
    if key.app_id is not None:
        found.append(f"own key of {one_line(key.app_name or key.app_id, _NAME)}")
    found += ["disabled"] * key.disabled
    found += [f"{name.replace('_', ' ')} unknown: {ADVICE[why].meaning}" for name, why in sorted(key.unknown.items())]
    return found


def counts(keys: Sequence[PublishedKey], as_of: int) -> str:
    """The number of keys by kind."""
    kinds = (
        (sum(key.expired(as_of) for key in keys), "expired and still published"),
        (sum(key.among_tenants for key in keys), "for personal accounts among the tenant's"),
        (sum(key.app_id is not None for key in keys), "of single applications"),
        (sum(key.thumbprint in STOLEN for key in keys), "known to be stolen"),
    )
    told = [f"{count:,} {what}" for count, what in kinds if count]
    return f"{plural(len(keys), 'key')}{': ' if told else ''}{listed(told)}."


def named(key: Named) -> str:
    """ "tenant KID"."""
    return f"{one_line(key.place, _NAME)} {one_line(key.key_id, _NAME)}"


def key_words(each: Checked) -> str:
    """ "key KID (THUMBPRINT), cached"."""
    key = each.key
    kid, thumbprint = (
        "unknown" if isinstance(fact, Refusal) else None if fact is None else one_line(fact, _NAME)
        for fact in (key.key_id, key.thumbprint)
    )
    names = [f"key {kid}"] * (kid is not None) + [f"certificate {thumbprint}"] * (thumbprint is not None)
    return f"{' with '.join(names) or 'a key without a name'}, {'in a cache' if key.held_as == 'cache' else 'pinned'}"


def verdict_of(each: Checked, *, offline: bool) -> str:
    """The result in words. `offline`: no source of published keys was given."""
    if each.stolen is not None:
        return f"is {each.stolen.what} ({each.stolen.source})"
    if each.state is State.WITHDRAWN:
        return "is not among the keys that Entra publishes: everything it signs is still accepted"
    if each.state is State.PUBLISHED:
        return "is published"
    return f"unknown whether it is published: {_why(each, offline=offline)}"


def _why(each: Checked, *, offline: bool) -> str:
    key = each.key
    if any(isinstance(fact, Refusal) for fact in (key.key_id, key.thumbprint, key.token_issuer)):
        return "its entry in the file cannot be read"
    if key.key_id is None and key.thumbprint is None:
        return "the file gives it no name that an issuer publishes"
    if offline:
        return _NO_METADATA
    if each.reason is None or each.reason is Reason.NOT_SUPPLIED:
        return _ELSEWHERE
    return f"{ADVICE[each.reason].meaning} ({each.reason})"


def reasons(facts: Mapping[str, object]) -> dict[str, Reason]:
    """The reasons of unknown facts."""
    return {name: fact.reason for name, fact in facts.items() if isinstance(fact, Refusal)}


def settings(each: Validator) -> str:
    """The known and unknown settings."""
    authority = "an authority that the file leaves open" if isinstance(each.authority, Refusal) else each.authority
    if each.takes_anybodys:
        return f"uses keys of {authority}, and checks neither issuer nor tenant"
    if each.takes_anybodys is None:
        open_ = [
            word
            for word, fact in (
                ("whether it checks the issuer", each.validates_issuer),
                ("whom it accepts", each.tenants_allowed),
            )
            if isinstance(fact, Refusal)
        ]
        return f"uses keys of {authority}; the file does not say {listed(open_) or 'of whom'}"
    return f"uses keys of {authority}"


def scanned(found: RelyingParties) -> str:
    """The amount of scanned data."""
    skipped = [f"{plural(count, name)}" if name == "link" else f"{count:,} {name}" for name, count in found.skipped.items()]
    passed = f" Not examined: {listed(skipped)}." if skipped else ""
    outcomes = [each.takes_anybodys for each in found.validators]
    told = f"{outcomes.count(True):,} without a check, {outcomes.count(None):,} unknown, {outcomes.count(False):,} fine"
    read = f"{plural(found.files, 'file')} read, {len(found.unread):,} not"
    return f"{plural(len(found.validators), 'validator')} in {read}: {told}.{passed}"
