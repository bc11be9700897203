"""One audit of the tenant in memory: collected, written, judged, and what came of it as plain values."""

import asyncio
import contextlib
import functools
import math
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from msgspec import Struct

from keyaudit import audit, evaluation
from keyaudit.cloud.connection import Connection, Identity
from keyaudit.cloud.gateway import Gateway
from keyaudit.cloud.identity.tokens import Tokens
from keyaudit.cloud.sender import Sender
from keyaudit.collect import x509
from keyaudit.collect.evidence import Evidence
from keyaudit.collect.run import collect_all
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Coverage
from keyaudit.model.errors import AuditError, Exit
from keyaudit.model.evidence import BY_RIGHT
from keyaudit.model.forecast import Forecast
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Report, Run
from keyaudit.model.scope.filters import Filters
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.policy.evaluation.judge import Judgement, judge
from keyaudit.policy.evaluation.verdict import NOT_VIOLATED
from keyaudit.policy.load import load
from keyaudit.policy.settings import Judging
from tests.sweep.contents import digest
from tests.sweep.recall import Recall
from tests.sweep.tenant import ENVIRONMENT, Answers, Call, Clients, Meddle

_X509 = x509._Reader

EVERYTHING = Filters()
Result = tuple[str, str]
"""A policy's id, and the id of a row that it judged or of a scope that gave too few."""


class Clock:
    """The estate's day; only sleeping moves it, and takes no time."""

    def __init__(self, as_of: int) -> None:
        self._as_of, self._passed = as_of, 0.0

    def now(self) -> int:
        """Whole seconds since 1970."""
        return self._as_of

    def monotonic(self) -> float:
        """How long it has slept."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Let the others run."""
        self._passed += seconds
        await asyncio.sleep(0)


class _Silent:
    def update(self, surface: str, done: int, total: int | None) -> None:
        """Progress is of no interest."""

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """Nor is what is waited for."""

    def foretell(self, forecast: Forecast) -> None:
        """Not looked at."""


class Missing(Struct, frozen=True):
    """Something that was not read, as the verdict tells it."""

    scope: str
    operations: tuple[str, ...]
    reason: Reason
    policies: tuple[str, ...]


class Audited(Struct, frozen=True):
    """What an audit came to."""

    results: Mapping[Result, Outcome]
    """Fails, passes and unknowns, of rows and of scopes, without rows that a policy does not apply to."""
    scopes: frozenset[Result]
    """Those that are about a scope: unknown, all of them."""
    conditions: tuple[Exit, ...]
    gaps: tuple[Missing, ...]
    spared: frozenset[Result] = frozenset()
    """Rows that do not violate a policy, where it is unknown whether it applies: it counts as not applicable."""
    unanswered: frozenset[str] = frozenset()
    """Policies that were not evaluated."""
    bugs: tuple[str, ...] = ()
    """Units that ended in an exception, as `surface: exception`."""


class Stopped(Struct, frozen=True):
    """An audit that came to nothing. `meant`: keyaudit stopped by itself, with an exit code of its own."""

    why: str
    meant: bool


class Base(Struct, frozen=True):
    """An audit without a fault, with everything that faults are measured by."""

    audited: Audited
    findings: Sequence[Finding]
    """All of them, passes included."""
    coverage: Sequence[Coverage]
    calls: Mapping[Call, Any]
    """Every request with its answer."""
    rows: Mapping[str, int]
    """By table how many there are."""
    not_applicable: frozenset[str]
    """Policies that do not apply to some row of their table."""


