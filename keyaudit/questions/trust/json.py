"""JSON: one key or validator per line."""

from collections.abc import Mapping
from typing import TextIO

from keyaudit.model.coverage import Refusal
from keyaudit.model.relying_parties import Unread, Validator
from keyaudit.model.results.run import Run
from keyaudit.model.stolen_keys import STOLEN
from keyaudit.model.values import times
from keyaudit.questions.trust import words
from keyaudit.questions.trust.answer import Checked, Named, PublishedKey, Step, Trust, TrustCheck, TrustScan
from keyaudit.report.members import SCHEMA, UNTRUSTED, about_run, attributes, begun, document, exits, gap_member, time_member


def published(found: Trust, out: TextIO) -> None:
    """Write one JSON object."""
    as_of = found.run.as_of
    lists = {"keys": (_published(key, as_of) for key in found.keys), "history": map(_step, found.steps or ())}
    about_run(out, found.run, found.verdict, {}, lists)


def checked(found: TrustCheck, out: TextIO) -> None:
    """Write one JSON object."""
    lists = {
        "keys": map(_checked, found.keys),
        "not_read": map(_unread, found.unread),
        "gaps": map(gap_member, found.verdict.gaps),
    }
    document(out, {**_begun(found.run), "files": found.files}, lists, {"verdict": exits(found.verdict)})


def scanned(found: TrustScan, out: TextIO) -> None:
    """Write one JSON object."""
    read = found.found
    lists = {"validators": map(_validator, read.validators), "not_read": map(_unread, read.unread)}
    members = {**_begun(None), "files": read.files, "skipped": dict(read.skipped)}
    document(out, members, lists, {"verdict": exits(found.verdict)})


def _begun(run: Run | None) -> dict[str, object]:
    return begun(run) if run else {"schema": SCHEMA, "untrusted": UNTRUSTED}


def _published(key: PublishedKey, as_of: int) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "thumbprint": key.thumbprint,
        "published_in": list(key.places),
        **attributes(key, "app_id", "app_name", "token_issuer", "for_consumers"),
        "starts_on": time_member(key.starts_on),
        "expires_on": time_member(key.expires_on),
        "age_days": None if key.starts_on is None else times.whole_days(as_of - key.starts_on),
        "expired": key.expired(as_of),
        "consumer_key_of_tenant": key.among_tenants,
        "disabled": key.disabled,
        "stolen": key.thumbprint in STOLEN,
        "unknown": dict(sorted(key.unknown.items())),
    }


def _step(step: Step) -> dict[str, object]:
    return {
        "run_id": step.run_id,
        "since": times.iso_time(step.since),
        "as_of": times.iso_time(step.as_of),
        "came": list(map(_named, step.came)),
        "gone": list(map(_named, step.gone)),
        "complete": step.whole,
    }


def _named(key: Named) -> dict[str, object]:
    return {"key_set": key.place, "key_id": key.key_id, "thumbprint": key.thumbprint}


def _checked(each: Checked) -> dict[str, object]:
    key = each.key
    facts = {name: getattr(key, name) for name in words.OF_KEY}
    unknown = words.reasons(facts) | ({"published": each.reason} if each.reason else {})
    return {
        "state": each.state,
        **attributes(key, "file", "line", "relying_party", "held_as"),
        **_values(facts),
        "fetched_on": None if isinstance(key.fetched_on, Refusal) else time_member(key.fetched_on),
        "stolen": {"what": each.stolen.what, "source": each.stolen.source} if each.stolen else None,
        "unknown": unknown,
    }


def _validator(each: Validator) -> dict[str, object]:
    facts = {name: getattr(each, name) for name in words.OF_VALIDATOR}
    place = {"file": each.file, "line": each.line, "section": each.section, "relying_party": each.relying_party}
    return {"outcome": words.OUTCOMES[each.takes_anybodys], **place, **_values(facts), "unknown": words.reasons(facts)}


def _unread(each: Unread) -> dict[str, object]:
    of = "keys" if each.holds_keys else "settings"
    return {"file": each.file, "line": each.line, "of": of, "reason": each.reason, "what": each.what}


def _values(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: None if isinstance(fact, Refusal) else fact for name, fact in facts.items()}
