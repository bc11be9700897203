"""What many tests look at and none changes, worked out once: the snapshots of simulated tenants, and what was judged.

Only results of pure functions on unedited files are cached: DuckDB's conversion of a snapshot, and its views. Verdicts, exit
codes, findings and texts are computed by every command.
"""

import contextlib
import functools
import itertools
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from keyaudit import ask, audit, evaluation
from keyaudit.audit import PLAIN, Detail
from keyaudit.inventory import views
from keyaudit.inventory.dialect import DuckDB, sqlite
from keyaudit.inventory.engine_choice import fits_sqlite
from keyaudit.inventory.facts.sql import Statement
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.gating.acceptance import NOTHING_ACCEPTED, Acceptance
from keyaudit.model.results.run import Run
from keyaudit.model.scope.owners import NO_RULES
from keyaudit.model.scope.part import WHOLE, Part
from keyaudit.model.tables import TABLES
from keyaudit.policy.evaluation.judge import judge
from keyaudit.policy.evaluation.queries import BASELINE
from keyaudit.policy.load import Policy
from keyaudit.policy.settings import Judging

_KEPT = 6
"""How many opened snapshots are kept, and how many that all policies have judged: each takes some 30 MB."""
_STATEMENTS = 100
"""How many lists of statements are kept: each takes up to a megabyte."""
_MANY = 100
"""Policies that are as good as all of them."""


def remember_sql(patch: pytest.MonkeyPatch) -> None:
    """Write the SQL of views once for the same arguments, and translate each statement once: it depends on nothing else."""
    write, known = views.statements, OrderedDict[str, list[Statement]]()

    def statements(sql: DuckDB, rows: Any, run: Run, as_of: int, **how: Any) -> list[Statement]:
        columns = how["columns"] and {table: sorted(names) for table, names in how["columns"].items()}
        key = str((type(sql), rows, run, as_of, {**how, "columns": columns, "unread": sorted(how.get("unread", ()))}))
        if key not in known:
            known[key] = write(sql, rows, run, as_of, **how)
            if len(known) > _STATEMENTS:
                known.popitem(last=False)
        return known[key]

    patch.setattr(views, "statements", statements)
    patch.setattr(sqlite, "translated", functools.lru_cache(_STATEMENTS * 20)(sqlite.translated))


def of_this_run(factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run of pytest have in common."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def _judged(
    snapshot: Snapshot,
    policies: Sequence[Policy],
    judging: Judging,
    accepted: Acceptance = NOTHING_ACCEPTED,
    *,
    detail: Detail = PLAIN,
    part: Part = WHOLE,
    **decided: object,
) -> str:
    """The arguments of `audit.judge`, without those that are for the verdict alone."""
    del snapshot, decided
    return f" {[id(policy) for policy in policies]} {judging} {accepted.waivers} {accepted.baseline} {detail} {part}"


Kept = OrderedDict[object, tuple[ExitStack, Any]]