class Auditor:
    """Audits one tenant again and again, with something else in the way each time. Use it in `with`."""

    def __init__(self, answers: Answers, evidence: Evidence) -> None:
        self._answers, self._evidence = answers, evidence
        self._policies = load()
        self._known: dict[str, Audited | Stopped] = {}
        self._opened = contextlib.ExitStack()
        self._recall: Recall
        self.undisturbed: Audited | Stopped | None = None
        """The result of a run without faults, or with a fault in something that nobody reads."""

    def __enter__(self) -> "Auditor":
        self._folder = Path(self._opened.enter_context(tempfile.TemporaryDirectory(dir=_in_memory(), prefix="sweep-")))
        (self._folder / "kept").mkdir()
        self._recall = self._opened.enter_context(Recall(self._folder / "kept"))
        self._opened.enter_context(mock.patch.object(x509, "_Reader", functools.cache(_read_once)))
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def base(self) -> Base:
        """An audit without a fault, by the program itself."""
        calls: dict[Call, Any] = {}
        with self._collected(None, calls) as (spool, bugs):
            assert not bugs, bugs
            snapshot = write(spool, spool.run, self._evidence.logs)
            with self._judged(snapshot) as (report, spared):
                findings = tuple(report.findings(True))
                results = {(each.policy.id, _about(each)): each.outcome for each in findings}
                base = Base(
                    _audited(report, results, frozenset(_scopes(findings)), spared),
                    findings,
                    snapshot.coverage,
                    calls,
                    snapshot.run.rows,
                    frozenset(tally.policy.id for tally in report.tallies if tally.not_applicable),
                )
        self.undisturbed = self.run(None)
        # What is recalled has to be what the program itself comes to.
        assert self.undisturbed == base.audited, self.undisturbed
        return base

    def calls(self, meddle: Meddle) -> Mapping[Call, Any]:
        """The requests of a run that something gets in the way of, with the answers."""
        calls: dict[Call, Any] = {}
        with self._collected(meddle, calls) as (_, bugs):
            assert not bugs, bugs
        return {call: answer for call, answer in calls.items() if answer.status == 200}

    def results_of(self, answers: Answers) -> Mapping[Result, Outcome]:
        """What an audit of another tenant comes to, by policy and subject; a failure counts before all else."""
        found: dict[Result, Outcome] = {}
        self._answers = answers
        with self._recall.recalling(), self._collected(None, {}) as (spool, bugs):
            assert not bugs, bugs
            with self._judged(write(spool, spool.run, self._evidence.logs)) as (report, _):
                for each in report.findings(True):
                    if found.get((each.policy.id, each.subject)) is not Outcome.FAIL:
                        found[each.policy.id, each.subject] = each.outcome
        return found

    def of_sources(self, *sources: str) -> Audited:
        """An audit of these sources alone."""
        with self._recall.recalling(), self._collected(None, {}, Filters(sources=sources)) as (spool, bugs):
            return self.worked_out(spool, bugs)

    def run(self, meddle: Meddle | None) -> Audited | Stopped:
        """One audit; what the same answers came to before is not worked out again."""
        try:
            with self._recall.recalling(), self._collected(meddle, {}) as (spool, bugs):
                key = _content(spool, bugs)
                if key not in self._known:
                    self._known[key] = self.worked_out(spool, bugs)
                return self._known[key]
        except AuditError as error:
            return Stopped(str(error), meant=True)
        except Exception as error:  # noqa: BLE001 - a bug that ends the run is what is looked for
            return Stopped(f"{type(error).__name__}: {error}", meant=False)

    @contextlib.contextmanager
    def _collected(
        self, meddle: Meddle | None, calls: dict[Call, Any], filters: Filters = EVERYTHING
    ) -> Iterator[tuple[Spool, tuple[str, ...]]]:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            spool, bugs = asyncio.run(self._collect(Path(folder) / "out", meddle, calls, filters))
            with spool:
                yield spool, bugs

    async def _collect(
        self, folder: Path, meddle: Meddle | None, calls: dict[Call, Any], filters: Filters
    ) -> tuple[Spool, tuple[str, ...]]:
        estate = self._answers.estate
        clock, clients = Clock(estate.as_of), Clients(self._answers, OPERATIONS, meddle)
        tokens: Any = Tokens(ENVIRONMENT, clock)
        replaced: Any = clients
        door: Any = SimpleNamespace(requests=0)
        sender = Sender(replaced, tokens, clock, share=1.0, concurrency=64, deadline=math.inf, chance=random.Random(0))
        gateway = Gateway(sender, ENVIRONMENT)
        connection = Connection(gateway, Identity(estate.tenant_id, "sweep"), ENVIRONMENT, door)
        run = Run(
            run_id="sweep",
            tenant_id=estate.tenant_id,
            tenant_name="",
            environment=ENVIRONMENT.name,
            identity="sweep",
            as_of=estate.as_of,
            tool_version="0",
            filters=filters,
            evidence=self._evidence.digests,
        )
        spool = Spool.create(folder, run)
        with contextlib.ExitStack() as failed:
            failed.enter_context(spool)
            failures = await collect_all(connection, spool, progress=_Silent(), evidence=self._evidence)
            failed.pop_all()
        calls.update(clients.calls)
        return spool, tuple(f"{failure.surface}: {failure.error!r}" for failure in failures)

    @contextlib.contextmanager
    def _judged(self, snapshot: Snapshot) -> Iterator[tuple[Report, frozenset[Result]]]:
        """The report, and the rows that are spared."""
        judgements: list[Judgement] = []

        def judge_policies(*arguments: Any, **how: Any) -> Judgement:
            judgements.append(judge(*arguments, **how))
            return judgements[-1]

        with (
            mock.patch.object(evaluation, "judge_policies", judge_policies),
            audit.judge(
                snapshot, self._policies, Judging(as_of=self._answers.estate.as_of, require=BY_RIGHT), fail_on=Severity.LOW
            ) as report,
        ):
            yield report, frozenset(_spared(judgements[-1]))

    def anew(self, meddle: Meddle | None) -> Audited:
        """The same in a separate process, without cached results. Raises the error that stops the run."""
        with self._collected(meddle, {}) as (spool, bugs):
            return self.worked_out(spool, bugs)

    def worked_out(self, spool: Spool, bugs: tuple[str, ...]) -> Audited:
        """What a collection comes to."""
        with self._judged(write(spool, spool.run, self._evidence.logs)) as (report, spared):
            findings = tuple(report.findings(True))
            results = {(each.policy.id, _about(each)): each.outcome for each in findings}
            return _audited(report, results, frozenset(_scopes(findings)), spared, bugs)


