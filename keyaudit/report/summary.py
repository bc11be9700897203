"""The header and footer of reports for people: tenant, amount of data, and results."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from keyaudit.model.coverage import ScopeKind, State
from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.evidence import worded
from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.reasons import unknown_columns
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Report, Run, Verdict
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.lines import Paint, columns, listed, paint, parted, plural, wrap
from keyaudit.report.missing import accepted, extent, incomplete, not_judged, not_needed, outlived, unsafe, waivers
from keyaudit.report.settings import settings

SIMULATED = "SIMULATED TENANT: nothing here exists in Azure"
NO_GATE = "no gate evaluated"
WORST_FIRST = tuple(reversed(Severity))
_NETWORK = {"ca_file": "CA file", "no_proxy": "no proxy for"}
_FILTERS = 500
_OF_VAULTS = frozenset({"vault", "key", "certificate", "secret"})
MESSAGE = 1_000
"""The maximum length of a message for people."""


def header(run: Run, verdict: Verdict, width: int, colour: bool, *, brief: bool = False) -> list[str]:
    """The header: tenant, identity, time and network; if `brief`, what was read instead of the identity, and not what is so in
    nearly every run.
    """
    as_of = f"as of {times.iso_time(run.as_of)}"
    facts = [one_line(run.tenant_name or run.tenant_id), *_subscriptions(verdict)]
    facts += [f"{as_of[:-4]}Z", reads_done(verdict)] if brief else [f"as {one_line(run.identity)}"]
    if brief and verdict.not_judged:
        facts.append(not_evaluated(verdict).partition(" (")[0])
    notes = [
        *(() if brief else (as_of,)),
        *(() if brief and not run.skew else network(run)),
        *copied(run),
        *(f"{name} as supplied" for name in sorted(run.evidence)),
    ]
    if run.filters.shown:
        notes.append(f"not the whole tenant: {one_line('; '.join(run.filters.shown), _FILTERS)}")
    if not verdict.expected and not brief:
        notes.append(RELATIVE)
    if run.environment != "public":
        notes.insert(0, f"cloud: {one_line(run.environment)}")
    return [
        *([paint(SIMULATED, Paint.BOLD, colour)] if run.simulated else []),
        *_packed(facts, width),
        *(wrap("; ".join(notes), width, rest="    ") if notes else ()),
    ]


def _packed(facts: Sequence[str], width: int) -> Iterator[str]:
    """The facts, as many on a line as fit."""
    line = ""
    for fact in facts:
        beside = f"{line}  |  {fact}" if line else fact
        if line and columns(beside) > width:
            yield line
            beside = fact
        line = beside
        if columns(line) > width:
            *full, line = wrap(line, width, rest="    ")
            yield from full
    yield line


def copied(run: Run) -> Iterator[str]:
    """Of how many objects earlier runs read the certificates, and when, if any were copied."""
    if run.copied is not None:
        many = plural(run.copied.objects, "application")
        oldest = times.iso_date(run.copied.oldest)
        yield f"certificates of {many} copied from earlier runs, the oldest read on {oldest}"


def network(run: Run) -> Iterator[str]:
    """The clock skew, the proxy and the CA file, if known."""
    if run.skew is not None:
        apart = f"{abs(run.skew):,} s {'ahead of' if run.skew > 0 else 'behind'} Azure"
        yield f"clock: {apart if run.skew else 'in sync with Azure'}"
    for name, value in sorted(run.network.items()):
        yield f"{_NETWORK.get(name, one_line(name))} {one_line(value)}"


def verdict_words(verdict: Verdict) -> str:
    """The verdict in words; without a gate nothing is decided, even with open findings."""
    if Exit.FINDINGS in verdict.conditions:
        return "failed"
    match verdict.exit:
        case Exit.CLEAN:
            return "passed" if verdict.gate else NO_GATE
        case Exit.INCOMPLETE:
            return "incomplete"
        case Exit.UNSAFE:
            return "refused for safety"
        case _:
            return "nothing assessed"


def headline(report: Report) -> str:
    """The headline: open findings, reads, unknown results, and policies that were not evaluated, with their reasons."""
    verdict = report.verdict
    said = [open_findings(report), reads_done(verdict), *unknown_results(verdict), not_evaluated(verdict)]
    return f"{'; '.join(filter(None, said))}."


def unknown_results(verdict: Verdict) -> Iterator[str]:
    """ "1 result unknown"; nothing without one."""
    unknown = sum(verdict.unknown.values())
    if unknown:
        yield f"{plural(unknown, 'result')} unknown"


def open_findings(report: Report) -> str:
    """ "320 causes, 425 open findings: 26 critical, 119 high", "No open findings"."""
    failed = report.verdict.failed
    count = sum(failed.values())
    if not count:
        return f"No open findings{extent(report.verdict)}"
    return f"{plural(report.causes().count, 'cause')}, {plural(count, 'open finding')}: {severities(failed)}"


def reads_done(verdict: Verdict) -> str:
    """ "253 of 253 required reads done"."""
    return f"{verdict.assessed:,} of {verdict.required:,} required reads done"


def not_evaluated(verdict: Verdict) -> str:
    """ "22 policies not evaluated (15 need logs, 3 need custody)"; empty where all were."""
    if not verdict.not_judged:
        return ""
    needs = Counter(need for each in verdict.not_judged for need in each.needs)
    told = ", ".join(f"{count:,} {'needs' if count == 1 else 'need'} {worded((need,))}" for need, count in needs.most_common())
    return f"{plural(len(verdict.not_judged), 'policy', 'policies')} not evaluated ({told})"


def word(finding: Finding) -> str:
    """The severity of a failure, otherwise the outcome."""
    return (finding.severity if finding.outcome is Outcome.FAIL else finding.outcome).upper()


def message(finding: Finding) -> str:
    """The message of a finding, safe for one line. An unknown one says what could not be read, and why."""
    if finding.waiver is not None:
        waiver = finding.waiver
        return one_line(f"{finding.message} (waiver {waiver.id} of {waiver.owner}, to {waiver.last_day})", MESSAGE)
    if finding.message:
        known = " (known)" if finding.known else ""
        return one_line(f"{finding.message}{known}", MESSAGE)
    return one_line(_why_unknown(finding) if finding.outcome is Outcome.UNKNOWN else finding.policy.title, MESSAGE)


def footer(report: Report, width: int, colour: bool, *, hints: bool = True, full: bool = True, ids: bool = False) -> list[str]:
    """The footer: counts, limitations, then the verdict; with `hints`, next commands. `ids`: findings begin with theirs."""
    return parted(
        wrap(counted(report), width),
        [line for said in _empty(report) for line in wrap(said, width)],
        _settings(report, width),
        not_judged(report.verdict, width, full=full),
        accepted(report.verdict, width),
        waivers(report, width),
        wrap(outlived(report), width) if outlived(report) else [],
        not_needed(report.verdict, width),
        incomplete(report.verdict, width, colour),
        unsafe(report.verdict, width, colour),
        outcome(report, width, colour),
        _next(report, width, ids=ids) if hints else [],
    )


def _settings(report: Report, width: int) -> list[str]:
    lines = settings(report, width - 2)
    return (
        [*wrap("Evaluated with settings other than the policies' own:", width), *(f"  {line}" for line in lines)]
        if lines
        else []
    )


def looked(report: Report) -> str:
    """The number of evaluated rows and policies."""
    policies = {tally.policy.id for tally in report.tallies} - {each.policy.id for each in report.verdict.not_judged}
    return f"{listed(_denominators(report)) or 'nothing'} against {plural(len(policies), 'policy', 'policies')}"


def results(report: Report) -> str:
    """The results other than failures."""
    verdict = report.verdict
    unknown = sum(verdict.unknown.values())
    excused = [f"{sum(verdict.known.values()):,} known"] if any(verdict.known.values()) else []
    if any(verdict.waived.values()):
        ends = min((use.waiver.last_day for use in verdict.waivers if use.count and not use.waiver.covers_coverage), default="")
        excused.append(f"{sum(verdict.waived.values()):,} waived{f' (the next waiver ends {ends})' if ends else ''}")
    others = (f"{unknown:,} unknown", f"{verdict.passed:,} passed", f"{verdict.not_applicable:,} not applicable")
    return ", ".join([*excused, *others])


def counted(report: Report) -> str:
    """The evaluated rows and the results, as a sentence."""
    of = f", in {plural(report.causes().count, 'cause')}" if any(report.verdict.failed.values()) else ""
    return f"Checked {looked(report)}: {_failures(report.verdict)}{of}; {results(report)}."


def _failures(verdict: Verdict) -> str:
    """The failures, or why there are none, which differs if nothing was evaluated."""
    if any(verdict.failed.values()):
        return severities(verdict.failed)
    unknown, waived = any(verdict.unknown.values()), sum(verdict.waived.values())
    if any(verdict.known.values()):
        return f"nothing new{extent(verdict)}"
    if not (verdict.passed or waived or unknown):
        return "nothing to judge"
    if not verdict.complete or unknown:
        return "no failures in what was read"
    said = f"nothing open, since {plural(waived, 'finding is', 'findings are')} waived" if waived else "no findings"
    return f"{said}{extent(verdict)}"


def _empty(report: Report) -> Iterator[str]:
    """Why nothing was evaluated, if so."""
    verdict, run = report.verdict, report.run
    if not report.tallies or all(not (tally.rows or tally.not_applicable) for tally in report.tallies):
        without = len({each.policy.id for each in verdict.not_judged})
        idle = len({tally.policy.id for tally in report.tallies} - {each.policy.id for each in verdict.not_judged})
        of = plural(without + idle, "policy", "policies")
        yield f"Nothing was evaluated: of {of}, {idle:,} had nothing to evaluate, and {without:,} lacked evidence."
    if any(tally.policy.table in _OF_VAULTS for tally in report.tallies) and not run.rows.get("vault", 0):
        where = _subscriptions(verdict)
        lists = [record.state for record in verdict.coverage if record.operation in TABLES["vault"].listed_by]
        if set(lists) == {State.ASSESSED}:
            yield f"No vault was found{f' in {where[0]}' if where else ''}, as far as this identity can see."
        else:
            yield "It is unknown whether there are vaults: not every list of them was read."


def severities(counts: Mapping[Severity, int], *, zeros: bool = False) -> str:
    """ "1 critical, 3 high": worst first, those that did not occur only if asked for."""
    shown = [f"{counts.get(each, 0):,} {each}" for each in WORST_FIRST if zeros or counts.get(each, 0)]
    return ", ".join(shown) or "none"


def outcome(report: Report, width: int, colour: bool) -> list[str]:
    """The verdict, with every condition."""
    verdict = report.verdict
    but = " except for accepted gaps" if any(gap.allowed for gap in verdict.gaps) or verdict.allowed_unknown else ""
    decided = NO_GATE if verdict.gate is None else f"nothing open at {verdict.gate} or above"
    return ended(verdict, width, colour, but, f"; {decided}")


def _next(report: Report, width: int, *, ids: bool) -> list[str]:
    """The next command."""
    worst, instead = _worst(report), "; with the six digits of a finding, it shows the fix" if ids else ""
    return wrap(f"Next: keyaudit explain {worst}{instead}", width) if worst else []


def ended(verdict: Verdict, width: int, colour: bool, but: str = "", decided: str = "", *, meaning: str = "") -> list[str]:
    """How many required reads were done, and the exit code, with every condition; `meaning`: of the code, if not the usual."""
    read = reads_done(verdict)
    if verdict.exit is Exit.CLEAN and not meaning:
        whole = "Complete for the selected part" if verdict.part else "Complete"
        return wrap(f"{whole}{but}: {read}, as far as this identity can see{decided}.", width)
    lines = wrap(f"Exit {verdict.exit:d}: {meaning or MEANINGS[verdict.exit]} ({read}).", width)
    lines = [paint(line, Paint.BOLD, colour) for line in lines]
    for also in verdict.conditions[1:]:
        lines += wrap(f"Also {also:d}: {MEANINGS[also]}.", width)
    return lines


def closing(verdict: Verdict, width: int, colour: bool) -> Iterator[list[str]]:
    """The blocks at the end of an answer for people: what could not be read, and how it ended."""
    yield incomplete(verdict, width, colour)
    yield unsafe(verdict, width, colour)
    yield ended(verdict, width, colour)


def _worst(report: Report) -> str:
    """The policy with the most severe failures, and the most of them."""
    failing = [tally for tally in report.tallies if any(tally.failed.values())]
    if not failing:
        return ""
    return max(failing, key=lambda tally: ([tally.failed.get(each, 0) for each in WORST_FIRST], tally.policy.id)).policy.id


def _why_unknown(finding: Finding) -> str:
    why = unknown_columns(dict(sorted((finding.unknown or Facts.of(finding).unknown).items())))
    return f"unknown: {why or 'nothing of it could be read'}"


def _subscriptions(verdict: Verdict) -> list[str]:
    """The number of subscriptions; "at least" if their list is incomplete."""
    found = {record.scope.id for record in verdict.coverage if record.scope.kind is ScopeKind.SUBSCRIPTION}
    lists = [record for record in verdict.coverage if record.operation == "subscription.list"]
    if not found and not lists:
        return []
    whole = all(record.state is State.ASSESSED for record in lists)
    count = len(found) or sum(record.kept for record in lists)
    return [f"{'' if whole and lists else 'at least '}{plural(count, 'subscription')}"]


def _denominators(report: Report) -> list[str]:
    """The number of rows of each evaluated table; "at least" if one of its lists is incomplete."""
    unread = {record.operation for record in report.verdict.coverage if record.state is not State.ASSESSED}
    judged = {tally.policy.table for tally in report.tallies}
    shown = []
    for table in (TABLES[name] for name in TABLES if name in judged):
        least = "at least " if unread & set(table.listed_by) else ""
        shown.append(f"{least}{plural(report.run.rows.get(table.name, 0), table.noun, table.plural)}")
    return shown