class Opened:
    """Connections to snapshots, each with what was judged over it: kept open, the least used closed first."""

    def __init__(self) -> None:
        self.narrow = False
        """Whether views of some columns alone are made as the command makes them, and not taken from those of all columns."""
        self._numbers = itertools.count()
        self._asked = [""]
        self._few: Kept = OrderedDict()
        self._many: Kept = OrderedDict()
        self._judged: dict[tuple[int, object], tuple[object, Any]] = {}
        self._judging, self._evaluating = Snapshot.judging, Snapshot.evaluating
        self._judge_policies = judge

    def close(self) -> None:
        """Close them all."""
        for kept in (self._few, self._many):
            while kept:
                self._drop(kept)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Let `audit` and `ask` take what is kept here where all arguments are alike; a live run is not kept."""
        patch.setattr(audit, "judge", self._streamed("judge", audit.judge))
        patch.setattr(evaluation, "judge_policies", self._judged_policies)

        def judging(snapshot: Snapshot, as_of: int, **how: Any) -> Any:
            return self._connection(snapshot, as_of, **how)

        def evaluating(snapshot: Snapshot, as_of: int, *together: int, **how: Any) -> Any:
            return self._evaluated(snapshot, as_of, *together, **how)

        patch.setattr(Snapshot, "judging", judging)
        patch.setattr(Snapshot, "evaluating", evaluating)
        for name in ("access", "incident", "rotation"):
            patch.setattr(ask, name, self._called(name, getattr(ask, name)))
        for name in ("inventory", "expiring"):
            patch.setattr(ask, name, self._streamed(name, getattr(ask, name)))

    def _called(self, name: str, question: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*arguments: Any, **how: Any) -> Any:
            with self._asking(name):
                return question(*arguments, **how)

        return asked

    def _streamed(self, name: str, question: Callable[..., Any]) -> Callable[..., Any]:
        @contextlib.contextmanager
        def asked(*arguments: Any, **how: Any) -> Iterator[Any]:
            judged = _judged(*arguments, **how) if name == "judge" else ""
            with self._asking(name + judged), question(*arguments, **how) as found:
                yield found

        return asked

    @contextlib.contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        self._asked.append(what)
        try:
            yield
        finally:
            self._asked.pop()

    @contextlib.contextmanager
    def _connection(self, snapshot: Snapshot, as_of: int, **how: Any) -> Iterator[Any]:
        if not self._keeps(snapshot):
            with self._judging(snapshot, as_of, **how) as connection:
                yield connection
            return

        whole: Any = (None, None) if how.get("prepared") else self._evaluated_whole(snapshot, as_of)
        connection, made = whole
        if made is not None:
            made.give(connection)
            if self._asked[-1].startswith("judge "):
                yield self._held(snapshot, as_of, how, lambda: contextlib.closing(connection.cursor()), self._asked[-1])
                return
            with connection.cursor() as own:
                yield own
            return

        def opened() -> Any:
            return self._judging(snapshot, as_of, **how)

        connection = self._held(snapshot, (as_of, self.narrow), how, opened, self._asked[-1])
        if self._asked[-1].startswith("judge "):
            yield connection
            return
        # What asks makes temporary tables, which a cursor has to itself.
        with connection.cursor() as own:
            yield own

    @contextlib.contextmanager
    def _evaluated(self, snapshot: Snapshot, as_of: int, *together: int, **how: Any) -> Iterator[Any]:
        if not self._keeps(snapshot):
            with self._evaluating(snapshot, as_of, *together, **how) as views:
                yield views
            return
        whole = self._evaluated_whole(snapshot, as_of, *together)
        if whole[1] is not None:
            yield whole
            return

        def opened() -> Any:
            return self._evaluating(snapshot, as_of, *together, **how)

        yield self._held(snapshot, (as_of, together), how, opened, self._asked[-1])

    def _evaluated_whole(self, snapshot: Snapshot, as_of: int, *together: int) -> Any:
        """All views of a snapshot that SQLite evaluates, which all questions about it share; else (None, None)."""
        if self.narrow or not fits_sqlite(snapshot.run, snapshot.sizes.values(), *together):
            return None, None
        how: dict[str, Any] = {"names": tuple(TABLES), "columns": None, "reach_known": True, "often": ()}
        found = self._held(snapshot, as_of, how, lambda: self._evaluating(snapshot, as_of, **how), "")
        # Some texts are for DuckDB alone, which needs room for each view.
        return found if found[1] is not None else (None, None)

    def _keeps(self, snapshot: Snapshot) -> bool:
        return snapshot.owners == NO_RULES and not snapshot.folder.parent.name.startswith("keyaudit-")

    def _held(self, snapshot: Snapshot, when: object, how: dict[str, Any], opened: Callable[[], Any], asked: str) -> Any:
        made = (snapshot.folder / "manifest.json").stat().st_mtime_ns
        given = {name: sorted(value) if isinstance(value, set) else value for name, value in how.items()}
        key = (snapshot.folder, made, when, str(given), asked)
        kept = self._many if not asked or asked.count(", ") > _MANY else self._few
        if key not in kept:
            while len(kept) >= _KEPT:
                self._drop(kept)
            with ExitStack() as stack:
                found = stack.enter_context(opened())
                kept[key] = (stack.pop_all(), found)
        kept.move_to_end(key)
        return kept[key][1]

    def _judged_policies(self, engine: Any, policies: Any, *rest: Any, **how: Any) -> Any:
        views = getattr(engine, "_connection", engine.reader)
        if not any(views in _views(held) for kept in (self._few, self._many) for _, held in kept.values()):
            return self._judge_policies(engine, policies, *rest, **how)
        key = id(views), f"{engine.again} {self._asked[-1]}"
        # The policies are kept with it, so that their ids stay theirs.
        if key not in self._judged:
            engine.again += f"_{next(self._numbers)}"
            views.execute(f"DROP TABLE IF EXISTS {BASELINE}")
            self._judged[key] = (policies, self._judge_policies(engine, policies, *rest, **how))
        return self._judged[key][1]

    def _drop(self, kept: Kept) -> None:
        _, (stack, held) = kept.popitem(last=False)
        ids = set(map(id, _views(held)))
        for key in [key for key in self._judged if key[0] in ids]:
            del self._judged[key]
        stack.close()


def _views(held: Any) -> Sequence[object]:
    """What has the views, of what is kept: a connection, or a connection and SQLite."""
    return held if isinstance(held, tuple) else (held,)


@pytest.fixture(scope="module")
def views_once() -> Iterator[None]:
    """The views of each snapshot are made once for the tests of a module, and for all workers."""
    opened = Opened()
    with pytest.MonkeyPatch.context() as patch:
        opened.install(patch)
        yield
    opened.close()
