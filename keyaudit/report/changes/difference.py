"""The changes between two snapshots, computed from two reports and rendered for people, programs and spreadsheets."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TextIO

from keyaudit import __version__
from keyaudit.model.changes.closure import failing, lost
from keyaudit.model.changes.difference import Change, Changed, Dark, Difference
from keyaudit.model.coverage import ScopeKind, State
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.results.findings import Finding
from keyaudit.model.results.run import NotJudged, Report
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.changes.policy_changes import changed_since
from keyaudit.report.facts import Facts
from keyaudit.report.lines import Paint, joined, pad, paint, plural, wrap
from keyaudit.report.members import begun, document, exits, scope_member
from keyaudit.report.missing import by_needs, incomplete, unsafe
from keyaudit.report.options import Options
from keyaudit.report.resource import label
from keyaudit.report.summary import header, message
from keyaudit.report.tabular.cells import guarded

_COLUMNS = ("change", "severity_before", "severity_after", "policy_id", "resource_name", "subject", "finding_id", "actual")
_WIDTH = 80
_COUNTED = {
    Change.NEW: "new",
    Change.CHANGED: "with another severity",
    Change.DARK: "no longer readable",
    Change.FIXED: "fixed",
}
_WORDS = {
    Change.NEW: ("NEW", Paint.ALARM),
    Change.CHANGED: ("SEVERITY", Paint.WARN),
    Change.DARK: ("NOT READABLE NOW", Paint.DOUBT),
    Change.FIXED: ("FIXED", Paint.FINE),
}


def compare(old: Report, new: Report) -> Difference:
    """The difference of two reports by the same policies. Waived findings count as failures.

    A finding is fixed only where the newer report evaluated its policy and read its resource; one that became unknown is no
    longer readable.
    """
    before, after = failing(old.findings(False)), failing(new.findings(False))
    dark = lost({key: was for key, was in before.items() if key not in after}, new)
    changes: list[Changed] = []
    for key, now in after.items():
        was = before.get(key)
        if was is None:
            changes.append(_changed(Change.NEW, None, now))
        elif was.severity is not now.severity:
            changes.append(_changed(Change.CHANGED, was, now))
    for key, was in before.items():
        if key not in after:
            changes.append(_changed(Change.DARK if key in dark else Change.FIXED, was, None))
    kept = len(before.keys() & after.keys()) - sum(each.change is Change.CHANGED for each in changes)
    order = list(Change)
    changes.sort(key=lambda each: (order.index(each.change), -_rank(each), each.resource, each.policy, each.subject))
    since = changed_since(old.run.tool_version)
    return Difference(
        old=old.run,
        new=new.run,
        verdict=new.verdict,
        changes=tuple(changes),
        dark=tuple(_dark(old, new)),
        same=kept,
        revised=sum(policy in since for policy, _ in before),
        unevaluated=_unevaluated(old, new),
    )


def _unevaluated(old: Report, new: Report) -> tuple[NotJudged, ...]:
    before = {each.policy.id for each in old.verdict.not_judged}
    return tuple(each for each in new.verdict.not_judged if each.policy.id not in before)


def _changed(change: Change, was: Finding | None, now: Finding | None) -> Changed:
    finding = now or was
    if finding is None:
        raise ValueError("nothing changed")
    return Changed(
        change=change,
        id=finding.id,
        policy=finding.policy.id,
        problem=finding.policy.problem,
        subject=finding.subject,
        resource=label(Facts.of(finding)),
        message=message(finding),
        before=was.severity if was else None,
        after=now.severity if now else None,
    )


def _rank(changed: Changed) -> int:
    return max(severity.rank for severity in (changed.before, changed.after) if severity)


def _dark(old: Report, new: Report) -> Iterator[Dark]:
    """The operations that were assessed before and are not now, by scope and reason."""
    read = {(record.scope.id, record.operation) for record in old.verdict.coverage if record.state is State.ASSESSED}
    lost: dict[tuple[str, Reason], list[str]] = defaultdict(list)
    scopes = {}
    for record in new.verdict.coverage:
        if record.reason is not None and (record.scope.id, record.operation) in read:
            lost[record.scope.id, record.reason].append(record.operation)
            scopes[record.scope.id] = record.scope
    for (scope, reason), operations in sorted(lost.items()):
        yield Dark(scopes[scope], reason, tuple(sorted(operations)))


def render_text(found: Difference, out: TextIO, options: Options) -> None:
    """Text for people: one entry per finding, what is no longer readable, and counts."""
    width = options.width or _WIDTH
    out.write(joined(header(found.new, found.verdict, width, options.colour)))
    out.write(joined(wrap(f"compared with {times.iso_time(found.old.as_of)}", width, "    ", "    ")))
    out.write("\n")
    out.writelines(joined(_lines(each, width, options)) for each in found.changes)
    out.write("\n" if found.changes else "")
    for dark in found.dark:
        tenant = dark.scope.kind is ScopeKind.TENANT
        name = one_line((found.new.tenant_name if tenant else dark.scope.name) or dark.scope.id)
        nouns = ", ".join(dict.fromkeys(OPERATIONS[each].noun for each in dark.operations if each in OPERATIONS))
        text = f"no longer readable: {dark.scope.kind} {name} ({ADVICE[dark.reason].meaning}): {nouns}"
        out.write(joined(wrap(text, width, rest="    ")))
    if found.unevaluated:
        out.write(joined(wrap(f"no longer evaluated: {by_needs(found.unevaluated)}", width, rest="    ")))
    counts = Counter(each.change for each in found.changes)
    out.write(
        joined(wrap(f"{', '.join(f'{counts[each]:,} {_COUNTED[each]}' for each in Change)}, {found.same:,} unchanged.", width))
    )
    out.writelines(joined(wrap(said, width)) for said in _versions(found))
    verdict = found.verdict
    blocks = (incomplete(verdict, width, options.colour), unsafe(verdict, width, options.colour))
    out.writelines(joined(["", *block]) for block in blocks if block)


def _versions(found: Difference) -> Iterator[str]:
    """What versions of keyaudit have to do with the changes."""
    then, later = one_line(found.old.tool_version), one_line(found.new.tool_version)
    yield f"Both are evaluated with the policies of keyaudit {__version__}, so no change comes from a new version of them."
    if then != later:
        read = f"keyaudit {then} collected the older snapshot and {later} the newer one"
        yield f"{read}: differences between these versions can appear as changes."
    if found.revised:
        count = plural(found.revised, "finding")
        yield (
            f"{count} of the older snapshot {'is' if found.revised == 1 else 'are'} by policies that are new or changed since"
            f" keyaudit {then}, so a report printed then may differ: keyaudit explain versions"
        )


def _lines(each: Changed, width: int, options: Options) -> list[str]:
    word, shade = _WORDS[each.change]
    severities = " to ".join(str(severity) for severity in (each.before, each.after) if severity)
    raised = each.before is not None and each.after is not None and each.before.rank < each.after.rank
    was = {
        Change.CHANGED: f"{'raised' if raised else 'lowered'} from {severities}",
        Change.DARK: f"(was {each.before})",
    }.get(each.change, severities)
    begin = f"{pad(word, 8)} {was}  {one_line(each.problem)}: {one_line(each.resource)} ({each.policy})"
    first, *more = wrap(begin, width, rest="    ")
    return [paint(word, shade, options.colour) + first[len(word) :], *more, *wrap(each.message, width, "    ", "    ")]


def render_json(found: Difference, out: TextIO, _options: Options) -> None:
    """For programs."""
    document(
        out,
        {**begun(found.new), "before": {"run": found.old.run_id, "as_of": times.iso_time(found.old.as_of)}},
        {
            "changes": (
                {
                    "change": each.change,
                    "finding": each.id,
                    "policy": each.policy,
                    "problem": each.problem,
                    "subject": each.subject,
                    "resource": each.resource,
                    "message": each.message,
                    "before": each.before,
                    "after": each.after,
                }
                for each in found.changes
            ),
            "dark": (
                {"scope": scope_member(each.scope), "reason": each.reason, "operations": list(each.operations)}
                for each in found.dark
            ),
            "not_judged": ({"policy": each.policy.id, "needs": list(each.needs)} for each in found.unevaluated),
        },
        {"same": found.same, "evaluated_by": __version__, "revised": found.revised, "verdict": exits(found.verdict)},
    )


def render_csv(found: Difference, out: TextIO, _options: Options) -> None:
    """For spreadsheets: one line a finding. `out` must not translate line ends."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for each in found.changes:
        cells = (each.change, each.before or "", each.after or "", each.policy)
        texts = (each.resource, each.subject, each.id, each.message)
        writer.writerow([*cells, *(guarded(text) for text in texts)])


FORMATS = {"text": render_text, "table": render_text, "json": render_json, "csv": render_csv}
