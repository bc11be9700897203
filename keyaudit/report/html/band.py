"""What the top of the page says, to be read in ten seconds: the answer, whose tenant, and how much of it was seen."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from keyaudit.model import times
from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.expectations import RELATIVE
from keyaudit.model.findings import PolicyText, Severity
from keyaudit.model.run import Report, Verdict
from keyaudit.report.html.findings import Findings
from keyaudit.report.lines import plural
from keyaudit.report.summary import WORST_FIRST, looked, network, results

_FIRST = 5


class Tone(StrEnum):
    """How the answer is coloured; its word says the same."""

    GOOD = "good"
    BAD = "bad"
    DOUBT = "doubt"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the table that says what the page is about."""

    name: str
    value: str
    exact: bool = False
    """An id or digest, to be compared letter by letter."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A severity with what is open, and what is excused."""

    severity: Severity
    open: int
    excused: str


@dataclass(frozen=True, slots=True)
class First:
    """A policy that fails, among the gravest."""

    severity: Severity
    policy: PolicyText
    count: int
    example: str
    """One of its failures, in words; empty where none is listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The answer."""

    word: str
    tone: Tone
    headline: str
    also: tuple[str, ...]
    """What else held."""
    facts: tuple[Fact, ...]
    tiles: tuple[Tile, ...]
    counted: str
    first: tuple[First, ...]


def band(report: Report, found: Findings) -> Band:
    """What the page begins with."""
    word, tone, headline = _answer(report.verdict)
    return Band(
        word=word,
        tone=tone,
        headline=headline,
        also=tuple(_also(report.verdict)),
        facts=tuple(_facts(report)),
        tiles=tuple(_tile(report.verdict, severity) for severity in WORST_FIRST),
        counted=f"Checked {looked(report)}; {results(report)}.",
        first=tuple(_first(found)),
    )


def policies_digest(report: Report) -> str:
    """One SHA-256 over the digests of all policies that were selected."""
    found = {tally.policy.id: tally.policy.digest for tally in report.tallies}
    found |= {each.policy.id: each.policy.digest for each in report.verdict.not_judged}
    return hashlib.sha256("".join(f"{name} {found[name]}\n" for name in sorted(found)).encode()).hexdigest()


def _answer(verdict: Verdict) -> tuple[str, Tone, str]:
    match verdict.exit:
        case Exit.FINDINGS:
            at = sum(verdict.failed.get(each, 0) for each in WORST_FIRST if verdict.gate and each.rank >= verdict.gate.rank)
            return "FAIL", Tone.BAD, f"{plural(at, 'open finding')} at {verdict.gate} or above"
        case Exit.INCOMPLETE:
            return "INCOMPLETE", Tone.DOUBT, _incomplete(verdict)
        case Exit.CLEAN if verdict.gate:
            return "PASS", Tone.GOOD, f"Nothing is open at {verdict.gate} or above"
        case Exit.CLEAN:
            return "NOTHING DECIDED", Tone.PLAIN, _open(verdict)
        case Exit.UNSAFE:
            return "REFUSED FOR SAFETY", Tone.BAD, "An answer would have led across a boundary; no token was sent there"
        case other:
            return "NOTHING ASSESSED", Tone.DOUBT, _sentence(MEANINGS[other])


def _open(verdict: Verdict) -> str:
    """ "300 findings are open, 11 of them critical"."""
    count = sum(verdict.failed.values())
    worst = next((each for each in WORST_FIRST if verdict.failed.get(each)), None)
    if worst is None:
        return "Nothing is open"
    share = "all" if verdict.failed[worst] == count else f"{verdict.failed[worst]:,}"
    return f"{plural(count, 'finding is', 'findings are')} open, {share} of them {worst}"


def _incomplete(verdict: Verdict) -> str:
    missing = verdict.required - verdict.assessed
    unknown = sum(verdict.unknown.values()) - verdict.allowed_unknown
    parts = [f"{missing:,} of {verdict.required:,} required reads are missing"] if missing else []
    parts += [f"{plural(unknown, 'result is', 'results are')} unknown"] if unknown else []
    return f"{' and '.join(parts) or MEANINGS[Exit.INCOMPLETE]}: this is no clean bill"


def _also(verdict: Verdict) -> Iterator[str]:
    if verdict.exit is not Exit.CLEAN:
        yield f"{_open(verdict)}."
    if verdict.gate is None:
        yield "No gate was set, so that this page reports and decides nothing."
    for code in verdict.conditions[1:]:
        yield _sentence(f"also {MEANINGS[code]}") + "."
    if any(gap.allowed for gap in verdict.gaps) or verdict.allowed_unknown:
        gaps = plural(sum(gap.allowed for gap in verdict.gaps), "gap")
        yield f"{gaps} and {plural(verdict.allowed_unknown, 'unknown result')} were accepted, and do not count."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _facts(report: Report) -> Iterator[Fact]:
    run, verdict = report.run, report.verdict
    yield Fact("Tenant", run.tenant_name or run.tenant_id)
    yield Fact("Tenant id", run.tenant_id, exact=True)
    if run.environment != "public":
        yield Fact("Cloud", run.environment)
    yield Fact("Scope", f"not the whole tenant: {'; '.join(run.filters.shown)}" if run.filters.shown else "the whole tenant")
    yield Fact("Read by", run.identity)
    yield Fact("As of", times.iso_time(run.as_of))
    share = "" if not verdict.required else f" ({verdict.assessed * 100 // verdict.required} %)"
    yield Fact("Coverage", f"{verdict.assessed:,} of {verdict.required:,} required reads{share}")
    if not verdict.expected:
        yield Fact("Completeness", RELATIVE)
    yield Fact("Policies", f"{plural(len(_judged(report)), 'policy', 'policies')}, profile {report.settings.profile}")
    yield Fact("Policies' digest", policies_digest(report)[:16], exact=True)
    for text in network(run):
        yield Fact("Network", text)
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


def _first(found: Findings) -> Iterator[First]:
    """The policies with the gravest failures, and of those the most."""
    groups = (group for level in found.levels for group in level.groups if group.open)
    for group in islice(groups, _FIRST):
        # Where a page is full, none may be listed.
        example = next((f"{item.name}: {item.message}" for item in group.items if not item.mark), "")
        yield First(group.severity, group.policy, group.open, example)
