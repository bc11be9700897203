"""The gate's summary for a pipeline's log: one record per line, never wrapped, the exit code last."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.reasons import ADVICE, Reason, unknown_columns
from keyaudit.model.results.findings import Finding, Tally
from keyaudit.model.results.run import Gap, Report, Run, Verdict
from keyaudit.model.severity import Severity
from keyaudit.model.values.text import one_line
from keyaudit.report.findings.first import holder_of
from keyaudit.report.gate.plan import place, unknown_until_applied
from keyaudit.report.lines import plural
from keyaudit.report.missing import by_needs, outlived, reads, waiver_lines
from keyaudit.report.settings import setting_lines
from keyaudit.report.summary import SIMULATED, copied, message, network, results, severities, verdict_words
from keyaudit.report.versions import lines, uncovered

MOST = 20
"""The maximum number of listed holders, unless more have something critical."""
_READ = 200
"""The number of findings that the list is made from."""
_NAMES = 3
"""The maximum number of places, and of reads, that a gap names."""
_ALIKE = 2
"""The number of gaps of one reason above which they are one line."""
_POLICIES = 10
"""The maximum number of policies whose other findings, or unknown results, are counted."""


def render_gate(report: Report, out: TextIO) -> None:
    """Write the verdict, the blocking findings, and below them everything that limits the verdict."""
    out.writelines(f"{line}\n" for line in _lines(report))


def passed(verdict: Verdict) -> str:
    """What exit code 0 means, with or without a gate."""
    what = "the selected part" if verdict.part else "everything required"
    said = f"{verdict_words(verdict)}: {what} was assessed"
    if verdict.gate:
        said += ", and nothing is open at or above --fail-on"
        if verdict.beyond:
            said += f"; not evaluated: {plural(verdict.beyond, 'policy', 'policies')} at or above it"
    return said


def _lines(report: Report) -> Iterator[str]:
    verdict = report.verdict
    if report.run.simulated:
        yield SIMULATED
    yield f"keyaudit gate   {_answer(verdict)}   fail-on={verdict.gate}{'   new-only' if verdict.new_only else ''}"
    yield from _source(report.run)
    yield f"  checked    {_checked(report)}"
    yield f"  open       {severities(_open(verdict), zeros=True)}"
    yield f"  others     {results(report)}"
    perhaps = sum(group.count for group in verdict.reaching)
    yield f"  blocking   {sum(_open(verdict)[each] for each in _blocking(verdict)) - perhaps:,}"
    if not report.run.planned:
        yield f"  coverage   {verdict.assessed:,} of {verdict.required:,} required reads"
        if not verdict.expected:
            yield f"             {RELATIVE}"
    for said in setting_lines(report.settings):
        yield f"  settings   {said}"
    yield from _blocks(report)
    if known := _known(verdict):
        yield f"  HINT  {known}"
    if verdict.baseline:
        for word, said in lines(uncovered(report, _blocking(verdict)), verdict.baseline):
            yield f"  {word}  {said}"
    yield from _weakened(report)
    for code in verdict.conditions:
        meaning = passed(verdict) if code is Exit.CLEAN else MEANINGS[code]
        yield f"{'exit' if code is verdict.exit else 'also'} {code:d}: {meaning}"


def _source(run: Run) -> Iterator[str]:
    """What was read, and how."""
    yield f"  tenant     {one_line(run.tenant_name or run.tenant_id)} as {one_line(run.identity)}"
    for fact in network(run):
        yield f"  network    {fact}"
    for fact in copied(run):
        yield f"  copied     {fact}"
    for part in run.filters.shown:
        yield f"  part       {one_line(part)}"


def _blocks(report: Report) -> Iterator[str]:
    """The worst blocking findings, those of one holder on one line, and in one line the number of others by policy."""
    verdict = report.verdict
    every = report.worst(_READ)
    lowest = verdict.gate.rank if verdict.gate else 0
    of_holder: dict[object, list[Finding]] = {}
    for finding in every:
        if (finding.least or finding.severity).rank >= lowest:
            of_holder.setdefault(holder_of(finding), []).append(finding)
    critical = sum(worst.severity is Severity.CRITICAL for worst, *_ in of_holder.values())
    listed_ = list(of_holder.values())[: max(MOST, critical)]
    found = [finding for same in listed_ for finding in same]
    for finding, *same in listed_:
        also = f"; also {', '.join(dict.fromkeys(each.policy.id for each in same))}" if same else ""
        said = f"{one_line(finding.policy.problem)}: {place(finding)}: {message(finding)}{also}"
        yield f"  BLOCK  {finding.policy.id} {finding.severity.upper()}  {said}"
    for finding in every[:MOST]:
        if (finding.least or finding.severity).rank < lowest:
            said = f"{one_line(finding.policy.problem)}: {place(finding)}: {message(finding)}"
            yield f"  PERHAPS  {finding.policy.id} {finding.severity.upper()}  {said}"
    counted = Counter((finding.severity, finding.policy.id) for finding in found)
    rest = [
        (severity, tally.policy.id, count)
        for severity in reversed(_blocking(verdict))
        for tally in report.tallies
        if (count := _open(verdict, tally)[severity] - _ranged(verdict, tally, severity) - counted[severity, tally.policy.id])
        > 0
    ]
    rest.sort(key=lambda each: (-each[0].rank, -each[2], each[1]))
    if others := sum(count for *_, count in rest):
        named = ", ".join(f"{name} ({count:,} {severity})" for severity, name, count in rest[:_POLICIES])
        left = rest[_POLICIES:]
        more = f" and {plural(len(left), 'more policy', 'more policies')} with {severities(_summed(left))}" if left else ""
        listed_of = f"{len(found):,} of {len(found) + others:,} are listed; --export csv=PATH writes all"
        yield f"  BLOCK  {listed_of}; not listed: {named}{more}"


def _summed(rest: Sequence[tuple[Severity, str, int]]) -> Mapping[Severity, int]:
    found: Counter[Severity] = Counter()
    for severity, _, count in rest:
        found[severity] += count
    return found


def _ranged(verdict: Verdict, tally: Tally, severity: Severity) -> int:
    """The failures of a policy that are perhaps so severe, and do not block."""
    return sum(group.count for group in verdict.reaching if (group.policy, group.severity) == (tally.policy.id, severity))


def _perhaps(verdict: Verdict) -> Iterator[str]:
    """What was not read, where it alone decides whether failures reach the gate, with their number."""
    found: Counter[str] = Counter()
    policies: dict[str, set[str]] = {}
    for group in verdict.ranged:
        why = unknown_columns(group.causes)
        found[why] += group.count
        policies.setdefault(why, set()).add(group.policy)
    for why, count in found.most_common():
        of = plural(len(policies[why]), "policy", "policies")
        yield f"  INCOMPLETE  {plural(count, 'finding')} of {of} may reach --fail-on; not read: {why}"


def _checked(report: Report) -> str:
    """How much was evaluated."""
    rows = report.run.rows
    objects, kinds = sum(rows.values()), sum(map(bool, rows.values()))
    policies = {tally.policy.id for tally in report.tallies} - {each.policy.id for each in report.verdict.not_judged}
    return f"{plural(objects, 'object')} of {plural(kinds, 'kind')} against {plural(len(policies), 'policy', 'policies')}"


def _gaps(report: Report) -> Iterator[str]:
    """The gaps, those of one reason in one line from three on; of a plan each, with what to do next."""
    alike: dict[tuple[str, Reason], list[Gap]] = {}
    for gap in report.verdict.gaps:
        kind = "GAP" if not gap.required else "ALLOWED" if gap.allowed else "INCOMPLETE"
        alike.setdefault((kind, gap.reason), []).append(gap)
    for (kind, reason), gaps in alike.items():
        together = [gaps] if len(gaps) > _ALIKE and not report.run.planned else [[gap] for gap in gaps]
        for some in together:
            names = [one_line(gap.scope.name or gap.scope.id) for gap in some]
            detail = f"; {one_line(some[0].detail, 1_000)}" if some[0].detail and len(some) == 1 else ""
            operations = list(dict.fromkeys(operation for gap in some for operation in gap.operations))
            where = f"{', '.join(names[:_NAMES])}{_more(names, 'place')}"
            missing = f": {reads(operations[:_NAMES])}{_more(operations, 'read')}" if operations else ""
            yield f"  {kind}  {where} ({reason}: {ADVICE[reason].meaning}{detail}){missing}"
            if report.run.planned and kind == "INCOMPLETE":
                yield f"  NEXT  {ADVICE[reason].remedy}; to accept it: {_accepting(some[0])}"


def _more(every: Sequence[str], noun: str) -> str:
    """The number of those that are not named."""
    return f" and {plural(len(every) - _NAMES, f'more {noun}')}" if len(every) > _NAMES else ""


def _accepting(gap: Gap) -> str:
    """The flag that accepts a gap."""
    keys = f"reason={gap.reason}"
    name = gap.scope.name or gap.scope.id
    # A comma separates keys.
    return shlex.join(("--allow-gap", keys if "," in name else f"{keys},scope={one_line(name, 1_000)}"))


def _answer(verdict: Verdict) -> str:
    """FAIL if there are blocking findings; PASS only without any other condition."""
    if Exit.FINDINGS in verdict.conditions:
        return "FAIL"
    return {Exit.CLEAN: "PASS", Exit.INCOMPLETE: "INCOMPLETE"}.get(verdict.exit, verdict.exit.name.replace("_", " "))


def _blocking(verdict: Verdict) -> tuple[Severity, ...]:
    return tuple(each for each in Severity if verdict.gate and each.rank >= verdict.gate.rank)


def _known(verdict: Verdict) -> str:
    """How many of the blocking findings the baseline has, and the flag that lets them pass; empty if none, or with the flag."""
    counts = [(verdict.known.get(each, 0), verdict.failed.get(each, 0)) for each in _blocking(verdict)]
    known, new = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
    if verdict.new_only or not known:
        return ""
    return (
        f"the baseline knows {known:,} of the {known + new:,} blocking findings; with --new-only, only the others fail the gate"
    )


def _open(verdict: Verdict, of: Verdict | Tally | None = None) -> Mapping[Severity, int]:
    """The blocking findings by severity: all, or `of` one policy."""
    some = of or verdict
    counted = (some.failed,) if verdict.new_only else (some.failed, some.known)
    return {severity: sum(counts.get(severity, 0) for counts in counted) for severity in Severity}


def _weakened(report: Report) -> Iterator[str]:
    verdict = report.verdict
    yield from _gaps(report)
    if report.run.planned:
        yield from unknown_until_applied(report)
    yield from _perhaps(verdict)
    unknown = [] if report.run.planned else [tally for tally in report.tallies if any(tally.unknown.values())]
    unknown.sort(key=lambda each: [-each.unknown.get(severity, 0) for severity in reversed(Severity)])
    for tally in unknown[:_POLICIES]:
        yield f"  UNKNOWN  {tally.policy.id}  {plural(sum(tally.unknown.values()), 'result')}: {severities(tally.unknown)}"
    if left := unknown[_POLICIES:]:
        unlisted = sum((Counter(tally.unknown) for tally in left), Counter[Severity]())
        yield f"  UNKNOWN  {plural(len(left), 'more policy', 'more policies')}: {severities(unlisted)}"
    if verdict.allowed_unknown:
        yield f"  ALLOWED  {plural(verdict.allowed_unknown, 'unknown result')}"
    yield from _known_unknown(verdict)
    for unused in verdict.unused_allowances:
        yield f"  UNUSED  --allow-gap {one_line(unused)} matched nothing"
    for line in waiver_lines(report):
        yield f"  WAIVER  {line}"
    if outlived(report):
        yield f"  OUTLIVED  {outlived(report)}"
    if verdict.not_judged:
        count = plural(len(verdict.not_judged), "policy", "policies")
        above = f" ({verdict.beyond:,} at or above --fail-on)" if verdict.gate else ""
        yield f"  NOT EVALUATED  {count}{above}, never a pass: {by_needs(verdict.not_judged)}; --export csv=PATH lists them"


def _known_unknown(verdict: Verdict) -> Iterator[str]:
    """How many unknown results the baseline holds, and whether they fail the gate; nothing if it holds none."""
    if verdict.known_unknown:
        what = "pass, for at most 30 days" if verdict.new_only else "fail the gate without --new-only"
        yield f"  KNOWN  unknown results in the baseline: {verdict.known_unknown:,}; they {what}"
