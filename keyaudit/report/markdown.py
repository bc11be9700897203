"""The report as Markdown, for a job summary, a pull request or a wiki: the headline, the findings, what was not read.

GitHub silently drops a job summary above 1 MiB, so findings beyond that are counted and not listed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from keyaudit.model.evidence import remedy as supplying
from keyaudit.model.evidence import worded
from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.reasons import ADVICE
from keyaudit.model.results.causes import SHORT
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import First, Report, Verdict
from keyaudit.model.results.tier0 import NAMED
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.findings.causes import repeated, told
from keyaudit.report.findings.first import TOP, others, owner, page, step, tier0, tier0_named
from keyaudit.report.lines import plural
from keyaudit.report.missing import extent, outlived, reads, remedy_of, waiver_lines
from keyaudit.report.resource import label
from keyaudit.report.settings import setting_lines
from keyaudit.report.summary import NO_GATE, SIMULATED, WORST_FIRST, counted, headline, severities, verdict_words, word

MOST = 900_000
"""The maximum size of a report in bytes."""

# All other punctuation has a meaning in some Markdown: mentions, links, tables, HTML. So does "www.".
_ACTS = re.compile(r"[!-&*+:<-@\[-`{-~]|(?<=www)\.", re.IGNORECASE)
_LISTED = 100
"""The number of resources that a row names."""
_NAME, _STEP = 80, 300
"""The maximum lengths of an owner and of a first step."""
_NOTICE = 200
"""The bytes reserved for the note that there is more."""


def write(report: Report, out: BinaryIO) -> None:
    """Write it: at most `MOST` bytes."""
    # Gaps are limited, so that findings have room.
    taken = _fill(out, _head(report), MOST // 2)
    _fill(out, chain(_first(report), _findings(report)), MOST - taken)


def _fill(out: BinaryIO, lines: Iterable[str], room: int) -> int:
    """Write the lines that fit, and the number of others. Returns the written bytes."""
    taken = left_out = 0
    for line in lines:
        data = f"{line}\n".encode()
        if left_out or taken + len(data) > room - _NOTICE:
            left_out += 1
        else:
            taken += out.write(data)
    if left_out:
        taken += out.write(f"\n{plural(left_out, 'more line')} left out; keyaudit export csv has all.\n".encode())
    return taken


def safe(text: str) -> str:
    """Text that every Markdown renderer shows literally."""
    return _ACTS.sub(lambda mark: f"&#{ord(mark[0])};", one_line(text, 1_000))


def _head(report: Report) -> Iterator[str]:
    run, verdict = report.run, report.verdict
    # Counts and our own words need no escaping.
    yield f"# keyaudit: {_title(verdict)}"
    yield ""
    yield f"**{headline(report)}**"
    yield ""
    if run.simulated:
        yield f"**{SIMULATED}**"
        yield ""
    yield f"{safe(run.tenant_name or run.tenant_id)}, as {safe(run.identity)}. {counted(report)}"
    yield ""
    if run.filters.shown:
        yield f"Not the whole tenant: {safe('; '.join(run.filters.shown))}."
        yield ""
    if not verdict.expected:
        yield f"{safe(RELATIVE.capitalize())}."
        yield ""
    yield from _table(
        ("severity", "open", "known", "waived", "unknown"),
        (
            (
                severity,
                *(str(counts.get(severity, 0)) for counts in (verdict.failed, verdict.known, verdict.waived, verdict.unknown)),
            )
            for severity in WORST_FIRST
        ),
    )
    if verdict.gaps:
        yield "\n## Not read\n"
        yield from _table(
            ("where", "why", "not read", "fix", "required"),
            (
                (
                    safe(gap.scope.name or gap.scope.id),
                    safe(f"{gap.reason}: {ADVICE[gap.reason].meaning}"),
                    safe(reads(gap.operations)),
                    safe(remedy_of(gap)),
                    "yes, and accepted" if gap.allowed else "yes" if gap.required else "no, no selected policy needs it",
                )
                for gap in verdict.gaps
            ),
        )
    if verdict.not_judged:
        yield "\n## Policies not evaluated\n"
        yield from _table(
            ("problem", "needs", "how", "policy"),
            (
                (safe(each.policy.problem), safe(worded(each.needs)), safe(supplying(each.needs)), f"`{each.policy.id}`")
                for each in verdict.not_judged
            ),
        )
    settled = setting_lines(report.settings)
    if settled:
        yield "\n## Settings in force\n"
        yield from (f"- {safe(line)}" for line in settled)
    notes = [*waiver_lines(report), *([outlived(report)] if outlived(report) else [])]
    if notes:
        yield "\n## Exceptions\n"
        yield from (f"- {safe(line)}" for line in notes)


def _first(report: Report) -> Iterator[str]:
    """The first page: its causes, then the number of others, and tier 0."""
    shown = page(report, TOP)
    if shown.rows:
        yield "\n## What to do first\n"
        yield from _table(("severity", "resource", "finding", "owner", "first step", "id"), map(_first_row, shown.rows))
    for said in filter(None, (others(shown.rest) if shown.rows else "", tier0(report))):
        yield f"\n{safe(said)}."
    named = list(tier0_named(report, NAMED))
    if named:
        yield ""
        yield from (f"- {safe(each)}" for each in named)


def _first_row(first: First) -> Sequence[str]:
    finding = first.finding
    more = f" and {first.times - 1:,} more" if first.times > 1 else ""
    return (
        word(finding).lower(),
        safe(f"{label(Facts.of(finding))}{more}"),
        safe(told(finding)),
        safe(owner(first, _NAME).removeprefix("owner ")),
        safe(step(finding, _STEP)),
        f"`{finding.id[:SHORT]}`",
    )


def _findings(report: Report) -> Iterator[str]:
    """A row for each cause. Findings on the row of its head are told with it; causes that are alike share a row."""
    rows = _rows(report)
    first = next(rows, None)
    if first is not None:
        yield "\n## Findings\n"
        yield from _table(("severity", "problem", "resource", "finding", "policy"), chain([first], rows))


def _rows(report: Report) -> Iterator[Sequence[str]]:
    names = _names(report)
    for finding in report.findings(False):
        if finding.outcome is Outcome.WAIVED or finding.beside_head:
            continue
        if not repeated(report, finding):
            yield _row(finding, ())
        elif finding.alike in names:
            yield _row(finding, names.pop(finding.alike))


def _names(report: Report) -> dict[tuple[str, str, str], Sequence[str]]:
    """The resources of causes that many resources have: the first `_LISTED` of each by name, and the number of others."""
    counts = report.causes().repeated
    found: dict[tuple[str, str, str], list[str]] = {alike: [] for alike in counts}
    for finding in report.findings(False) if counts else ():
        if repeated(report, finding) and len(found[finding.alike]) < _LISTED:
            found[finding.alike].append(label(Facts.of(finding)))
    return {
        alike: [*names, *([f"and {counts[alike] - len(names):,} more"] if counts[alike] > len(names) else [])]
        for alike, names in found.items()
    }


def _row(finding: Finding, names: Sequence[str]) -> Sequence[str]:
    """`names`: of every resource that has the same cause, if there are many."""
    return (
        word(finding).lower(),
        safe(finding.policy.problem),
        "<br>".join(map(safe, names)) if names else safe(label(Facts.of(finding))),
        safe(told(finding)),
        f"`{finding.policy.id}`",
    )


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heading)} |"
    yield f"|{' --- |' * len(heading)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _title(verdict: Verdict) -> str:
    """ "376 open findings (26 critical, 118 high)", "no open findings; incomplete"."""
    count = sum(verdict.failed.values())
    said = f"{plural(count, 'open finding')} ({severities(verdict.failed)})" if count else f"no open findings{extent(verdict)}"
    words = verdict_words(verdict)
    if verdict.gate:
        words = f"gate {words} at {verdict.gate}"
    return said if words == NO_GATE else f"{said}; {words}"
