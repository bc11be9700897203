"""Expressions over the columns of a row that carry, beside their value, why it is unknown.

A value that is unknown is NULL. So is one that is absent; the reason tells the two apart. A Truth is never absent, and a Count
has bounds instead of a value, so with them NULL, or bounds that differ, is all that shows whether something is unknown.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from keyaudit.inventory.facts.joins import NOTHING, Reads
from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why something may be unknown: the first of some reasons that is not NULL."""

    reasons: tuple[str, ...] = ()
    """SQL of each."""
    reads: Reads = NOTHING
    always: bool = False
    """One of them is a reason in every row."""

    @property
    def sql(self) -> str:
        """SQL of the reason; NULL without one."""
        return coalesced(self.reasons)

    def __or__(self, other: "Doubt") -> "Doubt":
        """These reasons, then the other ones."""
        reasons = tuple(dict.fromkeys(self.reasons + other.reasons))
        return Doubt(reasons, self.reads | other.reads, self.always or other.always)

    def __bool__(self) -> bool:
        return bool(self.reasons)

    def where(self, condition: "Truth") -> "Doubt":
        """These reasons where the condition may be true."""
        if not self or condition is TRUE:
            return self
        return Doubt((f"CASE WHEN {condition.value} IS NOT FALSE THEN {self.sql} END",), self.reads | condition.reads)


CERTAIN = Doubt()
"""No doubt."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value, which is NULL where it is absent or unknown."""

    value: str
    """SQL."""
    doubt: Doubt = CERTAIN
    """A reason wherever it is unknown. It counts only there, unless it is `exact`."""
    exact: bool = True
    """The doubt is NULL wherever the value is known."""
    absent: bool = False
    """It may be absent; then it is exact."""
    reads: Reads = NOTHING

    def __post_init__(self) -> None:
        if self.absent and not self.exact:
            raise ValueError(f"NULL would not show whether it is absent or unknown: {self.value}")

    @property
    def why(self) -> Doubt:
        """A reason exactly where it is unknown."""
        if self.exact:
            return self.doubt
        return Doubt((f"CASE WHEN {self.value} IS NULL THEN {self.doubt.sql} END",), self.doubt.reads | self.reads)

    @property
    def everything(self) -> Reads:
        """What its value and its reason read."""
        return self.reads | self.doubt.reads

    @property
    def present(self) -> "Truth":
        """Whether it has a value; false where it is absent."""
        return self._satisfied(f"{self.value} IS NOT NULL", "false", yes="true")

    @property
    def is_known(self) -> "Truth":
        """Whether it is not unknown."""
        return Truth(f"({self.why.sql} IS NULL)", reads=self.why.reads) if self.doubt else TRUE

    def eq(self, value: str | int) -> "Truth":
        """Whether it is this value; false where it is absent."""
        return self.satisfies(lambda sql: f"{sql} = {literal(value)}")

    def among(self, values: Iterable[str]) -> "Truth":
        """Whether it is one of these values; false where it is absent."""
        listed = ", ".join(map(quoted, values))
        return self.satisfies(lambda sql: f"{sql} IN ({listed})")

    def has(self, item: str) -> "Truth":
        """Whether a list has this item; false where it is absent."""
        return self.satisfies(lambda sql: f"array_contains({sql}, {quoted(item)})")

    def has_any(self, items: Iterable[str]) -> "Truth":
        """Whether a list has one of these items; false where it is absent."""
        return self.satisfies(lambda sql: " OR ".join(f"array_contains({sql}, {quoted(item)})" for item in items))

    def satisfies(self, condition: Callable[[str], str], *, absent: bool = False) -> "Truth":
        """What a condition on its value says, which must be true or false of each value, and `absent` where there is none."""
        return self._satisfied(f"({condition(self.value)})", str(absent).lower())

    def _satisfied(self, condition: str, absent: str, *, yes: str = "") -> "Truth":
        if not self.absent:
            return Truth(condition if not yes else f"({condition} OR NULL)", self.doubt, self.exact, reads=self.reads)
        if not self.doubt:
            return Truth(f"({condition})" if yes else f"coalesce({condition}, {absent})", reads=self.reads)
        known = f"WHEN {self.doubt.sql} IS NULL THEN {absent}"
        value = f"(CASE WHEN {self.value} IS NOT NULL THEN {yes or condition} {known} END)"
        return Truth(value, self.doubt, reads=self.everything)

    def map(self, function: Callable[[str], str], *, absent: bool = False) -> "Fact":
        """A function of its value, which must give one for each. `absent`: some values have none, and then it is absent."""
        return Fact(function(self.value), self.why if absent else self.doubt, self.exact or absent, self.absent or absent,
                    self.reads)  # fmt: skip

    def recognised(self, function: Callable[[str], str], otherwise: str = Reason.UNRECOGNISED) -> "Fact":
        """A function of its value; where it gives NULL, although the value is known and not absent, it is unknown for this
        reason.
        """
        value = function(self.value)
        if not self.absent:
            return Fact(value, Doubt((*self.doubt.reasons, quoted(otherwise)), self.doubt.reads), exact=False, reads=self.reads)
        strange = f"CASE WHEN {self.value} IS NOT NULL AND ({value}) IS NULL THEN {quoted(otherwise)} END"
        return Fact(value, Doubt((*self.doubt.reasons, strange), self.everything), absent=True, reads=self.reads)

    def or_else(self, other: "Fact") -> "Fact":
        """The other one where it is absent."""
        if not self.absent:
            return self
        either = f"coalesce({self.value}, {other.value})"
        value = f"CASE WHEN {self.doubt.sql} IS NULL THEN {either} END" if self.doubt else either
        further = other.why
        rest = (
            Doubt((f"CASE WHEN {self.value} IS NULL THEN {further.sql} END",), self.reads | further.reads)
            if further
            else CERTAIN
        )
        return Fact(value, self.doubt | rest, absent=other.absent, reads=self.everything | other.reads)

    def total(self, function: Callable[[str], str]) -> "Fact":
        """A function of its value that gives one for each, and where it is absent."""
        if not (self.absent and self.doubt):
            return Fact(function(self.value), self.doubt, self.exact, reads=self.reads)
        return Fact(f"CASE WHEN {self.doubt.sql} IS NULL THEN {function(self.value)} END", self.doubt, reads=self.everything)

    def unless_known(self, other: "Fact") -> "Fact":
        """The other one, which is never absent, where it has no value: both say the same thing."""
        value = f"coalesce({self.value}, {other.value})"
        if not other.doubt:
            return Fact(value, reads=self.reads | other.reads)
        return Fact(value, self.doubt | other.doubt, exact=False, reads=self.reads | other.reads)

    def where(self, condition: "Truth") -> "Fact":
        """It is absent where the condition is false."""
        return case((condition, self), otherwise=ABSENT)

    def truth(self) -> "Truth":
        """A value that is true or false; false where it is absent."""
        return self.satisfies(lambda sql: sql)


