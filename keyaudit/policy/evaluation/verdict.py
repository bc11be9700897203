"""One policy's verdict on a row, as SQL: a small number for outcome, severity, and which condition was unknown."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from keyaudit.model.results.findings import Outcome
from keyaudit.model.severity import Opens, Severity, place, severity
from keyaudit.policy.conditions.sql import Writer
from keyaudit.policy.definition import Trees

_SEVERITIES = tuple(Severity)
_RANKS = len(_SEVERITIES)
_LEVELS = _RANKS * _RANKS

NOT_APPLICABLE = 0
EXEMPT = _LEVELS
"""Not applicable because of a class."""
NOT_VIOLATED = 2 * _LEVELS
"""Not violated, and unknown whether it applies: neither can it fail, nor was it shown to hold. Counts as not applicable."""
PASS = 3 * _LEVELS
WAIVED = 4 * _LEVELS
FAIL = 5 * _LEVELS
KNOWN = 6 * _LEVELS
UNKNOWN_VIOLATION = 7 * _LEVELS
UNKNOWN_APPLICATION = 8 * _LEVELS
UNKNOWN_BOTH = 9 * _LEVELS
"""Codes: below PASS is not applicable; from WAIVED on, a level is added: 5 times the rank of the highest possible severity, and
the rank of the lowest.
"""


ALWAYS = "TRUE"
"""SQL of a condition that is true for every row."""


class Verdict(Struct, frozen=True):
    """SQL of a verdict. `flags` are the conditions by column name in an inner query, which `code` reads."""

    flags: Mapping[str, str]
    code: str


class Excused(Struct, frozen=True):
    """SQL for waivers and the baseline of a failing row; None if there are none.

    `waived`: whether a waiver covers it; `waived_critical`: one that covers critical findings too. `known`: the rank of the
    severity in the baseline, NULL if it is not there.
    """

    waived: str | None = None
    waived_critical: str | None = None
    known: str | None = None


def rung(prefix: str, number: int) -> str:
    """The flag of a rung's condition."""
    return f"{prefix}rung{number}"


def foremost(trees: Trees, prefix: str) -> str:
    """SQL of the place of the foremost weakness that is in play, in the order of weaknesses, from the states of the rungs."""
    found = (f"CASE WHEN {held} THEN {place(weakness)} ELSE 99 END" for held, weakness in _in_play(trees, prefix))
    return f"least({', '.join(found)})" if trees.rungs else str(place(trees.weakness))


def levels(weaknesses: Iterable[str], opened: Mapping[Opens, str], *, certain: bool) -> dict[str, str]:
    """SQL of the level of each weakness, by column name.

    `opened`: the conditions of what a row opens, from above; `ALWAYS` ends them. `certain`: none is unknown in any row.
    """
    if certain:
        return {_level(each): _first(each, opened, "", _RANKS + 1) for each in dict.fromkeys(weaknesses)}
    return {
        _level(each): f"{_first(each, opened, ' IS NOT FALSE', _RANKS)} + {_first(each, opened, '', 1)}"
        for each in dict.fromkeys(weaknesses)
    }


def _first(weakness: str, opened: Mapping[Opens, str], held: str, times: int) -> str:
    """SQL of the rank by the first of the conditions that holds, as often as `times`."""
    cases, last = "", severity(weakness, Opens.LITTLE)
    for opens, condition in opened.items():
        if condition == ALWAYS:
            last = severity(weakness, opens)
            break
        cases += f" WHEN {condition}{held} THEN {severity(weakness, opens).rank * times}"
    same = all(severity(weakness, opens) is last for opens in opened)
    return str(last.rank * times) if same or not cases else f"CASE{cases} ELSE {last.rank * times} END"


def _level(weakness: str) -> str:
    return f"level_{weakness}"


def _both(high: int, low: int) -> int:
    return high * _RANKS + low


def _in_play(trees: Trees, prefix: str) -> Iterator[tuple[str, str]]:
    """SQL of whether each weakness may be that of a row: its condition may be the first that holds."""
    earlier = ""
    for number, (weakness, _) in enumerate(trees.rungs):
        name = rung(prefix, number)
        yield f"{earlier}{name} IS NOT FALSE", weakness
        earlier += f"{name} IS NOT TRUE AND "
    yield f"{earlier}TRUE", trees.weakness


_NOTHING = Excused()


