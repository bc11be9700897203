"""The resource of a new waiver: what people type, resolved to one full id."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import islice

from keyaudit.model.errors import UsageError
from keyaudit.model.gating.waivers import Waiver
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.values.text import listed, one_line
from keyaudit.report.facts import Facts
from keyaudit.report.lines import plural
from keyaudit.report.resource import label
from keyaudit.report.summary import message

PLACE = "waivers add"
_MOST = 5
"""The maximum number of candidates that are listed."""
_ID = 1_024
_SHORT = 8
"""The number of digits of a finding's id that a list of candidates shows."""


def resolved(report: Report, waiver: Waiver) -> str:
    """The id of the only resource with the finding id, beginning of a finding id, or name in `waiver.resource`. Full ids and
    patterns are returned as they are.

    `report`: of the policies of the waiver. Raises UsageError with the candidates if there is none, or several.
    """
    asked = waiver.resource.text
    if not waiver.by_name:
        return asked
    found = _scopes(report, asked) if waiver.covers_coverage else _resources(report, asked)
    if len(found) > 1:
        shown = [f"{one_line(name)} {one_line(id_, _ID)}" for id_, name in islice(sorted(found.items()), _MOST)]
        what = f"{one_line(asked)!r} names {len(found):,} resources: {_with_more(shown, len(found))}"
        raise UsageError(PLACE, what, "use one of these ids")
    if not found:
        unread = "" if report.verdict.complete else ", and not everything was read"
        raise UsageError(PLACE, f"nothing has the name {one_line(asked)!r}{unread}", _what_there_is(report, waiver))
    [id_] = found
    if "*" in id_ or "?" in id_:
        what = f"the id {one_line(id_, _ID)} contains * or ?, which match other text in a waiver"
        raise UsageError(PLACE, what, "fix the finding instead")
    return id_


def policy_of(report: Report, asked: str) -> str:
    """The policy of the open finding with this id, or this beginning of an id. Raises UsageError if it is not that of one."""
    found = {each.id: each.policy.id for each in _open(report) if each.id.startswith(asked.lower())}
    exact = found.get(asked.lower())
    if exact is not None or len(found) == 1:
        return exact or next(iter(found.values()))
    if found:
        shown = [f"{id_[:_SHORT]} ({policy})" for id_, policy in islice(sorted(found.items()), _MOST)]
        raise UsageError(
            "--resource", f"begins the ids of several findings: {_with_more(shown, len(found))}", "name one of them"
        )
    raise UsageError("--policy", f"is needed: {one_line(asked)!r} is the id of no open finding", "name the policy")


def coverage_of(report: Report, waiver: Waiver) -> str:
    """What the waiver covers, in words. `report`: of its policies, evaluated with this waiver alone.

    Raises UsageError if it covers nothing, also because what it matches is critical and the waiver does not allow that.
    """
    [use] = report.verdict.waivers
    if waiver.covers_coverage and use.count:
        return f"accepts {plural(use.count, 'gap or unknown result', 'gaps and unknown results')}"
    left = () if waiver.covers_coverage else (each for each in _open(report) if _matches(waiver, each))
    critical = [each for each in left if each.severity is Severity.CRITICAL]
    if use.count:
        more = f"; {plural(len(critical), 'critical finding')} it does not cover without --allow-critical" if critical else ""
        return f"covers {plural(use.count, 'finding')}{more}"
    if critical:
        shown = [f"{_label(each)}: {message(each)}" for each in critical[:_MOST]]
        what = (
            f"it would cover {plural(len(critical), 'critical finding')} and nothing else: {_with_more(shown, len(critical))}"
        )
        raise UsageError(PLACE, what, "add --allow-critical if this risk is accepted")
    what = f"{one_line(waiver.resource.text, _ID)} covers nothing{_why_nothing(report, waiver)}"
    raise UsageError(PLACE, what, _what_there_is(report, waiver))


def _scopes(report: Report, asked: str) -> dict[str, str]:
    """The scopes with a gap that have this name: id to name."""
    scopes = (gap.scope for gap in report.verdict.gaps if gap.required)
    return {scope.id: scope.name for scope in scopes if _same(scope.name, asked)}


def _resources(report: Report, asked: str) -> dict[str, str]:
    """The resources with this id or finding id, or else this beginning of a finding id, or this name: id to name.

    Names are looked up in the whole inventory and not only among findings: a resource of the same name without a finding may be
    the one that is meant.
    """
    begun = {each.subject: each for each in _open(report) if each.id.startswith(asked.lower())}
    exact = {subject: _label(each) for subject, each in begun.items() if each.id == asked.lower()}
    if exact:
        return exact
    by_id: dict[str, str] = {}
    labelled: dict[str, str] = {}
    named: dict[str, str] = {}
    for table in sorted({tally.policy.table for tally in report.tallies}):
        subject = TABLES[table].subject
        for row in report.listing(table).rows():
            facts = Facts(table, row)
            shown = label(facts)
            # A row and its subject are not always the same: a version of a key, and the key.
            by_id |= {id_: shown for id_ in (str(row["id"]), str(row[subject])) if id_.lower() == asked.lower()}
            if _same(shown, asked):
                labelled[str(row[subject])] = shown
            elif _same(facts.text("name"), asked) or _same(facts.text("holder_name"), asked):
                named[str(row[subject])] = shown
    return by_id or {**{subject: _label(each) for subject, each in begun.items()}, **(labelled or named)}


def _same(name: str | None, asked: str) -> bool:
    """Whether the name is the one that was typed, or is shown like it."""
    return name is not None and asked.casefold() in (name.casefold(), one_line(name).casefold())


def _open(report: Report) -> Iterator[Finding]:
    return (each for each in report.findings(False) if each.outcome is Outcome.FAIL)


def _matches(waiver: Waiver, finding: Finding) -> bool:
    return waiver.resource.matches(str(finding.row["id"])) or waiver.resource.matches(finding.subject)


def _why_nothing(report: Report, waiver: Waiver) -> str:
    if not_judged := report.verdict.not_judged:
        needs = sorted({need for each in not_judged for need in each.needs})
        return f": {plural(len(not_judged), 'policy was', 'policies were')} not evaluated without {listed(needs)}"
    unknown = (each for each in report.findings(False) if each.outcome is Outcome.UNKNOWN and each.row)
    if not waiver.covers_coverage and any(_matches(waiver, each) for each in unknown):
        return ": its result is unknown; a waiver accepts that only with --covers coverage, for at most 30 days"
    return ""


def _what_there_is(report: Report, waiver: Waiver) -> str:
    """The nearest names that the waiver could be for, or the first ones."""
    if waiver.covers_coverage:
        shown = {one_line(gap.scope.name or gap.scope.id): "" for gap in report.verdict.gaps if gap.required}
        noun = "gap"
    else:
        shown = {_label(each): f"{each.id[:_SHORT]} " for each in _open(report)}
        noun = "open finding"
    if not shown:
        return f"{waiver.policy.text} has no {noun} here"
    near = get_close_matches(waiver.resource.text, shown, n=_MOST) or list(shown)[:_MOST]
    return f"{waiver.policy.text} has {noun}s for {_with_more([f'{shown[name]}{name}' for name in near], len(shown))}"


def _label(finding: Finding) -> str:
    return one_line(label(Facts.of(finding)))


def _with_more(shown: Sequence[str], count: int) -> str:
    more = f" and {count - len(shown):,} more" if count > len(shown) else ""
    return f"{', '.join(shown)}{more}"
