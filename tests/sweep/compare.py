"""What a fault changed, against the rules: a result may only become unknown, and nothing disappears in silence."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct

from keyaudit.model.coverage import ScopeKind
from keyaudit.model.errors import Exit
from keyaudit.model.results.findings import Finding, Outcome
from tests.sweep.audited import Audited, Base, Result, Stopped
from tests.sweep.faults import Fault
from tests.sweep.members import NOWHERE

_FOUND_ELSEWHERE = frozenset({"log_table", "workspace"})
"""Tables whose rows are found by what is read of many other scopes: an unknown result there is one about them."""

CLEAN = "exit 0"
"""A gate does not count it."""

GONE = "gone"
"""There is no such result any more: the row is missing, or the policy does not apply to it."""


class Wrong(Struct, frozen=True):
    """One result that is not as it should be."""

    policy: str
    row: str
    before: str
    after: str

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.policy} {self.before} -> {self.after}: {self.row}"


class Effect(Struct, frozen=True):
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
        self._spread: set[str] = set()
        self._results: dict[str, list[Result]] = {}
        for finding in base.findings:
            about = _row(finding)
            self._results.setdefault(about, []).append((finding.policy.id, about))
            if about not in rows:
                rows[about] = [about, *_texts(finding)]
                self._scopes[about] = str(finding.row.get("scope_id") or about)
                if finding.policy.table in _FOUND_ELSEWHERE:
                    self._spread.add(about)
        self._texts = {about: "\n".join(texts).lower() for about, texts in rows.items()}
        self._fails = {
            about: frozenset(policy for policy, _ in results if base.audited.results[policy, about] is Outcome.FAIL)
            for about, results in self._results.items()
        }
        self._of_names = cache(self._failing)

    def effect(self, came: Audited | Stopped, *faults: Fault, near: bool = False) -> Effect:
        """What the faults did, all at once. Only of a fault that is alone can it be said what it should not touch.

        `near`: what one of them excuses is about its own object.
        """
        if isinstance(came, Stopped):
            # Where keyaudit stops with an exit code of its own there is no report that could be wrong.
            broken = () if came.meant else (Wrong("every policy", "the whole run", "judged", came.why),)
            return Effect(len(self._base.audited.results), 0, losses=broken, stopped=came.why)
        before, after = self._base.audited.results, came.results
        changed = {result: now for result, was in before.items() if (now := after.get(result)) is not was}
        unknown = [result for result, now in changed.items() if now is Outcome.UNKNOWN]
        wrong = [*self._wrong(changed, came), *self._passed_over(came)]
        wrong += [
            Wrong(*result, GONE, now) for result, now in after.items() if result not in before and now is not Outcome.UNKNOWN
        ]
        gone = [Wrong(*result, before[result], GONE) for result, now in changed.items() if now is None]
        wrong = _without_renamed(wrong, gone)
        right = [
            each
            for each in wrong
            if any(self._believed(fault, each) for fault in faults if not near or self.concerns(each.row, fault.about))
        ]
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
        gaps = _by_policy(
            (policy, gap.scope) for gap in set(came.gaps) - set(self._base.audited.gaps) for policy in gap.policies
        )
        heard = _by_policy(came.scopes - self._base.audited.scopes)
        unread, harmless = self._unread(came), self._harmless(came)
        for (policy, row), now in changed.items():
            was = self._base.audited.results[policy, row]
            if now is Outcome.UNKNOWN or (was is Outcome.PASS and (policy, row) in came.spared):
                continue
            if now is not None:
                yield Wrong(policy, row, was, now)
            elif was is Outcome.PASS and self._stands(row, harmless.get(policy, {})):
                continue
            elif not self._said(row, heard.get(policy, ())) and not self._stands(row, unread.get(policy, {})):
                gap = self._said(row, gaps.get(policy, ()))
                yield Wrong(policy, row, was, f"{GONE}, only a gap" if gap else GONE)

    def _passed_over(self, came: Audited) -> Iterator[Wrong]:
        """Unknown results over which a gate may exit 0."""
        unknown = came.gaps or Outcome.UNKNOWN in came.results.values()
        if unknown and Exit.INCOMPLETE not in came.conditions:
            yield Wrong("every policy", "the gate", Outcome.UNKNOWN, CLEAN)

    def _unread(self, came: Audited) -> Mapping[str, dict[str, float]]:
        """By policy, and by what it is a part of, how many things gone the new unknown results there stand for.

        A thing whose own name could not be read has a row beside the others of its whole, and stands for one of them; a row
        `unread` stands for all that were not read there.
        """
        known = self._base.audited.results.keys() | came.scopes
        return _standing(result for result, now in came.results.items() if now is Outcome.UNKNOWN and result not in known)

    def _harmless(self, came: Audited) -> Mapping[str, dict[str, float]]:
        """The same for new rows that cannot violate the policy: they stand for passes alone."""
        return _standing(came.spared - self._base.audited.spared - self._base.audited.results.keys())

    def _stands(self, row: str, unread: dict[str, float]) -> bool:
        """Whether a new unknown result stands for the row; what stands for one thing does so once."""
        whole = next((place for place, left in unread.items() if left and self._said(row, (place,))), None)
        if whole is not None:
            unread[whole] -= 1
        return whole is not None

    def _said(self, row: str, scopes: Iterable[str]) -> bool:
        """Whether an unknown result of the policy stands for the row: on its scope, or on what that or the row itself is in."""
        if row in self._spread:
            return any(scopes)
        places = (f"{self._scopes[row].lower()}/", f"{row.lower()}/")
        return any(heard == self._tenant or any(place.startswith(f"{heard}/") for place in places) for heard in scopes)


def _without_renamed(wrong: Sequence[Wrong], gone: Sequence[Wrong]) -> list[Wrong]:
    """What is left when each thing that has another id now, beside the old one or above it, is taken for what it was.

    The id of some things is made of what a fault strikes: then one result of a policy is gone, and there is one like it.
    Of all that are gone, those come first that nothing speaks for.
    """
    left = list(wrong)
    lost = [*(each for each in wrong if each.after.startswith(GONE)), *gone]
    for made in wrong:
        if made.before == GONE:
            same = (made.policy, made.after)
            like = (each for each in lost if (each.policy, each.before) == same)
            old = next((each for each in like if _may_be(made.row.lower(), each.row.lower())), None)
            if old is not None:
                result = (old.policy, old.row)
                lost = [each for each in lost if (each.policy, each.row) != result]
                left = [each for each in left if each is not made and (each.policy, each.row) != result]
    return left


def _may_be(row: str, old: str) -> bool:
    """Whether a row may be the one that had another id: beside it or above it, or with "-" for what was not read of the id, or
    with what a fault made of a path.
    """
    if old.startswith(f"{row.rpartition('/')[0]}/"):
        return True
    parts, others = row.split("/"), old.split("/")
    return len(parts) == len(others) and all(part in ("-", NOWHERE, other) for part, other in zip(parts, others, strict=True))


def _standing(results: Iterable[Result]) -> Mapping[str, dict[str, float]]:
    """By policy, and by what it is a part of, how many things gone these rows stand for."""
    found: dict[str, dict[str, float]] = {}
    for policy, row in results:
        whole, _, name = row.rpartition("/")
        places = found.setdefault(policy, {})
        places[whole] = math.inf if name.startswith("unread") else places.get(whole, 0) + 1
    return found


def _by_policy(pairs: Iterable[Result]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for policy, about in pairs:
        found.setdefault(policy, set()).add(about)
    return found


def _silent(wrong: Wrong) -> bool:
    if wrong.before == GONE or wrong.after.endswith("gap"):
        return False
    return wrong.before != Outcome.PASS and wrong.after in (Outcome.PASS, GONE, CLEAN)


def _row(finding: Finding) -> str:
    return finding.scope.id if finding.scope else str(finding.row["id"])


def _texts(finding: Finding) -> Iterator[str]:
    for value in finding.row.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from (each for each in value if isinstance(each, str))
