"""Whether a finding that a later report no longer has is closed: its row passes, or a list that was read whole lacks it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from keyaudit.model.coverage import Coverage, State
from keyaudit.model.results.findings import Finding, Outcome, Value
from keyaudit.model.results.run import Report
from keyaudit.model.schema.columns import Table
from keyaudit.model.tables import TABLES

Key = tuple[str, str]
"""The id of a policy, and the subject of a finding."""


def failing(findings: Iterable[Finding]) -> dict[Key, Finding]:
    """The failures by policy and subject; of several rows of a subject, the most severe."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        if finding.outcome is not Outcome.FAIL:
            continue
        key = (finding.policy.id, finding.subject)
        if key not in found or found[key].severity.rank < finding.severity.rank:
            found[key] = finding
    return found


def lost(gone: Mapping[Key, Finding], new: Report) -> set[Key]:
    """The findings of `gone` that are not certainly fixed: their policies were not evaluated, or their resources not read, or
    they may be missing from a list.
    """
    coverage: dict[str, dict[str, Coverage]] = defaultdict(dict)
    for record in new.verdict.coverage:
        coverage[record.scope.id][record.operation] = record
    unlisted = {key for key, was in gone.items() if not _looked(was, coverage, new.run.tenant_id)}
    unevaluated = {each.policy.id for each in new.verdict.not_judged}
    unknown = set()
    for each in new.findings(bool(unlisted)):
        key = (each.policy.id, each.subject)
        if each.outcome is Outcome.UNKNOWN:
            unknown.add(key)
            if each.scope is not None and each.policy.needs:
                # Its evidence is required and was not supplied: it has this one answer, about the tenant.
                unevaluated.add(each.policy.id)
        elif each.outcome is Outcome.PASS and key in unlisted and each.row["id"] == gone[key].row.get("id"):
            # In an incomplete list only the returned rows are certain; another version of a key says nothing of this one.
            unlisted.discard(key)
    return unlisted | (unknown & gone.keys()) | {key for key in gone if key[0] in unevaluated}


def _looked(was: Finding, coverage: Mapping[str, Mapping[str, Coverage]], tenant_id: str) -> bool:
    """Whether the list of the finding's resource, or of its former vault, was read completely."""
    table, scope = TABLES[was.policy.table], str(was.row.get("scope_id", ""))
    above = "/".join(scope.split("/")[:3])
    listings: Collection[str] = [operation for operation in table.listed_by if _gives(table, operation, was.row)]
    if scope not in coverage:
        listings = TABLES["vault"].listed_by
    # A missing subscription may exist but be no longer visible to the identity.
    if above not in coverage:
        return False
    for place in (scope, above, f"/tenants/{tenant_id.lower()}"):
        here = [coverage[place][each] for each in listings if each in coverage.get(place, {})]
        if here:
            return all(record.state is State.ASSESSED for record in here)
    return False


def _gives(table: Table, operation: str, row: Mapping[str, Value]) -> bool:
    """Whether that list can return such a row."""
    return any(
        all(row[name] == value or not isinstance(row[name], str | bool) for name, value in sure.items())
        for sure in table.rows_after(operation)
    )
