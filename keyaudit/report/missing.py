"""Everything that was not read or not evaluated, with reason, effect and fix; never left out of a report."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from keyaudit.model.errors import Exit
from keyaudit.model.evidence import remedy as supplying
from keyaudit.model.evidence import worded
from keyaudit.model.gating.waivers import State, Use, Waiver
from keyaudit.model.operations import OPERATIONS, Operation, Rights
from keyaudit.model.operations.kinds import either
from keyaudit.model.reasons import ADVICE, OPTIONAL, UNGRANTED, UNSAFE, Reason
from keyaudit.model.results.run import Gap, NotJudged, Report, Verdict
from keyaudit.model.severity import Severity
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY
from keyaudit.report.grants import access_policies, grants, notes
from keyaudit.report.lines import Paint, in_short, listed, paint, plural, wrap

PART = " in the selected part"
READ = " in the data that was read, which was incomplete"
_INDENT = "    "
_DETAIL = 500
_UNUSED = "in this run; remove it with keyaudit waivers prune"
_UNUSED_BY_CRITICAL = "in this run; critical findings need allow_critical: true; correct it, or remove it"
_UNUSED_BY_NAME = (
    "in this run: a waiver matches full ids, never names; add it again with keyaudit waivers add, which takes a name and "
    "writes the id"
)
_UNUSED_ELSEWHERE = "in this run, which evaluated none of its policies"
_UNUSED_OUTSIDE = "in the part of the tenant that this run shows"
_UNUSED_IN_PART = "that was read; a waiver accepts gaps only with covers: coverage, for at most 30 days"
_SOON = 14
"""The number of days before its end from which a waiver is mentioned."""


def extent(verdict: Verdict) -> str:
    """The end of a sentence that says that something is not there; empty only if the whole tenant was read."""
    accepted = verdict.allowed_unknown or verdict.known_unknown or any(gap.allowed for gap in verdict.gaps)
    if not verdict.complete or accepted or Exit.UNSAFE in verdict.conditions:
        return READ
    return PART if verdict.part else ""


def incomplete(verdict: Verdict, width: int, colour: bool) -> list[str]:
    """The required gaps, each with its fix; empty if there are none."""
    if verdict.complete:
        return []
    gaps = needed(verdict)
    unknown = sum(verdict.unknown.values()) - verdict.allowed_unknown
    parts = [plural(len(gaps), "gap")] * bool(gaps) + [plural(unknown, "unknown result")] * (unknown > 0)
    why = f"{' and '.join(parts)}, so the results are incomplete" if parts else "some results are unknown, as listed above"
    lines = wrap(f"INCOMPLETE: {why}.", width)
    lines = [paint(line, Paint.WARN, colour) for line in lines]
    for same in alike(gaps):
        lines += remedied(same, width)
    return lines


def needed(verdict: Verdict) -> list[Gap]:
    """The gaps that make the results incomplete."""
    return [gap for gap in verdict.gaps if gap.required and not gap.allowed and gap.reason not in UNSAFE]


def unsafe(verdict: Verdict, width: int, colour: bool) -> list[str]:
    """The gaps refused for safety, which cannot be accepted."""
    gaps = [gap for gap in verdict.gaps if gap.reason in UNSAFE]
    if not gaps:
        return []
    lines = wrap(f"REFUSED FOR SAFETY: {plural(len(gaps), 'place')}; no token was sent there.", width)
    lines = [paint(line, Paint.ALARM, colour) for line in lines]
    return [*lines, *(line for same in alike(gaps) for line in remedied(same, width))]


def not_judged(verdict: Verdict, width: int, *, full: bool = True) -> list[str]:
    """The policies without their evidence: the number for each kind, and with `full` their ids."""
    if not verdict.not_judged:
        return []
    count = plural(len(verdict.not_judged), "policy", "policies")
    if not full:
        return wrap(f"{count} not evaluated: {by_needs(verdict.not_judged)}. keyaudit report --full lists them.", width)
    lines = wrap(f"{count} not evaluated, which is never a pass: evidence was not read or not supplied.", width)
    ids: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for each in verdict.not_judged:
        ids[each.needs].append(each.policy.id)
    for needs, names in sorted(ids.items(), key=lambda each: (-len(each[1]), each[0])):
        lines += wrap(
            f"{'needs' if len(names) == 1 else 'need'} {worded(needs)} ({supplying(needs)}): {', '.join(names)}",
            width,
            "  ",
            _INDENT,
        )
    return lines


def by_needs(policies: Iterable[NotJudged]) -> str:
    """The policies that were not evaluated, counted by what they need: "15 need logs (supply it with --import logs=DIR)"."""
    counts = Counter(each.needs for each in policies)
    return "; ".join(
        f"{number:,} {'needs' if number == 1 else 'need'} {worded(needs)} ({supplying(needs)})"
        for needs, number in counts.most_common()
    )


def accepted(verdict: Verdict, width: int) -> list[str]:
    """The gaps accepted by --allow-gap or a waiver, and the values of --allow-gap without a match."""
    gaps = [gap for gap in verdict.gaps if gap.allowed]
    lines: list[str] = []
    if gaps or verdict.allowed_unknown:
        counts = f"{plural(len(gaps), 'gap')} and {plural(verdict.allowed_unknown, 'unknown result')}"
        lines += wrap(f"Accepted by --allow-gap or a waiver: {counts}.", width)
        lines += _plain(gaps, width)
    for unused in verdict.unused_allowances:
        lines += wrap(f"--allow-gap {one_line(unused)}: matched nothing; leave it out", width, rest=_INDENT)
    return lines


def waivers(report: Report, width: int) -> list[str]:
    """The waivers that expired, expire soon or cover nothing; the findings of others are counted with the results."""
    return [line for said in waiver_lines(report) for line in wrap(said, width, rest=_INDENT)]


def waiver_lines(report: Report) -> list[str]:
    """A sentence for each waiver that needs an action, safe for one line."""
    return [line for _, line in waivers_to_fix(report)]


def waivers_to_fix(report: Report) -> Iterator[tuple[Use, str]]:
    """The waivers that need an action, each with a sentence that is safe for one line."""
    as_of = report.run.as_of
    for use in report.verdict.waivers:
        waiver = use.waiver
        name = f"waiver {waiver.id} of {one_line(waiver.owner)}"
        if use.state is State.EXPIRED:
            days = (as_of - waiver.ends) // DAY + 1
            gone = "it no longer covers anything; fix the finding, or renew the waiver"
            yield use, f"{name} expired {plural(days, 'day')} ago: {gone}"
        elif use.state is State.UNUSED:
            yield use, f"{name} covers nothing {_why_unused(waiver, report)}"
        elif waiver.ends - as_of <= _SOON * DAY:
            days = (waiver.ends - as_of) // DAY
            yield use, f"{name} ends on {waiver.last_day}, in {plural(days, 'day')}; it covers {use.count:,}"


def _why_unused(waiver: Waiver, report: Report) -> str:
    if waiver.by_name:
        return _UNUSED_BY_NAME
    if not any(waiver.policy.matches(tally.policy.id) for tally in report.tallies):
        return _UNUSED_ELSEWHERE
    if report.run.filters.shown:
        return _UNUSED_OUTSIDE
    if not report.verdict.complete:
        return _UNUSED_IN_PART
    return _UNUSED_BY_CRITICAL if _misses_critical(waiver, report) else _UNUSED


def _misses_critical(waiver: Waiver, report: Report) -> bool:
    """Whether its policies have critical findings, which it does not cover wherever they are."""
    if waiver.covers_coverage or waiver.allow_critical:
        return False
    return any(tally.failed.get(Severity.CRITICAL) and waiver.policy.matches(tally.policy.id) for tally in report.tallies)


def outlived(report: Report) -> str:
    """The number of baseline findings above the age limit, which count again; empty for none, or without a baseline."""
    baseline = report.verdict.baseline
    old = baseline.outlived(report.run.as_of) if baseline else 0
    if baseline is None or not old:
        return ""
    days = plural(baseline.limit // DAY, "day")
    return f"baseline: {plural(old, 'entry', 'entries')} older than {days} count again; fix them, or create a new baseline"


def not_needed(verdict: Verdict, width: int) -> list[str]:
    """Gaps that do not gate: excluded by configuration, not in this cloud, behind an optional right, or not needed by the
    selected policies.
    """
    gaps = [gap for gap in verdict.gaps if not gap.required and gap.reason not in UNSAFE]
    out = [gap for gap in gaps if gap.reason is Reason.EXCLUDED_BY_CONFIG]
    lacking = [gap for gap in gaps if gap.reason is Reason.NOT_IN_CLOUD]
    optional = [gap for gap in gaps if gap.reason is Reason.OPTIONAL_RIGHT]
    rest = [gap for gap in gaps if gap.reason not in OPTIONAL]
    lines = wrap(f"Left out by configuration: {plural(len(out), 'place')}.", width) + _plain(out, width) if out else []
    if lacking:
        lines += [*wrap("Not in this cloud, so not evaluated:", width), *_plain(lacking, width)]
    if optional:
        lines += wrap(f"Not read because an optional right is missing: {plural(len(optional), 'gap')}.", width)
        lines += [line for same in alike(optional) for line in remedied(same, width)]
    if rest:
        lines += wrap(f"Also not read, but not needed by the selected policies:  {plural(len(rest), 'gap')}.", width)
        lines += [line for same in alike(rest) for line in remedied(same, width)]
    return lines


def reads(operations: Sequence[str]) -> str:
    """The objects that operations read: "keys, key versions"."""
    nouns = [OPERATIONS[each].noun if each in OPERATIONS else one_line(each) for each in operations]
    return ", ".join(dict.fromkeys(nouns))


def permissions(operations: Sequence[str]) -> list[str]:
    """The least permissions for all of them, each role once, with the equivalents in access policies."""
    by_role: dict[str, list[Operation]] = defaultdict(list)
    for operation in (OPERATIONS[each] for each in operations if each in OPERATIONS):
        by_role[operation.right.role].append(operation)
    return [either(role, access_policies(same)) for role, same in by_role.items()]


def alike(gaps: Sequence[Gap]) -> list[list[Gap]]:
    """Gaps grouped if they differ only in their scope."""
    groups: dict[object, list[Gap]] = defaultdict(list)
    for gap in gaps:
        groups[gap.scope.kind, gap.reason, gap.operations, gap.detail, gap.blinds, gap.access_model].append(gap)
    return list(groups.values())


def remedy_of(gap: Gap) -> str:
    """The fix; for missing permissions see also `doctor permissions`."""
    return supplying([gap.detail]) if gap.reason is Reason.NOT_SUPPLIED else ADVICE[gap.reason].remedy


def _names(gaps: Sequence[Gap]) -> str:
    return ", ".join(one_line(gap.scope.name or gap.scope.id) for gap in gaps)


def _plain(gaps: Sequence[Gap], width: int) -> list[str]:
    lines: list[str] = []
    for same in alike(gaps):
        gap = same[0]
        text = f"{_names(same)} ({gap.scope.kind}): {ADVICE[gap.reason].meaning} ({gap.reason}): {reads(gap.operations)}"
        text += f" ({one_line(gap.detail, _DETAIL)})" if gap.detail else ""
        lines += wrap(text.removesuffix(": "), width, "  ", _INDENT)
    return lines


def remedied(gaps: Sequence[Gap], width: int, *, named: bool = False) -> list[str]:
    """Gaps that are `alike`: reason, unread objects, effect and fix. `named`: name the affected policies."""
    gap, advice = gaps[0], ADVICE[gaps[0].reason]
    detail = f" ({one_line(gap.detail, _DETAIL)})" if gap.detail else ""
    lines = wrap(_names(gaps), width, "  ", _INDENT)
    lines += wrap(f"{gap.reason}: {advice.meaning}{detail}", width, _INDENT, _INDENT + "  ")
    if gap.operations:
        lines += wrap(f"not read: {reads(gap.operations)}", width, _INDENT, _INDENT + "  ")
    refused = sum(each.refused for each in gaps)
    effect = [f"refused on {plural(refused, 'object')}"] * bool(refused)
    effect += [f"affects {plural(len(gap.blinds), 'policy', 'policies')}"] * (bool(gap.blinds) and not named)
    if effect:
        lines += wrap("; ".join(effect), width, _INDENT, _INDENT + "  ")
    if named:
        from keyaudit.inventory.reads import read_by  # noqa: PLC0415 - heavy, and asked only for a list of every gap

        lacking = in_short(column for operation in gap.operations for column in read_by(operation) if "." in column)
        blinded = listed(gap.blinds) or f"no policy; the inventory lacks {listed(lacking) or 'nothing'}"
        lines += wrap(f"affects: {blinded}", width, _INDENT, _INDENT + "  ")
    remedy = remedy_of(gap)
    if gap.reason in UNGRANTED:
        remedy = f"grant {'; and '.join(permissions(gap.operations))}" if gap.operations else remedy
    lines += wrap(f"fix: {remedy}", width, _INDENT, _INDENT + "  ")
    if gap.reason not in UNGRANTED:
        return lines
    granting = _grants(gaps, width)
    if named and any(OPERATIONS[each].right.rights is Rights.GRAPH for each in gap.operations if each in OPERATIONS):
        granting += wrap(
            "grant consent with the commands that keyaudit doctor permissions --as az prints", width, _INDENT, _INDENT + "  "
        )
    return lines + granting


def _grants(gaps: Sequence[Gap], width: int) -> list[str]:
    """The granting commands, never wrapped, for one scope; others differ only in the scope."""
    lines: list[str] = []
    found = grants(gaps[0])
    for grant in found:
        lines += wrap(f"{grant.when}:", width, _INDENT) if grant.when else []
        lines.append(f"{_INDENT}{grant.command}")
    for note in notes(found):
        lines += wrap(note, width, _INDENT, _INDENT + "  ")
    if lines and len(gaps) > 1:
        lines += wrap(f"and likewise for the other {len(gaps) - 1:,}", width, _INDENT)
    return lines
