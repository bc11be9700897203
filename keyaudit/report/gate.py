"""The gate's summary for a pipeline's log: one record per line, never wrapped, the exit code last."""

import shlex
from collections.abc import Iterator, Mapping
from typing import TextIO

from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.expectations import RELATIVE
from keyaudit.model.findings import Finding, Tally
from keyaudit.model.reasons import ADVICE
from keyaudit.model.run import Gap, Report, Run, Verdict
from keyaudit.model.severity import Severity
from keyaudit.model.text import one_line
from keyaudit.report.lines import plural
from keyaudit.report.missing import by_needs, outlived, reads, waiver_lines
from keyaudit.report.plan import place, unknown_until_applied
from keyaudit.report.settings import setting_lines
from keyaudit.report.summary import SIMULATED, copied, looked, message, network, results, severities, verdict_words
from keyaudit.report.versions import lines, uncovered

MOST = 20
"""The maximum number of listed findings."""


def render_gate(report: Report, out: TextIO) -> None:
    """Write the verdict, the blocking findings, and below them everything that limits the verdict."""
    out.writelines(f"{line}\n" for line in _lines(report))


def passed(verdict: Verdict) -> str:
    """What exit code 0 means, with or without a gate."""
    what = "the part that was asked for" if verdict.part else "everything required"
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
    yield f"  checked    {looked(report)}"
    yield f"  open       {severities(_open(verdict), zeros=True)}"
    yield f"  others     {results(report)}"
    yield f"  blocking   {sum(_open(verdict)[each] for each in _blocking(verdict)):,}"
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
    """The worst blocking findings by policy, and the number of others."""
    verdict = report.verdict
    found = report.worst(MOST)
    shown: dict[str, list[Finding]] = {}
    for finding in found:
        shown.setdefault(finding.policy.id, []).append(finding)
    blocking = _blocking(verdict)
    counts = {tally.policy.id: sum(_open(verdict, tally)[each] for each in blocking) for tally in report.tallies}
    rest = {name: count - len(shown.get(name, ())) for name, count in counts.items()}
    # The worst first; among unlisted ones, the most frequent.
    for name in (*shown, *sorted(rest.keys() - shown.keys(), key=lambda name: (-rest[name], name))):
        for finding in shown.get(name, ()):
            where = place(finding)
            yield f"  BLOCK  {name} {finding.severity.upper()}  {one_line(finding.policy.problem)}: {where}: {message(finding)}"
        if rest.get(name):
            yield f"  BLOCK  {name}  {rest[name]:,} {'more' if name in shown else 'not listed'}"
    every = sum(counts.values())
    if len(found) < every:
        yield f"  BLOCK  {len(found):,} of {every:,} are listed; the same command with --export csv=PATH writes all"


def _gaps(report: Report) -> Iterator[str]:
    """Each gap, and for a plan what to do next."""
    for gap in report.verdict.gaps:
        kind = "GAP" if not gap.required else "ALLOWED" if gap.allowed else "INCOMPLETE"
        what = f": {reads(gap.operations)}" if gap.operations else ""
        name = one_line(gap.scope.name or gap.scope.id)
        detail = f"; {one_line(gap.detail, 1_000)}" if gap.detail else ""
        yield f"  {kind}  {name} ({gap.reason}: {ADVICE[gap.reason].meaning}{detail}){what}"
        if report.run.planned and kind == "INCOMPLETE":
            yield f"  NEXT  {ADVICE[gap.reason].remedy}; to accept it: {_accepting(gap)}"


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
        f"the baseline knows {known:,} of the {known + new:,} blocking findings; with --new-only only the others fail the gate"
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
    for tally in () if report.run.planned else report.tallies:
        unknown = sum(tally.unknown.values())
        if unknown:
            yield f"  UNKNOWN  {tally.policy.id}  {plural(unknown, 'result')}: {severities(tally.unknown)}"
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
        what = "pass, for 30 days at most" if verdict.new_only else "fail the gate without --new-only"
        yield f"  KNOWN  unknown results that the baseline holds: {verdict.known_unknown:,}; they {what}"