def verdict(trees: Trees, writer: Writer, prefix: str, excused: Excused = _NOTHING, exempt: str | None = None) -> Verdict:
    """The verdict as SQL; names of flags begin with `prefix`. `excused`: SQL for waivers and the baseline.

    `exempt`: SQL of whether the row is in a class that the policy does not apply to, NULL if unknown. Not applicable if
    `applies_to` is false or the row is exempt. If `violated_when` is false, a pass, or not applicable if it is unknown whether
    the policy applies. Otherwise a fail if both are true, and unknown if either is NULL. The weakness is that of the first rung
    that is true; an unknown rung keeps its weakness possible. It reads the columns of `levels`.
    """
    applies, violated = f"{prefix}applies", f"{prefix}violated"
    flags = {applies: writer.write(trees.applies_to), violated: writer.write(trees.violated_when)}
    level = _level_of(trees, writer, prefix, flags)
    fail = str(FAIL)
    if excused.known is not None:
        held = f"{prefix}known"
        flags[held] = excused.known
        fail = f"CASE WHEN {held} >= {level} % {_RANKS} THEN {KNOWN} ELSE {fail} END"
    if excused.waived is not None:
        below, always = f"{prefix}waived", f"{prefix}waived_critical"
        flags |= {below: excused.waived, always: excused.waived_critical or "FALSE"}
        fail = f"CASE WHEN {always} OR ({below} AND {level} < {_both(Severity.CRITICAL.rank, 0)}) THEN {WAIVED} ELSE {fail} END"
    asked, left_out = applies, ""
    if exempt is not None:
        out = f"{prefix}exempt"
        flags[out] = exempt
        left_out, applies = f" WHEN {out} THEN {EXEMPT}", f"({asked} AND NOT {out})"
    if flags[asked] == ALWAYS and exempt is None:
        # Planning takes longer than evaluating, and most policies apply to every row of their table.
        del flags[asked]
        cases = f"WHEN NOT {violated} THEN {PASS} ELSE {level} + CASE WHEN {violated} THEN {fail} ELSE {UNKNOWN_VIOLATION} END"
    else:
        cases = (
            f"WHEN NOT {asked} THEN {NOT_APPLICABLE}{left_out}"
            f" WHEN NOT {violated} THEN CASE WHEN {applies} THEN {PASS} ELSE {NOT_VIOLATED} END"
            f" ELSE {level} + CASE WHEN {applies} AND {violated} THEN {fail} WHEN {applies} THEN {UNKNOWN_VIOLATION}"
            f" WHEN {violated} THEN {UNKNOWN_APPLICATION} ELSE {UNKNOWN_BOTH} END"
        )
    return Verdict(flags, f"CAST(CASE {cases} END AS SMALLINT)")


def _level_of(trees: Trees, writer: Writer, prefix: str, flags: dict[str, str]) -> str:
    """SQL of a row's level, from the columns of `levels`; the states of the rungs are added to `flags`."""
    for number, (_, tree) in enumerate(trees.rungs):
        flags[rung(prefix, number)] = writer.write(tree)
    if not trees.rungs:
        return _level(trees.weakness)
    in_play = [(held, _level(each)) for held, each in _in_play(trees, prefix)]
    high = ", ".join(f"CASE WHEN {held} THEN {level} - {level} % {_RANKS} ELSE 0 END" for held, level in in_play)
    low = ", ".join(f"CASE WHEN {held} THEN {level} % {_RANKS} ELSE {_RANKS} END" for held, level in in_play)
    both = f"(greatest({high}) + least({low}))"
    if len(trees.rungs) > 1:
        return both
    name, first = rung(prefix, 0), _level(trees.rungs[0][0])
    return f"CASE WHEN {name} THEN {first} WHEN NOT {name} THEN {_level(trees.weakness)} ELSE {both} END"


def of_part(code: str, where: str | None, violated: str | None) -> str:
    """The code of one control, as SQL: `code` names the policy's own, the others are conditions or None.

    Not applicable if `where` is false, and unknown if it is NULL. If the policy applies, `violated` decides, even for rows that
    pass the policy; without it, the policy decides. If it is unknown whether the policy applies, the control can be violated
    where the policy is not. Waivers and the baseline apply too. The severity in the code has no meaning.
    """
    cases = [f"WHEN {code} < {PASS if violated is None else NOT_VIOLATED} THEN {code}"]
    if where is not None:
        cases += [f"WHEN NOT {where} THEN {NOT_APPLICABLE}", f"WHEN {where} IS NULL THEN {UNKNOWN_VIOLATION}"]
    if violated is not None:
        applied = f"{code} < {UNKNOWN_APPLICATION}"
        cases += [
            f"WHEN {code} = {NOT_VIOLATED} THEN CASE WHEN NOT {violated} THEN {code} ELSE {UNKNOWN_APPLICATION} END",
            f"WHEN {applied} AND NOT {violated} THEN {PASS}",
            f"WHEN {applied} AND {violated} IS NULL THEN {UNKNOWN_VIOLATION}",
            f"WHEN {code} = {PASS} OR {code} >= {UNKNOWN_VIOLATION} AND {applied} THEN {FAIL}",
        ]
    return f"CAST(CASE {' '.join(cases)} ELSE {code} END AS SMALLINT)"


def outcome_of(code: int) -> Outcome:
    """The outcome of a code."""
    if code < PASS:
        return Outcome.NOT_APPLICABLE
    if code == PASS:
        return Outcome.PASS
    if code < FAIL:
        return Outcome.WAIVED
    return Outcome.FAIL if code < UNKNOWN_VIOLATION else Outcome.UNKNOWN


def severity_of(code: int) -> Severity:
    """The severity in a code of a waived, failed or unknown result: the highest that is possible."""
    return _SEVERITIES[code % _LEVELS // _RANKS]


def least_of(code: int) -> Severity:
    """The lowest severity that such a result can have."""
    return _SEVERITIES[code % _RANKS]


def rank_in(code: str) -> str:
    """SQL of the rank of the severity in a code."""
    return f"CAST({code} % {_LEVELS} // {_RANKS} AS INTEGER)"


def ranged(level: str) -> str:
    """SQL of whether a level is a range."""
    return f"{level} % {_RANKS + 1} <> 0"
