"""A few findings, without reading the others: the worst for a gate, and the heads of causes for the first page."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from keyaudit.inventory.reader import Reader
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import First
from keyaudit.model.severity import Opens, Severity, place
from keyaudit.policy.evaluation.causes import Head, Place
from keyaudit.policy.evaluation.findings import NO_CAUSES, Pair, grouped, of_thing
from keyaudit.policy.evaluation.row_order import BEFORE, Evaluated, rows_with_ids, worst_ids, worst_rows


def worst(
    reader: Reader,
    tables: Iterable[Evaluated],
    *,
    least: Severity,
    known: bool,
    most: int,
    failing: Collection[str],
) -> list[Finding]:
    """The `most` worst findings of failing rows with severity `least` or above, perhaps; those in the baseline only if `known`.

    `failing`: the ids of policies that may have such a finding; others are skipped. Each table is read once, and at most `most`
    rows are fetched.
    """
    found: list[tuple[tuple[int, int, int, str, str, str, str], Finding]] = []
    for evaluated in tables:
        numbered = {number: bound for number, bound in enumerate(evaluated.bounds) if bound.policy.text.id in failing}
        if not numbered:
            continue
        # Two queries: whole rows are worked out for a few ids only.
        ids = [id_ for (id_,) in reader.rows(worst_ids(evaluated, numbered, least=least, known=known, most=most))]
        if not ids:
            continue
        query = worst_rows(evaluated, numbered, least=least, known=known, count=len(ids))
        for thing in grouped(reader.rows(query, ids, evaluated.types), evaluated, list(numbered.values()), None):
            _, label, of = thing.place
            for _, finding in of_thing(thing, NO_CAUSES, passes=False):
                if finding.outcome is Outcome.FAIL and finding.severity.rank >= least.rank and (known or not finding.known):
                    found.append(((*_urgency(finding), label, of, finding.policy.id, str(finding.row["id"])), finding))
    found.sort(key=lambda each: each[0])
    return [finding for _, finding in found[:most]]


def _urgency(finding: Finding) -> tuple[int, int, int]:
    """The order of findings, as in `ordered.urgency`."""
    judged = finding.judged() if finding.judged else None
    weakness = min((place(ruling.word) for ruling in judged.weakness), default=0) if judged else 0
    opens = max((Opens(ruling.word).rank for ruling in judged.opens), default=0) if judged else 0
    return -finding.severity.rank, weakness, -opens


def first_page(
    reader: Reader,
    tables: Iterable[Evaluated],
    heads: Sequence[Head],
    called: Mapping[str, str],
) -> list[First]:
    """The findings of these heads in their order, each with the owner of its resource. `called`: as in `findings.stream`."""
    causes = {(head.policy, head.row): (head.cause, Place.HEAD) for head in heads if head.cause}
    found: dict[tuple[str, str], Pair] = {}
    for evaluated in tables:
        leading = [head for head in heads if head.table == evaluated.table.name]
        ids, policies = sorted({head.row for head in leading}), {head.policy for head in leading}
        numbered = {number: bound for number, bound in enumerate(evaluated.bounds) if bound.policy.text.id in policies}
        if not ids:
            continue
        # Most of the work is planning, which is less for the policies of the heads alone.
        rows = [*reader.rows(rows_with_ids(evaluated, numbered, count=len(ids)), ids, evaluated.types)]
        for thing in grouped(sorted(rows, key=lambda row: str(row[BEFORE - 1])), evaluated, list(numbered.values()), called):
            for owner, finding in of_thing(thing, causes, passes=False):
                found[finding.policy.id, str(finding.row["id"])] = owner, finding
    pairs = ((found[head.policy, head.row], head) for head in heads)
    return [First(owner=owner, finding=finding, times=head.times) for (owner, finding), head in pairs]