@dataclass(frozen=True, slots=True)
class Truth(Fact):
    """True, false or unknown: NULL exactly where it is unknown."""

    sign: str = field(default="", kw_only=True)
    terms: tuple["Truth", ...] = field(default=(), kw_only=True, repr=False)
    """If `sign` joins several."""

    def __and__(self, other: "Truth") -> "Truth":
        return _joined("AND", self, other)

    def __or__(self, other: "Truth") -> "Truth":
        return _joined("OR", self, other)

    def __invert__(self) -> "Truth":
        return Truth(f"(NOT {self.value})", self.doubt, self.exact, reads=self.reads)

    @property
    def certainly(self) -> "Truth":
        """Whether it is certain that it is true."""
        return Truth(f"coalesce({self.value}, false)" if self.doubt else self.value, reads=self.reads)

    @property
    def possibly(self) -> "Truth":
        """Whether it may be true."""
        return Truth(f"coalesce({self.value}, true)" if self.doubt else self.value, reads=self.reads)


@dataclass(frozen=True, slots=True)
class Count:
    """At least and at most; the same number where it is known. Without an upper bound `most` is NULL."""

    least: str
    most: str
    """SQL of both."""
    doubt: Doubt = CERTAIN
    """A reason wherever they differ; it counts only there."""
    reads: Reads = NOTHING

    @property
    def everything(self) -> Reads:
        """What its bounds and its reason read."""
        return self.reads | self.doubt.reads

    def lacking(self, doubt: Doubt) -> "Count":
        """The same without an upper bound where there is such a reason."""
        if not doubt:
            return self
        most = f"CASE WHEN {doubt.sql} IS NULL THEN {self.most} END"
        return Count(self.least, most, self.doubt | doubt, self.reads | doubt.reads)

    def __add__(self, other: "Count") -> "Count":
        most = f"({self.most}) + ({other.most})"
        return Count(f"({self.least}) + ({other.least})", most, self.doubt | other.doubt, self.reads | other.reads)

    def where(self, condition: Truth) -> "Count":
        """Nothing where the condition is false, and at least nothing where it is unknown."""
        least = f"CASE WHEN {condition.value} THEN {self.least} ELSE 0 END"
        most = f"CASE WHEN {condition.value} IS FALSE THEN 0 ELSE {self.most} END"
        return Count(least, most, self.doubt | condition.doubt, self.reads | condition.reads)

    def exceeds(self, number: Fact) -> Truth:
        """Whether it is greater than a number or a time; false where that is absent."""
        bounds = f"WHEN {self.least} > {number.value} THEN true WHEN {self.most} <= {number.value} THEN false"
        if number.absent:
            known = f" AND {number.doubt.sql} IS NULL" if number.doubt else ""
            bounds += f" WHEN {number.value} IS NULL{known} THEN false"
        doubt = number.why | self.doubt
        return Truth(f"(CASE {bounds} END)", doubt, exact=not doubt, reads=self.reads | number.everything)