def _read_once(encoded: bytes) -> Any:
    """A certificate, parsed once for all runs."""
    reader = _X509(encoded)
    return SimpleNamespace(facts=functools.cache(reader.facts), brief=functools.cache(reader.brief))


def _spared(judgement: Judgement) -> Iterator[Result]:
    for table in judgement._tables:
        ids = [bound.policy.text.id for bound in table.bounds]
        names = (f"CASE WHEN code{at} = {NOT_VIOLATED} THEN '{id_}' END" for at, id_ in enumerate(ids))
        query = f"SELECT id, unnest([{', '.join(names)}]) AS policy FROM {table.relation}"
        yield from judgement._reader.rows(f"SELECT policy, id FROM ({query}) WHERE policy IS NOT NULL")


def _scopes(findings: Iterator[Finding] | Sequence[Finding]) -> Iterator[Result]:
    return ((each.policy.id, each.scope.id) for each in findings if each.scope is not None)


def _about(finding: Finding) -> str:
    return finding.scope.id if finding.scope else str(finding.row["id"])


def _audited(
    report: Report,
    results: Mapping[Result, Outcome],
    scopes: frozenset[Result],
    spared: frozenset[Result],
    bugs: tuple[str, ...] = (),
) -> Audited:
    gaps = tuple(
        Missing(gap.scope.id, gap.operations, gap.reason, gap.blinds)
        for gap in report.verdict.gaps
        if gap.required and not gap.allowed
    )
    unanswered = frozenset(each.policy.id for each in report.verdict.not_judged)
    return Audited(results, scopes, report.verdict.conditions, gaps, spared, unanswered, bugs)


def _content(spool: Spool, bugs: tuple[str, ...]) -> str:
    """A key that distinguishes two collections that are evaluated separately."""
    rows = [b"\n".join([table.encode(), *sorted(spool.lines(table))]) for table in TABLES]
    ledger = [(each.scope.id, each.operation, each.state, each.reason, each.kept > 0) for each in spool.coverage()]
    return digest(*rows, repr(ledger), repr(bugs))


def _in_memory() -> str | None:
    """A place for files that is no disk, where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
