"""What a fault changed, against the rules: a result may only become unknown, and nothing disappears in silence."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from keyaudit.model.coverage import ScopeKind
from keyaudit.model.findings import Finding, Outcome
from tests.sweep.audited import Audited, Base, Result, Stopped
from tests.sweep.faults import Fault

GONE = "gone"
"""There is no such result any more: the row is missing, or the policy does not apply to it."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One result that is not as it should be."""

    policy: str
    row: str
    before: str
    after: str

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.policy} {self.before} -> {self.after}: {self.row}"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one fault did."""

    unknown: int
    """Results that were known and are unknown."""
    others: int
    """Those of them that are not about the one object that was struck, nor about what names it."""
    silent: tuple[Wrong, ...] = ()
    """Fails and unknowns that became passes, or are gone and nothing says so; or a gate that would say clean."""
    losses: tuple[Wrong, ...] = ()
    """Passes that became fails, or are gone and nothing says so; results that nobody should have."""
    fallbacks: int = 0
    """Answers of another kind that are right."""
    stopped: str = ""
    bugs: tuple[str, ...] = ()


Believed = Callable[[Fault, Wrong], str]
"""Why a change is right after all; empty where it is not."""


class Judge:
    """Holds what audits came to against one without a fault."""

    def __init__(self, base: Base, believed: Believed) -> None:
        self._base, self._believed = base, believed
        self._tenant = next(each.scope.id for each in base.coverage if each.scope.kind is ScopeKind.TENANT)
        rows: dict[str, list[str]] = {}
        self._scopes: dict[str, str] = {}
        self._results: dict[str, list[Result]] = {}
        for finding in base.findings:
            about = _row(finding)
            self._results.setdefault(about, []).append((finding.policy.id, about))
            if about not in rows:
                rows[about] = [about, *_texts(finding)]
                self._scopes[about] = str(finding.row.get("scope_id") or about)
        self._texts = {about: "\n".join(texts).lower() for about, texts in rows.items()}
        self._fails = {
            about: frozenset(policy for policy, _ in results if base.audited.results[policy, about] is Outcome.FAIL)
            for about, results in self._results.items()
        }
        self._of_names = cache(self._failing)

    def effect(self, came: Audited | Stopped, *faults: Fault) -> Effect:
        """What the faults did, all at once. Only of a fault that is alone can it be said what it should not touch."""
        if isinstance(came, Stopped):
            # Where keyaudit stops with an exit code of its own there is no report that could be wrong.
            broken = () if came.meant else (Wrong("every policy", "the whole run", "judged", came.why),)
            return Effect(len(self._base.audited.results), 0, losses=broken, stopped=came.why)
        before, after = self._base.audited.results, came.results
        changed = {result: now for result, was in before.items() if (now := after.get(result)) is not was}
        unknown = [result for result, now in changed.items() if now is Outcome.UNKNOWN]
        wrong = list(self._wrong(changed, came))
        wrong += [
            Wrong(*result, GONE, now) for result, now in after.items() if result not in before and now is not Outcome.UNKNOWN
        ]
        right = [each for each in wrong if any(self._believed(fault, each) for fault in faults)]
        wrong = [each for each in wrong if each not in right]
        silent = tuple(each for each in wrong if _silent(each))
        about = faults[0].about if len(faults) == 1 else ()
        return Effect(
            unknown=len(unknown),
            others=sum(not self.concerns(row, about) for _, row in unknown) if about else 0,
            silent=silent,
            losses=tuple(each for each in wrong if each not in silent),
            fallbacks=len(right),
            bugs=came.bugs,
        )

    def concerns(self, row: str, names: Iterable[str]) -> bool:
        """Whether a row is about something called so, or names it."""
        text = self._texts.get(row, row.lower())
        return any(name in text for name in names)

    def fails(self, names: Sequence[str]) -> frozenset[str]:
        """The policies that fail for something called so, or for what names it."""
        return self._of_names(tuple(names))

    def _failing(self, names: tuple[str, ...]) -> frozenset[str]:
        return frozenset[str]().union(*(fails for row, fails in self._fails.items() if fails and self.concerns(row, names)))

    def _wrong(self, changed: Mapping[Result, Outcome | None], came: Audited) -> Iterator[Wrong]:
        gaps: dict[str, set[str]] = {}
        for missing in set(came.gaps) - set(self._base.audited.gaps):
            for policy in missing.policies:
                gaps.setdefault(policy, set()).add(missing.scope)
        heard: dict[str, set[str]] = {}
        for policy, scope in came.scopes - self._base.audited.scopes:
            heard.setdefault(policy, set()).add(scope)
        new = came.results.keys() - self._base.audited.results.keys()
        beside = {(policy, _holder(row)) for policy, row in new if came.results[policy, row] is Outcome.UNKNOWN}
        for (policy, row), now in changed.items():
            was = self._base.audited.results[policy, row]
            if now is Outcome.UNKNOWN:
                continue
            if now is not None:
                yield Wrong(policy, row, was, now)
            elif (policy, row) in self._base.audited.scopes:
                # A scope of which nothing was read is read now.
                continue
            # A new row of the same holder stands for what could not be read of it.
            elif (policy, _holder(row)) not in beside and not self._said(row, heard.get(policy, ())):
                gap = self._said(row, gaps.get(policy, ()))
                yield Wrong(policy, row, was, f"{GONE}, only a gap" if gap else GONE)

    def _said(self, row: str, scopes: Iterable[str]) -> bool:
        """Whether an unknown result of the policy stands for the row: on its scope, or what that is in."""
        scope = self._scopes[row].lower()
        return any(scope == heard or scope.startswith(f"{heard}/") or heard == self._tenant for heard in scopes)


def _holder(row: str) -> str:
    """What a row is a part of, by its id."""
    return row.rpartition("/")[0]


def _silent(wrong: Wrong) -> bool:
    if wrong.before == GONE or wrong.after.endswith("gap"):
        return False
    return wrong.before != Outcome.PASS and wrong.after in (Outcome.PASS, GONE)


def _row(finding: Finding) -> str:
    return finding.scope.id if finding.scope else str(finding.row["id"])


def _texts(finding: Finding) -> Iterator[str]:
    for value in finding.row.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from (each for each in value if isinstance(each, str))