@dataclass(frozen=True, slots=True)
class Items:
    """A list that may have other items than those that are known."""

    known: str
    """SQL of those that it certainly has; NULL where none is known of one that may have some, or where it may be absent."""
    doubt: Doubt = CERTAIN
    """A reason exactly where it may have others."""
    reads: Reads = NOTHING

    @property
    def everything(self) -> Reads:
        """What its items and its reason read."""
        return self.reads | self.doubt.reads

    def has(self, item: Fact) -> Truth:
        """Whether it has an item; false where that is absent."""
        doubt = item.why | self.doubt
        value = f"WHEN array_contains({self.known}, {item.value}) THEN true"
        if item.absent:
            value += f" WHEN {item.value} IS NULL" + (f" AND {item.doubt.sql} IS NULL" if item.doubt else "") + " THEN false"
        value += f" WHEN {doubt.sql} IS NULL THEN false" if doubt else " ELSE false"
        return Truth(f"(CASE {value} END)", doubt, exact=not doubt, reads=self.everything | item.everything)

    def where(self, condition: Truth) -> "Items":
        """It is absent where the condition is false."""
        known = f"CASE WHEN {condition.value} THEN {self.known} END"
        why = case((condition, unknown(self.doubt)), otherwise=ABSENT).doubt if self.doubt else condition.why
        return Items(known, why, self.reads | condition.reads)


Derived = Fact | Count | Items
"""What a view can say of a row in a column."""

ABSENT = Fact("NULL", absent=True)
"""There is no value."""
TRUE = Truth("true")
FALSE = Truth("false")


def known(value: str | int) -> Fact:
    """The same value in every row."""
    return Fact(literal(value))


def unknown(doubt: Doubt) -> Fact:
    """Unknown in every row, for that reason."""
    return Fact("NULL", doubt)


def possible(doubt: Doubt) -> Truth:
    """False in every row, but unknown where there is a reason."""
    return Truth(f"(CASE WHEN {doubt.sql} IS NULL THEN false END)" if doubt else "false", doubt, reads=doubt.reads)


def literal(value: str | int) -> str:
    """SQL of a text or a number that this program declares."""
    return quoted(value) if isinstance(value, str) else str(value)


def coalesced(reasons: Sequence[str]) -> str:
    """SQL: the first that is not NULL."""
    return "NULL" if not reasons else reasons[0] if len(reasons) == 1 else f"coalesce({', '.join(reasons)})"


