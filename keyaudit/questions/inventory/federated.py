"""Federated credentials for people: what each trusts, and by its grade whether others can take that over."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from keyaudit.model.directory.federated_subject import Breadth, Grade
from keyaudit.model.repositories import Held
from keyaudit.model.results.listing import Listing
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.lines import wrap

SHOWN = (
    *("holder_name", "name", "subject_grade", "subject_breadth", "subject", "claims_expression", "issuer"),
    *("subject_dangling", "issuer_retires_on", "repository_listed"),
)
"""The columns that the lines are made of."""

_UNKNOWN = "unknown"
_GRADES: Mapping[str, str] = {
    Grade.MUTABLE: "trusts names; anyone who registers such a name after its owner releases it is trusted",
    Grade.UNNAMED: "names nobody: every user of the issuer is trusted",
    _UNKNOWN: "what it trusts was not read, or cannot be interpreted",
    Grade.OTHER: "keyaudit does not know the subjects of that issuer",
    Grade.DEAD: "can never match",
    Grade.IMMUTABLE: "trusts ids, or names that no outsider can register",
}
"""The grades in the order in which they are listed."""
_LISTED: Mapping[str, str] = {
    Held.YES: "still yours",
    Held.RE_REGISTERED: "registered again by somebody else",
    Held.OWNER_ONLY: "the list has the owner, but no such repository",
    Held.NO: "not in the list of repositories",
}
_BREADTHS: Mapping[str, str] = {
    Breadth.ONE: "one workload",
    Breadth.FEW_REFS: "branches, tags or environments whose names differ in single characters",
    Breadth.ANY_REF: "any branch or tag",
    Breadth.ANY_EVENT: "any branch and event",
    Breadth.PULL_REQUESTS: "any pull request",
    Breadth.ANY_CALLER: "any repository that calls the workflow",
    Breadth.DEFAULT_ACCOUNT: "any pod without its own service account",
    Breadth.ORGANISATION: "the whole organisation or group",
    Breadth.EVERYTHING: "every user of the issuer",
    Breadth.WILDCARD: "a wildcard, compared literally",
}


def lines(listing: Listing, width: int) -> Iterator[str]:
    """The credentials by grade, two or more lines each."""
    grades: dict[str, list[Facts]] = defaultdict(list)
    for row in listing.rows():
        facts = Facts(listing.table.name, row)
        grades[facts.shown("subject_grade", _UNKNOWN)].append(facts)
    for nth, grade in enumerate(grade for grade in _GRADES if grade in grades):
        if nth:
            yield ""
        yield from wrap(f"{grade} ({len(grades[grade]):,}): {_GRADES[grade]}", width)
        for facts in grades[grade]:
            yield from _credential(facts, width)


def _credential(facts: Facts, width: int) -> Iterator[str]:
    holder, name = (one_line(facts.shown(column, _UNKNOWN) or "no name") for column in ("holder_name", "name"))
    trusted = facts.shown("subject", _UNKNOWN) or facts.shown("claims_expression", _UNKNOWN)
    breadth = facts.text("subject_breadth")
    notes = [_BREADTHS[breadth]] if breadth else []
    if facts.row.get("subject_dangling") is True:
        notes.append("the identity does not exist")
    listed = _LISTED.get(facts.text("repository_listed") or "")
    if listed:
        notes.append(listed)
    retires = facts.text("issuer_retires_on")
    if retires:
        notes.append(f"the issuer is retired on {retires[:10]}")
    said = f" ({'; '.join(notes)})" if notes else ""
    yield from wrap(f"{holder}: {name}{said}", width, first="  ", rest="    ")
    yield from wrap(one_line(trusted, 1_000), width, first="    ", rest="      ")
    yield from wrap(one_line(facts.shown("issuer", _UNKNOWN), 1_000), width, first="    from ", rest="      ")
