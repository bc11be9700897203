"""Reports for flags: snapshots, evaluated by the selected policies."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from keyaudit import audit
from keyaudit.audit import PLAIN, Detail
from keyaudit.cli.clock import SystemClock
from keyaudit.cli.options import Choice, Live, Selection, Stored
from keyaudit.cli.settings.limits import settled
from keyaudit.cli.settings.policy_selection import chosen
from keyaudit.cli.sources.source import check_since, each, snapshot, unmet_of
from keyaudit.cli.terminal.progress import told_if_long
from keyaudit.inventory.disk.input_file import is_there
from keyaudit.inventory.expectations import without_subscriptions
from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.gating.acceptance import Acceptance
from keyaudit.model.gating.allowances import Allowance
from keyaudit.model.gating.baseline import Baseline
from keyaudit.model.gating.expectations import Expectations
from keyaudit.model.gating.waivers import Waiver
from keyaudit.model.results.findings import Outcome, UnknownGroup
from keyaudit.model.results.run import Gap, Report, Run
from keyaudit.model.scope.part import WHOLE, Part
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.values.text import one_line
from keyaudit.policy.load import Policy, load
from keyaudit.policy.settings import Judging
from keyaudit.report.lines import plural
from keyaudit.report.owner_rules import READ, Unowned, unowned


class Before(Protocol):
    """The tenant without a plan."""

    def accepted(
        self, accepted: Acceptance, policies: Sequence[Policy], judging: Judging
    ) -> tuple[Acceptance, Sequence[UnknownGroup] | None]:
        """What is accepted, with the findings that are there without the plan; and what is unknown without it, or None if that
        counts, too.
        """
        ...


WAIVERS = Path("keyaudit.waivers.yaml")
"""The default waivers file, in the current folder."""


@contextmanager
def all_judged(
    live: Live,
    stored: Stored,
    choice: Choice,
    *,
    fail_on: Severity | None = None,
    new_only: bool = False,
    detail: Detail = PLAIN,
    since: Path | None = None,
    master: str | None = None,
    part: Part = WHOLE,
) -> Iterator[Sequence[Report]]:
    """A report for each named tenant, in that order, inside a context. `master`: of Spark, which then evaluates it. `part`:
    only what lies within."""
    tenants = each(live, stored)
    if len(tenants) > 1 and choice.baseline is not None:
        raise UsageError("--baseline", "accepts only one tenant", "evaluate that tenant separately")
    if len(tenants) > 1 and since is not None:
        raise UsageError("--since", "accepts only one tenant", "evaluate that tenant separately")
    with ExitStack() as stack:
        reports = [
            stack.enter_context(
                judged(
                    *one,
                    choice,
                    fail_on=fail_on,
                    new_only=new_only,
                    detail=detail,
                    among=len(tenants) > 1,
                    since=since,
                    master=master,
                    part=part,
                )
            )
            for one in tenants
        ]
        if len({report.run.tenant_id for report in reports}) != len(reports):
            raise UsageError("--tenant, --from", "two of them are the same tenant", "name each once")
        yield reports


@contextmanager
def judged(
    live: Live,
    stored: Stored,
    choice: Choice,
    *,
    fail_on: Severity | None = None,
    new_only: bool = False,
    detail: Detail = PLAIN,
    among: bool = False,
    since: Path | None = None,
    taken: tuple[Snapshot, int] | None = None,
    master: str | None = None,
    trying: Waiver | None = None,
    part: Part = WHOLE,
    planned: Callable[[Sequence[Policy], Sequence[str]], Sequence[Gap]] | None = None,
    before: Before | None = None,
) -> Iterator[Report]:
    """The report of one tenant, inside a context. All flags are checked before anything is read.

    `among`: there are other tenants, so one that cannot be read is reported instead of raised. `since`: the folder of an
    earlier snapshot of the tenant. `taken`: the snapshot and moment, if already open. `master`: of Spark, which then evaluates
    it. `trying`: a waiver that is in no file yet, and is applied instead of those of a file. `part`: only what lies within.
    `planned`: the snapshot is of a plan, which has these gaps for some policies and what is required, and policies that it
    cannot answer are not evaluated. `before`: the tenant without it.
    """
    known = load(besides=choice.policies)
    policies = chosen(known, choice)
    how = settled(live, choice, known)
    accepted = Acceptance(waivers=(trying,)) if trying else _accepted(choice, known, new_only=new_only)
    earlier = open_snapshot(since) if since is not None else None
    with nullcontext(taken) if taken is not None else snapshot(live, stored, among=among) as (read, as_of):
        if earlier is not None:
            check_since(earlier, read.run)
        if accepted.baseline is not None:
            _same_tenant(accepted.baseline, read.run)
        settings = how.judging(policies, as_of)
        groups: Sequence[UnknownGroup] | None = None
        if before is not None:
            accepted, groups = before.accepted(accepted, policies, settings)
        place = f" over {one_line(str(read.folder), 1_024)}" if stored.from_ else ""
        judging = audit.judge(
            without_subscriptions(read, how.expected),
            policies,
            settings,
            accepted,
            fail_on=fail_on,
            detail=detail,
            unmet=unmet_of(read, how.expected, earlier) if planned is None else planned(policies, how.require),
            master=master,
            catalogue=known,
            part=part,
            plan_alone=planned is not None and before is None,
            before=groups,
        )
        with ExitStack() as stack:
            with told_if_long(f"evaluating {plural(len(policies), 'policy', 'policies')}{place}", quiet=live.quiet):
                report = replace(stack.enter_context(judging), tag_labels=how.tag_labels)
            if earlier is not None and accepted.baseline is not None and earlier.run.run_id == accepted.baseline.run_id:
                settled_then = how.judging(policies, accepted.baseline.as_of)
                report = replace(report, then=_failures(earlier, policies, settled_then, how.expected))
            yield report


def _failures(
    taken: Snapshot, policies: Sequence[Policy], judging: Judging, expected: Expectations
) -> dict[tuple[str, str], Severity]:
    """The failures in an earlier snapshot by policy and subject, evaluated with these policies; the most severe of each."""
    found: dict[tuple[str, str], Severity] = {}
    with audit.judge(without_subscriptions(taken, expected), policies, judging) as report:
        for finding in report.findings(False):
            key = (finding.policy.id, finding.subject)
            if finding.outcome is Outcome.FAIL and (key not in found or found[key].rank < finding.severity.rank):
                found[key] = finding.severity
    return found


def without_owner(live: Live, stored: Stored, selection: Selection, taken: tuple[Snapshot, int], most: int = 1) -> Unowned:
    """The findings of an open snapshot that have no owner, with so many proposed rules."""
    detail = Detail(whole_rows=False, shown=dict.fromkeys(TABLES, READ), explained=False)
    choice = Choice(select=selection.select, ignore=selection.ignore, policies=selection.policies)
    with judged(live, stored, choice, taken=taken, detail=detail) as report:
        return unowned(report.owned(False), most)


def _accepted(choice: Choice, known: Sequence[Policy], *, new_only: bool) -> Acceptance:
    waivers = _waivers(choice, known)
    baseline = _baseline(choice.baseline)
    if new_only and baseline is None:
        raise UsageError("--new-only", "needs --baseline FILE", "keyaudit baseline create writes one")
    allowances = tuple(Allowance.parse(text) for text in choice.allow_gap or ())
    return Acceptance(waivers=waivers, baseline=baseline, new_only=new_only, allowances=allowances)


def _same_tenant(baseline: Baseline, run: Run) -> None:
    if baseline.tenant_id != run.tenant_id.lower():
        what = f"the baseline is of tenant {one_line(baseline.tenant_id)}, not of {one_line(run.tenant_id)}"
        raise UnsafeError("--baseline", what, "name this tenant's")


def _baseline(path: Path | None) -> Baseline | None:
    if path is None:
        return None
    from keyaudit.policy.baseline import read_baseline

    return read_baseline(path)


def _waivers(choice: Choice, policies: Sequence[Policy]) -> tuple[Waiver, ...]:
    if choice.no_waivers:
        if choice.waivers is not None:
            raise UsageError("--waivers, --no-waivers", "cannot be combined", "leave one of them out")
        return ()
    path = choice.waivers or WAIVERS
    if choice.waivers is None and not is_there(path):
        return ()
    from keyaudit.policy.waivers import load_waivers

    return load_waivers(path, policies=[policy.text.id for policy in policies], today=SystemClock().now())
