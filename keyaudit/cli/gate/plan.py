"""A Terraform or OpenTofu plan in place of a tenant: read, stored as a temporary snapshot, and evaluated as any other."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from keyaudit import __version__, audit
from keyaudit.audit import Detail
from keyaudit.cli.clock import SystemClock
from keyaudit.cli.options import Choice, Live, Stored
from keyaudit.cli.settings.run_settings import Settings, settle
from keyaudit.cli.sources.judged import judged
from keyaudit.cli.sources.source import snapshot
from keyaudit.cli.terminal.progress import Silent
from keyaudit.inventory.disk.temporary import temporary_folder
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.evidence import EVERY_RESOURCE
from keyaudit.model.gating.acceptance import Acceptance
from keyaudit.model.gating.baseline import Baseline, Known
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome, PolicyText, UnknownGroup
from keyaudit.model.results.listing import Listing
from keyaudit.model.results.planned import PlannedAt
from keyaudit.model.results.run import Gap, Report, Run
from keyaudit.model.severity import Severity
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY
from keyaudit.plan.answers import Answers, shown_some
from keyaudit.plan.deletions import Removed
from keyaudit.plan.document.source import Source
from keyaudit.plan.document.terraform import Plan, read_plan
from keyaudit.plan.overlay import laid_over
from keyaudit.plan.run import answers_of, collect_plan
from keyaudit.plan.scopes import NOWHERE, Ground
from keyaudit.plan.spool import PlanSpool
from keyaudit.policy.load import Policy
from keyaudit.policy.settings import Judging
from keyaudit.report.lines import plural

_ELSEWHERE = "a plan is a file, not read from Azure"
_UNNAMED = "not-named-in-the-plan"
"""What ids show in place of a subscription or tenant that the plan does not name."""


@contextmanager
def of_plan(
    path: Path,
    live: Live,
    stored: Stored,
    choice: Choice,
    *,
    fail_on: Severity,
    new_only: bool,
    detail: Detail,
    whole: bool,
    kept: Path | None = None,
) -> Iterator[Sequence[Report]]:
    """The report of what a plan would make, inside a context. Raises UsageError for a file that is no plan.

    `whole`: with a snapshot, what the plan leaves as it is counts, too. `kept`: a folder of --keep or --since; a plan has
    neither.
    """
    _check(live, stored, kept)
    if stored.from_ and choice.baseline and not (new_only or whole):
        what = "needs --new-only or --all with --plan and --from: otherwise only the plan's changes count"
        raise UsageError("--baseline", what, "add --new-only, so that its findings do not count either")
    settings = settle(live, resume=False)
    plan = read_plan(path)
    with ExitStack() as held:
        folder = held.enter_context(temporary_folder())
        before, now, tenant_id = None, SystemClock().now(), ""
        if stored.from_:
            before, now = held.enter_context(snapshot(live, stored))
            tenant_id = before.run.tenant_id
        ground, _ = answers_of(plan, settings.environment, now, tenant_id)
        taken = _read(plan, ground, folder, settings, before)
        report = held.enter_context(
            judged(
                live,
                Stored(),
                choice,
                fail_on=fail_on,
                new_only=new_only,
                detail=detail,
                taken=(taken, now),
                planned=partial(_gaps, plan, ground, fail_on, unchanged=before is None or whole),
                before=None if before is None else Without(before, ground, whole=whole),
            )
        )
        places = _Places(path.parent, plan, ground)
        yield [places.named(_placed(report, places))]


def _gaps(
    plan: Plan, ground: Ground, fail_on: Severity, policies: Sequence[Policy], require: Sequence[str], *, unchanged: bool
) -> Sequence[Gap]:
    """The gaps of a plan that no list has: changes that it leaves to a later one, and what its resources do besides.

    `unchanged`: whether what it leaves as it is counts.
    """
    scope = Scope(f"/tenants/{ground.tenant_id}".lower(), "plan", ScopeKind.TENANT)
    found = []
    if plan.deferred_changes or not plan.complete:
        count = plural(len(plan.deferred_changes), "change")
        detail = f"{count} left to a later plan" if plan.deferred_changes else "it leaves changes to a later plan"
        found.append(Gap(scope=scope, reason=Reason.AFTER_APPLY, operations=(), detail=detail))
    perhaps: dict[str, list[str]] = {}
    for aside in ground.answers.asides:
        about = [each for each in policies if not aside.tables or each.table.name in aside.tables]
        blinds = tuple(each.text.id for each in about if each.top_severity.rank >= fail_on.rank)
        if not blinds or not (aside.changes or unchanged):
            continue
        if aside.certain or EVERY_RESOURCE in require:
            its = structs.replace(scope, name=aside.address)
            found.append(Gap(scope=its, reason=Reason.UNREAD_RESOURCE, operations=(), detail=f"it {aside.what}", blinds=blinds))
        else:
            perhaps.setdefault(aside.what, []).append(aside.address)
    if perhaps:
        detail = "; ".join(f"{shown_some(addresses)}: it {what}" for what, addresses in perhaps.items())
        found.append(Gap(scope=scope, reason=Reason.UNREAD_RESOURCE, operations=(), detail=detail, required=False))
    return found


class Without:
    """The tenant without the plan, which decides what the plan changes."""

    def __init__(self, before: Snapshot, ground: Ground, *, whole: bool) -> None:
        """`whole`: what the plan leaves as it is counts, too."""
        self._before, self._ground, self._whole = before, ground, whole

    def accepted(
        self, accepted: Acceptance, policies: Sequence[Policy], judging: Judging
    ) -> tuple[Acceptance, Sequence[UnknownGroup] | None]:
        """What is accepted: besides what is given, each finding that is there without the plan, on a resource that the plan
        leaves as it is. And what is unknown without the plan; None if that counts, too.
        """
        if self._whole:
            return accepted, None
        given = accepted.baseline
        entries = list(given.entries if given else ())
        with audit.judge(self._before, policies, judging) as report:
            entries += [
                Known(policy=each.policy.id, subject=each.subject, severity=each.severity, since=judging.as_of)
                for each in report.findings(False)
                if each.outcome is Outcome.FAIL and not self._changes(each)
            ]
            groups = report.groups
        run = self._before.run
        baseline = Baseline(
            tenant_id=run.tenant_id.lower(),
            run_id=run.run_id,
            as_of=judging.as_of,
            complete=report.verdict.complete,
            limit=given.limit if given else DAY,
            entries=tuple(entries),
        )
        return structs.replace(accepted, baseline=baseline, new_only=True), groups

    def _changes(self, finding: Finding) -> bool:
        answers = self._ground.answers
        origin = answers.origin(str(finding.row.get("id", ""))) or answers.origin(finding.subject)
        return origin is not None and origin.changes


def _check(live: Live, stored: Stored, kept: Path | None) -> None:
    for flag, given in (
        ("--demo", live.demo),
        ("--tenant", live.tenant),
        ("--auth", live.auth),
        ("--subscription", live.subscription),
        ("--resource-group", live.resource_group),
        ("--vault", live.vault),
        ("--source", live.source),
        ("--import", live.imports),
        ("--keep, --since", kept),
        ("--as-of", None if stored.from_ else stored.as_of),
    ):
        if given:
            raise UsageError(flag, f"cannot be combined with --plan: {_ELSEWHERE}", "leave it out")


def _read(plan: Plan, ground: Ground, folder: Path, settings: Settings, before: Snapshot | None) -> Snapshot:
    """The snapshot of a plan, or of the tenant after the plan."""
    if before is not None:
        named = Ground(ground.resources, Answers(), settings.environment, ground.now).tenant_id
        if named not in (NOWHERE, before.run.tenant_id.lower()):
            what = f"the plan is for tenant {named}, and the snapshot is of {one_line(before.run.tenant_id)}"
            raise UnsafeError("--plan, --from", what, "name a snapshot of the tenant that the plan is for")
    run = Run(
        run_id=str(uuid.uuid4()),
        tenant_id=ground.tenant_id,
        tenant_name="",
        environment=settings.environment.name,
        identity=f"a plan of Terraform {plan.terraform_version}".rstrip(),
        as_of=ground.now,
        tool_version=__version__,
        environment_rules=settings.environment_rules,
        planned=True,
    )
    with PlanSpool.create(folder / "plan", run) as spool:
        failures = asyncio.run(collect_plan(ground, spool, settings.environment, progress=Silent()))
        for failure in failures:
            raise failure.error
        if before is None:
            return write(spool, run)
        after = structs.replace(before.run, planned=True)
        return laid_over(before, spool, Removed(ground), folder / "after", after)


class _Places:
    """The resources of a plan that findings are about."""

    def __init__(self, folder: Path, plan: Plan, ground: Ground) -> None:
        self._ground = ground
        self._source = Source(folder, plan.configuration)

    def placed(self, finding: Finding) -> Finding:
        """The finding, with the resource that it is about, and no id that stands for one the plan does not name."""
        fix, *steps = (
            {part: text.replace(NOWHERE, "SUBSCRIPTION") for part, text in each.items()}
            for each in (finding.fix, *finding.steps)
        )
        finding = structs.replace(finding, fix=fix, steps=steps)
        origin = self._ground.answers.origin(str(finding.row.get("id", ""))) or self._ground.answers.origin(finding.subject)
        if origin is None:
            return finding
        planned = self._ground.resources.at(origin.address)
        found = self._source.find(planned.module, planned.configured) if planned else None
        file, line = found or ("", 0)
        at = PlannedAt(address=origin.address, changes=origin.changes, file=file, line=line, after_apply=origin.unknown)
        return structs.replace(finding, planned=at)

    def named(self, report: Report) -> Report:
        """The report, with words in place of the id that stands for what the plan does not name."""
        if NOWHERE not in {self._ground.tenant_id, *self._ground.subscriptions}:
            return report

        def listing(name: str) -> Listing:
            found = report.listing(name)
            return structs.replace(found, rows=lambda: map(_named, found.rows()))

        return structs.replace(
            report,
            run=_named(structs.replace(report.run, tenant_name=report.run.tenant_name or _UNNAMED.replace("-", " "))),
            verdict=_named(report.verdict),
            groups=_named(report.groups),
            findings=lambda passes: map(_named, report.findings(passes)),
            owned=lambda passes: map(_named, report.owned(passes)),
            apart=lambda passes: map(_named, report.apart(passes)),
            worst=lambda most: [*map(_named, report.worst(most))],
            causes=lambda: _named(report.causes()),
            first=lambda: _named(report.first()),
            listing=listing,
        )


def _named(value: Any) -> Any:
    """The value, with those words in each of its texts. A text of a closed list stays, and so does what a policy says."""
    if type(value) is str:
        return value.replace(NOWHERE, _UNNAMED)
    if isinstance(value, Struct) and not isinstance(value, PolicyText):
        return structs.replace(value, **{name: _named(getattr(value, name)) for name in value.__struct_fields__})
    if isinstance(value, list):
        return [*map(_named, value)]
    if type(value) is tuple:
        return tuple(map(_named, value))
    return {name: _named(each) for name, each in value.items()} if isinstance(value, dict) else value


def _placed(report: Report, places: _Places) -> Report:
    """The report, each finding with the resource that it is about."""

    def findings(passes: bool) -> Iterator[Finding]:
        return (places.placed(finding) for finding in report.findings(passes))

    def owned(passes: bool) -> Iterator[tuple[Owner, Finding]]:
        return ((owner, places.placed(finding)) for owner, finding in report.owned(passes))

    def worst(most: int) -> Sequence[Finding]:
        return [places.placed(finding) for finding in report.worst(most)]

    return structs.replace(report, findings=findings, owned=owned, worst=worst)
