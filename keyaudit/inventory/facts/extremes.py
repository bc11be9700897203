"""The least and the greatest of several values; some may be unknown or have no bound."""

from keyaudit.inventory.facts.fact import CERTAIN, Count, Doubt, Fact
from keyaudit.inventory.facts.joins import NOTHING
from keyaudit.model.values.times import MAX_TIME

BELOW, ABOVE = -MAX_TIME - 1, MAX_TIME + 1
"""Bounds that no time or number that is stored reaches."""


def least_of(*facts: Fact) -> Fact:
    """The least of several times or numbers that are not absent; absent if all are. Unknown if one of them is."""
    value = f"least({', '.join(fact.value for fact in facts)})"
    reads = NOTHING.union(*(fact.reads for fact in facts))
    doubt = CERTAIN
    for fact in facts:
        doubt |= fact.why
    if doubt:
        value = f"CASE WHEN {doubt.sql} IS NULL THEN {value} END"
    return Fact(value, doubt, absent=all(fact.absent for fact in facts), reads=reads | doubt.reads)


def greatest_of(*bounds: Count) -> Count:
    """Bounds of the greatest of several values, each with the bounds of `Groups.greatest`."""
    least, most = (
        f"greatest({', '.join(values)})" for values in ([each.least for each in bounds], [each.most for each in bounds])
    )
    # `greatest` leaves out NULL, which here is no upper bound.
    open_ = [f"{each.most} IS NULL" for each in bounds if each.doubt]
    if open_:
        most = f"CASE WHEN NOT ({' OR '.join(open_)}) THEN {most} END"
    doubt = CERTAIN
    for each in bounds:
        doubt |= each.doubt
    return Count(least, most, doubt, NOTHING.union(*(each.reads for each in bounds)))


def settled(bounds: Count, *, absent_last: bool = False) -> Fact:
    """The value with the bounds of `Groups.greatest`; absent if there is none. `absent_last`: as there."""
    differ = f"{bounds.least} IS DISTINCT FROM {bounds.most}"
    some = f"{bounds.least} > {BELOW}"
    if absent_last:
        # Nothing is later, even if other rows are unknown.
        differ, some = f"{bounds.least} < {ABOVE} AND {differ}", f"{some} AND {bounds.least} < {ABOVE}"
    value = f"CASE WHEN {bounds.least} = {bounds.most} AND {some} THEN {bounds.least} END"
    doubt = Doubt((f"CASE WHEN {differ} THEN {bounds.doubt.sql} END",), bounds.everything) if bounds.doubt else CERTAIN
    return Fact(value, doubt, absent=True, reads=bounds.everything)
