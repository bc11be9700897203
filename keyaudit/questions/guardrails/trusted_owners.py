"""The GitHub owners that managed identities trust today, as the built-in definition on trusted owners compares them.

The definition fd1a8e20-2c4f-4a6c-9354-b58d786d9a1f compares the text between `repo:` and the next slash of a plain subject.
"""

from collections import defaultdict
from collections.abc import Iterator

from keyaudit.model.directory.federated_subject import is_github
from keyaudit.model.results.run import Inventory
from keyaudit.model.values.text import listed, one_line
from keyaudit.report.facts import Facts
from keyaudit.report.lines import joined, plural, wrap
from keyaudit.report.members import inert

_WIDTH = 80
_MANAGED = "ManagedIdentity"


def trusted_owners(inventory: Inventory) -> str:
    """A section of lines of at most 80 columns, over the listing of federated credentials."""
    return joined(_lines(inventory))


def _lines(inventory: Inventory) -> Iterator[str]:
    grades: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    others = unread = 0
    for row in inventory.listings[0].rows():
        facts = Facts("credential", row)
        issuer, subject = facts.text("issuer"), facts.text("subject")
        if "holder_type" not in facts.unknown and facts.text("holder_type") != _MANAGED:
            continue
        if {"holder_type", "kind", "issuer", "subject"} & facts.unknown.keys():
            unread += 1
        elif is_github(issuer or ""):
            owner, slash, _ = (subject or "").removeprefix("repo:").partition("/")
            if subject is not None and subject.startswith("repo:") and slash:
                grades[owner][facts.shown("subject_grade", "unknown")] += 1
            else:
                others += 1
    yield ""
    yield from wrap("GitHub owners that managed identities trust today (allowedRepoOwners of fd1a8e20):", _WIDTH)
    for owner, found in sorted(grades.items()):
        counts = listed([f"{count} {grade}" for grade, count in sorted(found.items())])
        yield from wrap(f"{one_line(owner)}: {plural(sum(found.values()), 'credential')} ({counts})", _WIDTH, "  ", "    ")
    if grades:
        yield from wrap(inert(sorted(grades)), _WIDTH, "  ", "    ")
        yield from wrap(
            "Allow only your own. An owner with an id cannot be taken over; an owner without an id can be, once its name is "
            "released.",
            _WIDTH,
            "  ",
            "  ",
        )
    else:
        yield "  none"
    if others:
        yield from wrap(f"It cannot check {plural(others, 'credential')} without an owner in the subject.", _WIDTH, "  ", "  ")
    if unread or inventory.verdict.gaps:
        yield from wrap("There may be others: not every federated credential was read.", _WIDTH, "  ", "  ")
