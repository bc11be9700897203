"""The gaps, each with its reason, its fix and the policies that it affects; and the policies that were not evaluated."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.errors import Exit
from keyaudit.model.evidence import remedy, worded
from keyaudit.model.reasons import ADVICE, UNGRANTED, UNSAFE, Reason
from keyaudit.model.results.findings import PolicyText
from keyaudit.model.results.run import Gap, Report, Run, Verdict
from keyaudit.report.grants import Grant, grants, notes
from keyaudit.report.lines import plural
from keyaudit.report.missing import alike, extent, permissions, reads, remedy_of

_NAMES = 12


class Hole(Struct, frozen=True, kw_only=True):
    """Scopes that were not read for one reason."""

    places: str
    kind: str
    why: str
    reason: Reason
    what: str
    effect: str
    blinds: tuple[str, ...]
    remedy: str
    commands: Sequence[Grant]
    notes: tuple[str, ...]
    """What the reader has to fill in in the commands; empty if nothing."""


class Unjudged(Struct, frozen=True, kw_only=True):
    """A policy that needs missing evidence."""

    policy: PolicyText
    needs: str
    remedy: str


class Unseen(Struct, frozen=True, kw_only=True):
    """Everything that was not read or not evaluated."""

    missing: tuple[Hole, ...]
    """Gaps that a selected policy needs: they make the results incomplete."""
    accepted: tuple[Hole, ...]
    needless: tuple[Hole, ...]
    """Excluded by configuration, not in this cloud, or not needed by the selected policies."""
    unjudged: tuple[Unjudged, ...]
    unused: tuple[str, ...]
    """Allowances without a match."""
    incomplete: bool
    extent: str
    """The end of a sentence that says that something is not there."""


def unseen(report: Report) -> Unseen:
    """All gaps, each scope once."""
    verdict = report.verdict
    missing = [gap for gap in verdict.gaps if gap.reason in UNSAFE or (gap.required and not gap.allowed)]
    accepted = [gap for gap in verdict.gaps if gap.allowed and gap.reason not in UNSAFE]
    needless = [gap for gap in verdict.gaps if not gap.required and not gap.allowed and gap.reason not in UNSAFE]
    return Unseen(
        missing=tuple(_holes(missing, report.run)),
        accepted=tuple(_holes(accepted, report.run)),
        needless=tuple(_holes(needless, report.run)),
        unjudged=tuple(_unjudged(verdict)),
        unused=verdict.unused_allowances,
        incomplete=not verdict.complete or Exit.UNSAFE in verdict.conditions,
        extent=extent(verdict),
    )


def _holes(gaps: Sequence[Gap], run: Run) -> Iterator[Hole]:
    for same in alike(gaps):
        gap, advice = same[0], ADVICE[same[0].reason]
        names = [_name(each.scope, run) for each in same]
        more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
        refused = sum(each.refused for each in same)
        granting = gap.reason in UNGRANTED and bool(gap.operations)
        commands = grants(gap) if granting else ()
        yield Hole(
            places=", ".join(names[:_NAMES]) + more,
            kind=gap.scope.kind if len(names) == 1 else f"{len(names):,}, each a {gap.scope.kind}",
            why=f"{advice.meaning} ({gap.detail})" if gap.detail else advice.meaning,
            reason=gap.reason,
            what=reads(gap.operations),
            effect=f"refused on {plural(refused, 'object')}" if refused else "",
            blinds=gap.blinds,
            remedy=f"grant {'; and '.join(permissions(gap.operations))}" if granting else remedy_of(gap),
            commands=commands,
            notes=tuple(notes(commands)),
        )


def _name(scope: Scope, run: Run) -> str:
    """The display name of a scope; for the tenant its name instead of its id."""
    return run.tenant_name if scope.kind is ScopeKind.TENANT and run.tenant_name else scope.name or scope.id


def _unjudged(verdict: Verdict) -> Iterator[Unjudged]:
    for each in verdict.not_judged:
        yield Unjudged(policy=each.policy, needs=worded(each.needs), remedy=remedy(each.needs))