def case(*branches: tuple[Truth, Fact], otherwise: Fact) -> Fact:
    """The fact of the first condition that is true. Where a condition is unknown before one is true, it is unknown."""
    facts = (*(fact for _, fact in branches), otherwise)
    absent = any(fact.absent for fact in facts)
    doubts = [fact.why if absent else fact.doubt for fact in facts]
    asked: list[tuple[str, str, str]] = []  # condition, value, reason
    excluded: set[str] = set()
    for (condition, fact), doubt in zip(branches, doubts, strict=False):
        asked.append((condition.value, fact.value, doubt.sql))
        if not excluded.issuperset(condition.doubt.reasons):
            asked.append((f"{condition.value} IS NULL", "NULL", condition.doubt.sql))
        if condition.exact:
            # The next conditions are read only where this one is known, and then none of its reasons holds.
            excluded.update(condition.doubt.reasons)
    value = _branched([(condition, value) for condition, value, _ in asked], otherwise.value)
    reads = NOTHING.union(*(condition.reads for condition, _ in branches), *(fact.reads for fact in facts))
    why: tuple[str, ...] = branches[0][0].why.reasons
    if any(doubts) or any(condition.doubt for condition, _ in branches[1:]):
        why = (_branched([(condition, reason) for condition, _, reason in asked], doubts[-1].sql),)
    doubt_reads = NOTHING.union(*(condition.everything for condition, _ in branches), *(doubt.reads for doubt in doubts))
    exact = absent or (all(fact.exact for fact in facts) and all(condition.exact for condition, _ in branches))
    return Fact(value, Doubt(why, doubt_reads) if why else CERTAIN, exact or not why, absent, reads)


def _branched(branches: list[tuple[str, str]], otherwise: str) -> str:
    """SQL of the value of the first condition that is true. Conditions at the end on which nothing depends are not asked."""
    while branches and branches[-1][1] == otherwise:
        branches = branches[:-1]
    each = " ".join(f"WHEN {condition} THEN {value}" for condition, value in branches)
    return f"(CASE {each} ELSE {otherwise} END)" if branches else otherwise


def choice(*branches: tuple[Truth, Fact], otherwise: Fact) -> Fact:
    """The fact of the only condition that is true. Where one is, it does not matter that others are unknown."""
    some = any_of(*(condition for condition, _ in branches))
    sure = [(condition.certainly, fact) for condition, fact in branches]
    if not some.doubt:
        return case(*sure, otherwise=otherwise)
    return case(*sure, (~some, otherwise), otherwise=unknown(some.why))


def any_of(*truths: Truth) -> Truth:
    """Whether one of them is true."""
    return truths[0] if len(truths) == 1 else _joined("OR", *truths)


def _joined(sign: str, *truths: Truth) -> Truth:
    neutral = TRUE if sign == "AND" else FALSE
    terms = [term for truth in truths for term in (truth.terms if truth.sign == sign else (truth,)) if term is not neutral]
    if len(terms) < 2:
        return terms[0] if terms else neutral
    value = f"({f' {sign} '.join(term.value for term in terms)})"
    reads = NOTHING.union(*(term.reads for term in terms))
    doubtful = [term for term in terms if term.doubt]
    doubt = CERTAIN
    for number, term in enumerate(doubtful, 1):
        # It is asked for only where all together are unknown; if no other one was, the last one is.
        doubt |= term.doubt if number == len(doubtful) else term.why
    return Truth(value, doubt, not doubt, reads=reads, sign=sign, terms=tuple(terms))


def strict(function: Callable[..., str], *facts: Fact) -> Fact:
    """A function of several values that gives one for each. Where one of them is absent, so is the result."""
    value = function(*(fact.value for fact in facts))
    reads = NOTHING.union(*(fact.reads for fact in facts))
    absent = [fact for fact in facts if fact.absent]
    doubt = CERTAIN
    for fact in facts:
        doubt |= fact.why if absent else fact.doubt
    if not absent:
        return Fact(value, doubt, all(fact.exact for fact in facts), reads=reads)
    # One that is certainly absent decides.
    missing = [
        f"({fact.value} IS NULL AND {fact.doubt.sql} IS NULL)" if fact.doubt else f"{fact.value} IS NULL" for fact in absent
    ]
    if not doubt:
        return Fact(value, absent=True, reads=reads)
    why = f"CASE WHEN NOT ({' OR '.join(missing)}) THEN {doubt.sql} END" if len(facts) > 1 else doubt.sql
    return Fact(value, Doubt((why,), doubt.reads | reads), absent=True, reads=reads)


def reasons_of(doubt: Doubt) -> Fact:
    """Absent, or unknown for these reasons: to share them."""
    return replace(ABSENT, doubt=doubt)


def unless(doubt: Doubt) -> Truth:
    """True, or unknown for these reasons."""
    return Truth(f"CASE WHEN {doubt.sql} IS NULL THEN true END", doubt, reads=doubt.reads) if doubt else TRUE


def sized(items: Fact, size: Callable[[str], str]) -> Count:
    """How many items a list has that is not absent."""
    return Count(f"coalesce({size(items.value)}, 0)", size(items.value), items.doubt, items.reads)
