"""The top of the page, to be read in ten seconds, and the facts about the run at its end."""

import hashlib
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.results.run import Report, Verdict
from keyaudit.model.severity import Severity
from keyaudit.model.values import times
from keyaudit.report.html.first import FirstPage, first_page
from keyaudit.report.lines import plural
from keyaudit.report.missing import extent
from keyaudit.report.summary import WORST_FIRST, copied, looked, network, not_evaluated, open_findings, reads_done, results


class Tone(StrEnum):
    """The colour of the answer, in addition to its word."""

    GOOD = "good"
    BAD = "bad"
    DOUBT = "doubt"
    PLAIN = "plain"


class Fact(Struct, frozen=True):
    """A line of the table of facts."""

    name: str
    value: str
    exact: bool = False
    """Whether it is an id or digest, shown in a monospaced font."""


class Tile(Struct, frozen=True):
    """A severity with its number of open, known, waived and unknown findings."""

    severity: Severity
    open: int
    excused: str


class Band(Struct, frozen=True, kw_only=True):
    """The answer."""

    word: str
    tone: Tone
    headline: str
    also: tuple[str, ...]
    """Further conditions."""
    facts: tuple[Fact, ...]
    tiles: tuple[Tile, ...]
    unjudged: str
    """The number of policies that were not evaluated, and what they need; empty if all were."""
    counted: str
    first: FirstPage


def band(report: Report) -> Band:
    """The top of the page of a report."""
    word, tone, headline = _answer(report.verdict)
    return Band(
        word=word,
        tone=tone,
        headline=headline,
        also=tuple(_also(report)),
        facts=tuple(_facts(report)),
        tiles=tuple(_tile(report.verdict, severity) for severity in WORST_FIRST),
        unjudged=not_evaluated(report.verdict),
        counted=f"Checked {looked(report)}; {results(report)}.",
        first=first_page(report),
    )


def policies_digest(report: Report) -> str:
    """One SHA-256 over the digests of all selected policies."""
    found = {tally.policy.id: tally.policy.digest for tally in report.tallies}
    found |= {each.policy.id: each.policy.digest for each in report.verdict.not_judged}
    return hashlib.sha256("".join(f"{name} {found[name]}\n" for name in sorted(found)).encode()).hexdigest()


def _answer(verdict: Verdict) -> tuple[str, Tone, str]:
    match verdict.exit:
        case Exit.FINDINGS:
            at = sum(verdict.failed.get(each, 0) for each in WORST_FIRST if verdict.gate and each.rank >= verdict.gate.rank)
            return "GATE FAILED", Tone.BAD, f"{plural(at, 'open finding')} at {verdict.gate} or above"
        case Exit.INCOMPLETE:
            return "INCOMPLETE", Tone.DOUBT, _incomplete(verdict)
        case Exit.CLEAN if verdict.gate:
            return "GATE PASSED", Tone.GOOD, f"No open findings at {verdict.gate} or above{extent(verdict)}"
        case Exit.CLEAN:
            grave = any(verdict.failed.get(each) for each in (Severity.CRITICAL, Severity.HIGH))
            return "REPORT (no gate)", Tone.BAD if grave else Tone.PLAIN, _open(verdict)
        case Exit.UNSAFE:
            return "REFUSED FOR SAFETY", Tone.BAD, "A response pointed across a security boundary; no token was sent there"
        case other:
            return "NOTHING ASSESSED", Tone.DOUBT, _sentence(MEANINGS[other])


def _open(verdict: Verdict) -> str:
    """ "26 critical findings open", "No open findings; 22 policies not evaluated"."""
    worst = next((each for each in WORST_FIRST if verdict.failed.get(each)), None)
    if worst is None:
        return "; ".join(filter(None, (f"No open findings{extent(verdict)}", _without(verdict))))
    return f"{plural(verdict.failed[worst], f'{worst} finding')} open"


def _without(verdict: Verdict) -> str:
    """ "22 policies not evaluated"; empty if all were."""
    count = len(verdict.not_judged)
    return f"{plural(count, 'policy', 'policies')} not evaluated" if count else ""


def _incomplete(verdict: Verdict) -> str:
    missing = verdict.required - verdict.assessed
    unknown = sum(verdict.unknown.values()) - verdict.allowed_unknown
    parts = [f"{missing:,} of {verdict.required:,} required reads not done"] if missing else []
    parts += [plural(unknown, "unknown result")] if unknown else []
    return f"Results are incomplete: {' and '.join(parts) or MEANINGS[Exit.INCOMPLETE]}"


def _also(report: Report) -> Iterator[str]:
    verdict = report.verdict
    yield f"{open_findings(report)}; {reads_done(verdict)}."
    for code in verdict.conditions[1:]:
        yield _sentence(f"also {MEANINGS[code]}") + "."
    if any(gap.allowed for gap in verdict.gaps) or verdict.allowed_unknown:
        gaps = plural(sum(gap.allowed for gap in verdict.gaps), "gap")
        yield f"{gaps} and {plural(verdict.allowed_unknown, 'unknown result')} were accepted and do not count."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _facts(report: Report) -> Iterator[Fact]:
    run, verdict = report.run, report.verdict
    yield Fact("Tenant", run.tenant_name or run.tenant_id)
    yield Fact("Tenant id", run.tenant_id, exact=True)
    yield Fact("Cloud", "Azure public cloud" if run.environment == "public" else run.environment)
    yield Fact("Scope", f"not the whole tenant: {'; '.join(run.filters.shown)}" if run.filters.shown else "the whole tenant")
    yield Fact("Read by", run.identity)
    yield Fact("As of", times.iso_time(run.as_of))
    share = "" if not verdict.required else f" ({verdict.assessed * 100 // verdict.required} %)"
    yield Fact("Coverage", f"{verdict.assessed:,} of {verdict.required:,} required reads{share}")
    if not verdict.expected:
        yield Fact("Completeness", RELATIVE)
    yield Fact("Policies", f"{plural(len(_judged(report)), 'policy', 'policies')}, profile {report.settings.profile}")
    yield Fact("Policy digest", policies_digest(report)[:16], exact=True)
    for text in network(run):
        yield Fact("Network", text)
    for text in copied(run):
        yield Fact("Copied", text)
    if run.evidence:
        yield Fact("Supplied", ", ".join(sorted(run.evidence)))
    yield Fact("Made by", f"keyaudit {run.tool_version}")
    yield Fact("Run", run.run_id, exact=True)


def _judged(report: Report) -> set[str]:
    return {tally.policy.id for tally in report.tallies} - {each.policy.id for each in report.verdict.not_judged}


def _tile(verdict: Verdict, severity: Severity) -> Tile:
    excused = [
        f"{counts[severity]:,} {word}"
        for word, counts in (("known", verdict.known), ("waived", verdict.waived), ("unknown", verdict.unknown))
        if counts.get(severity)
    ]
    return Tile(severity, verdict.failed.get(severity, 0), ", ".join(excused))
