"""A Terraform or OpenTofu plan in place of a tenant: read, stored as a temporary snapshot, and evaluated as any other."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from keyaudit import __version__
from keyaudit.audit import Detail
from keyaudit.cli.clock import SystemClock
from keyaudit.cli.judged import judged
from keyaudit.cli.options import Choice, Live, Stored
from keyaudit.cli.settings import settle
from keyaudit.cloud.environment import Environment
from keyaudit.collect.plan.document import Plan, read_plan
from keyaudit.collect.plan.run import answers_of, collect_plan
from keyaudit.collect.plan.spool import PlanSpool
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.inventory.temporary import temporary_folder
from keyaudit.model.environments import EnvironmentRule
from keyaudit.model.errors import UsageError
from keyaudit.model.findings import Severity
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
        taken = _snapshot(plan, folder / "plan", settings.environment, settings.environment_rules)
        moment = (taken, taken.run.as_of)
        with judged(
            live, Stored(), choice, fail_on=fail_on, new_only=new_only, detail=detail, taken=moment, planned=True
        ) as report:
            yield [report]


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


def _snapshot(plan: Plan, folder: Path, environment: Environment, rules: tuple[EnvironmentRule, ...]) -> Snapshot:
    now = SystemClock().now()
    ground, _ = answers_of(plan, environment, now)
    run = Run(
        run_id=str(uuid.uuid4()),
        tenant_id=ground.tenant_id,
        tenant_name="",
        environment=environment.name,
        identity=f"a plan of Terraform {plan.terraform_version}".rstrip(),
        as_of=now,
        tool_version=__version__,
        environment_rules=rules,
        planned=True,
    )
    with PlanSpool.create(folder, run) as spool:
        failures = asyncio.run(collect_plan(ground, spool, environment, progress=_Silent()))
        for failure in failures:
            raise failure.error
        return write(spool, run)


class _Silent:
    """A plan is read at once: there is no progress to show."""

    def update(self, surface: str, done: int, total: int | None) -> None:
        """Nothing."""

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """Nothing."""
