"""A Terraform or OpenTofu plan in place of a tenant: read, stored as a temporary snapshot, and evaluated as any other."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import structs

from keyaudit import __version__
from keyaudit.audit import Detail
from keyaudit.cli.clock import SystemClock
from keyaudit.cli.judged import judged
from keyaudit.cli.options import Choice, Live, Stored
from keyaudit.cli.settings import Settings, settle
from keyaudit.collect.plan.document import Plan, read_plan
from keyaudit.collect.plan.ground import Ground
from keyaudit.collect.plan.run import answers_of, collect_plan
from keyaudit.collect.plan.source import Source
from keyaudit.collect.plan.spool import PlanSpool
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.inventory.temporary import temporary_folder
from keyaudit.model.errors import UsageError
from keyaudit.model.expiring import Owner
from keyaudit.model.findings import Finding, Severity
from keyaudit.model.planned import PlannedAt
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Report, Run

_ELSEWHERE = "a plan is not read from Azure"


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
    kept: Path | None = None,
) -> Iterator[Sequence[Report]]:
    """The report of what a plan would make, inside a context. Raises UsageError for a file that is no plan.

    `kept`: a folder of --keep or --since, neither of which a plan has.
    """
    _check(live, stored, kept)
    settings = settle(live, resume=False)
    plan = read_plan(path)
    with temporary_folder() as folder:
        now = SystemClock().now()
        ground, _ = answers_of(plan, settings.environment, now)
        taken = _snapshot(plan, ground, folder / "plan", settings)
        moment = (taken, taken.run.as_of)
        with judged(
            live, Stored(), choice, fail_on=fail_on, new_only=new_only, detail=detail, taken=moment, planned=True
        ) as report:
            yield [_placed(report, _Places(path.parent, plan, ground))]


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
        ("--as-of", stored.as_of),
    ):
        if given:
            raise UsageError(flag, f"cannot be combined with --plan: {_ELSEWHERE}", "leave it out")


def _snapshot(plan: Plan, ground: Ground, folder: Path, settings: Settings) -> Snapshot:
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
    with PlanSpool.create(folder, run) as spool:
        failures = asyncio.run(collect_plan(ground, spool, settings.environment, progress=_Silent()))
        for failure in failures:
            raise failure.error
        return write(spool, run)


class _Places:
    """The resources of a plan that findings are about."""

    def __init__(self, folder: Path, plan: Plan, ground: Ground) -> None:
        self._ground = ground
        self._source = Source(folder, plan.configuration)

    def of(self, finding: Finding) -> Finding:
        """The finding, with the resource that it is about."""
        origin = self._ground.answers.origin(str(finding.row.get("id", ""))) or self._ground.answers.origin(finding.subject)
        if origin is None:
            return finding
        planned = self._ground.resources.at(origin.address)
        found = self._source.find(planned.module, planned.configured) if planned else None
        file, line = found or ("", 0)
        at = PlannedAt(address=origin.address, changes=origin.changes, file=file, line=line, after_apply=origin.unknown)
        return structs.replace(finding, planned=at)


def _placed(report: Report, places: _Places) -> Report:
    """The report, each finding with the resource that it is about."""

    def findings(passes: bool) -> Iterator[Finding]:
        return map(places.of, report.findings(passes))

    def owned(passes: bool) -> Iterator[tuple[Owner, Finding]]:
        return ((owner, places.of(finding)) for owner, finding in report.owned(passes))

    def worst(most: int) -> Sequence[Finding]:
        return [places.of(finding) for finding in report.worst(most)]

    return structs.replace(report, findings=findings, owned=owned, worst=worst)


class _Silent:
    """A plan is read at once: there is no progress to show."""

    def update(self, surface: str, done: int, total: int | None) -> None:
        """Nothing."""

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """Nothing."""
