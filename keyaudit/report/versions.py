"""What is open and not in the baseline: how much of it may be, or certainly is, by another version of policies."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from keyaudit import __version__
from keyaudit.model.gating.baseline import Baseline, Known, Origin, Rule
from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.model.values.text import one_line

_MOST = 5
"""The number of policies that a line names."""

Counts = Mapping[Origin, Counter[str]]
"""By origin, the number of findings by policy."""


def rules(report: Report) -> dict[str, Rule]:
    """The rules of the policies that were evaluated."""
    without = {each.policy.id for each in report.verdict.not_judged}
    return {each.text.id: Rule(rule=each.rule, limits=each.limits) for each in report.policies if each.text.id not in without}


def uncovered(report: Report, severities: Collection[Severity] = tuple(Severity)) -> Counts:
    """The open findings that the baseline does not cover, by what can have changed them. Without a baseline there are none, and
    of a plan neither: its baseline is the tenant without it, by the same policies, so that the plan makes all of them.

    The origin of findings is certain where the run is that of the baseline, or the report has the failures of that run.
    """
    baseline = report.verdict.baseline
    if baseline is None or report.run.planned:
        return {}
    if report.then is not None:
        return _compared(report, report.then, severities)
    now = rules(report)
    found: dict[Origin, Counter[str]] = {}
    for tally in report.tallies:
        count = sum(tally.failed.get(severity, 0) for severity in severities)
        if count:
            same_rows = baseline.run_id == report.run.run_id
            origin = Origin.VERSION if same_rows else baseline.origin(tally.policy.id, now.get(tally.policy.id))
            found.setdefault(origin, Counter())[tally.policy.id] += count
    return found


def _compared(report: Report, then: Mapping[tuple[str, str], Severity], severities: Collection[Severity]) -> Counts:
    found: dict[Origin, Counter[str]] = {}
    for finding in report.findings(False):
        if finding.outcome is Outcome.FAIL and not finding.known and finding.severity in severities:
            before = then.get((finding.policy.id, finding.subject))
            alike = before is not None and before.rank >= finding.severity.rank
            origin = Origin.VERSION if alike else Origin.TENANT
            found.setdefault(origin, Counter())[finding.policy.id] += 1
    return found


def replaced(before: Baseline, after: Baseline) -> tuple[Counts, Counts]:
    """What is new or raised in a baseline that replaces another one, and what it lacks, by what can have changed it."""
    new = [entry for entry in after.entries if _raised(before.entry(entry.policy, entry.subject), entry)]
    gone = [entry for entry in before.entries if after.entry(entry.policy, entry.subject) is None]
    return _origins(before, after, new), _origins(before, after, gone)


def _raised(old: Known | None, entry: Known) -> bool:
    return old is None or old.severity.rank < entry.severity.rank


def _origins(before: Baseline, after: Baseline, entries: Sequence[Known]) -> Counts:
    found: dict[Origin, Counter[str]] = {}
    for entry in entries:
        same_rows = before.run_id == after.run_id
        origin = Origin.VERSION if same_rows else before.origin(entry.policy, after.rules.get(entry.policy))
        found.setdefault(origin, Counter())[entry.policy] += 1
    return found


def lines(counts: Counts, baseline: Baseline) -> Iterator[tuple[str, str]]:
    """A word and a sentence for each origin."""
    for origin in Origin:
        if counts.get(origin):
            word, words = _WORDS[origin]
            text = f"{counts[origin].total():,} {words}"
            if origin is Origin.SAME and baseline.tool_version != __version__:
                text += f", or keyaudit {one_line(baseline.tool_version)} read or derived something else"
            yield word, f"{text}: {_named(counts[origin])}"
    if counts.keys() & _UNCERTAIN:
        yield "HINT", "add --since with the snapshot that the baseline was created of, to tell for certain"


_WORDS: Mapping[Origin, tuple[str, str]] = {
    Origin.VERSION: ("VERSION", "changed by policy version, settings or date, not by the tenant"),
    Origin.NOT_EVALUATED: ("VERSION", "of policies that were evaluated only once, because of another version or selection"),
    Origin.RULE: ("VERSION", "may have changed by policy version: the rule is another one"),
    Origin.LIMITS: ("SETTINGS", "may have changed by settings: the limits are other ones"),
    Origin.SAME: ("SAME", "of policies with the same rule and limits: the tenant changed, or time passed"),
    Origin.TENANT: ("TENANT", "changed by the tenant, because time passed, or because they were not readable then"),
    Origin.NOT_RECORDED: ("UNRECORDED", "cannot be told apart: the baseline does not say which policies it was created with"),
}
_UNCERTAIN = frozenset({Origin.NOT_EVALUATED, Origin.RULE, Origin.LIMITS, Origin.NOT_RECORDED})


def _named(counts: Counter[str]) -> str:
    """Policies with their numbers, the most frequent first."""
    order = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    named = ", ".join(f"{one_line(policy)} ({count:,})" for policy, count in order[:_MOST])
    return f"{named} and {len(order) - _MOST:,} more policies" if len(order) > _MOST else named
