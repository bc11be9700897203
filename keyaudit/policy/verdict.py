"""One policy's verdict on a row, as SQL: a small number for outcome, severity, and which condition was unknown."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from keyaudit.model.findings import Outcome, Severity
from keyaudit.policy.definition import Trees
from keyaudit.policy.sql import Writer

_SEVERITIES = tuple(Severity)

NOT_APPLICABLE = 0
EXEMPT = 5
"""Not applicable because of a class."""
NOT_VIOLATED = 8
"""Not violated, and unknown whether it applies: neither can it fail, nor was it shown to hold. Counts as not applicable."""
PASS = 10
WAIVED = 15
FAIL = 20
KNOWN = 25
UNKNOWN_VIOLATION = 30
UNKNOWN_APPLICATION = 40
UNKNOWN_BOTH = 50
"""Codes: below PASS is not applicable; from WAIVED on, the severity's rank (0 to 4) is added."""


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


def in_play(trees: Trees, holding: Sequence[bool | None]) -> tuple[Severity, ...]:
    """The possible severities of a row, given the states of the rungs; exactly one if none is unknown."""
    found: list[Severity] = []
    for (severity, _), holds in zip(trees.rungs, holding, strict=True):
        found += [severity] if holds is not False else []
        if holds:
            return tuple(found)
    return (*found, trees.severity)


_NOTHING = Excused()


def verdict(trees: Trees, writer: Writer, prefix: str, excused: Excused = _NOTHING, exempt: str | None = None) -> Verdict:
    """The verdict as SQL; names of flags begin with `prefix`. `excused`: SQL for waivers and the baseline.

    `exempt`: SQL of whether the row is in a class that the policy does not apply to, NULL if unknown. Not applicable if
    `applies_to` is false or the row is exempt. If `violated_when` is false, a pass, or not applicable if it is unknown whether
    the policy applies. Otherwise a fail if both are true, and unknown if either is NULL. The severity is that of the first rung
    that is true; an unknown rung keeps its severity possible.
    """
    applies, violated = f"{prefix}applies", f"{prefix}violated"
    flags = {applies: writer.write(trees.applies_to), violated: writer.write(trees.violated_when)}
    rank = _rank(trees, writer, prefix, flags)
    fail = str(FAIL)
    if excused.known is not None:
        held = f"{prefix}known"
        flags[held] = excused.known
        fail = f"CASE WHEN {held} >= {rank} THEN {KNOWN} ELSE {fail} END"
    if excused.waived is not None:
        below, always = f"{prefix}waived", f"{prefix}waived_critical"
        flags |= {below: excused.waived, always: excused.waived_critical or "FALSE"}
        fail = f"CASE WHEN {always} OR ({below} AND {rank} < {Severity.CRITICAL.rank}) THEN {WAIVED} ELSE {fail} END"
    asked, left_out = applies, ""
    if exempt is not None:
        out = f"{prefix}exempt"
        flags[out] = exempt
        left_out, applies = f" WHEN {out} THEN {EXEMPT}", f"({asked} AND NOT {out})"
    if flags[asked] == ALWAYS and exempt is None:
        # Planning takes longer than evaluating, and most policies apply to every row of their table.
        del flags[asked]
        cases = f"WHEN NOT {violated} THEN {PASS} ELSE {rank} + CASE WHEN {violated} THEN {fail} ELSE {UNKNOWN_VIOLATION} END"
    else:
        cases = (
            f"WHEN NOT {asked} THEN {NOT_APPLICABLE}{left_out}"
            f" WHEN NOT {violated} THEN CASE WHEN {applies} THEN {PASS} ELSE {NOT_VIOLATED} END"
            f" ELSE {rank} + CASE WHEN {applies} AND {violated} THEN {fail} WHEN {applies} THEN {UNKNOWN_VIOLATION}"
            f" WHEN {violated} THEN {UNKNOWN_APPLICATION} ELSE {UNKNOWN_BOTH} END"
        )
    return Verdict(flags, f"CAST(CASE {cases} END AS TINYINT)")


def _rank(trees: Trees, writer: Writer, prefix: str, flags: dict[str, str]) -> str:
    """SQL of the rank of a row's highest possible severity; its inputs are added to `flags`."""
    last = trees.severity.rank
    for number, (_, tree) in enumerate(trees.rungs):
        flags[rung(prefix, number)] = writer.write(tree)
    if len(trees.rungs) == 1:
        name, ((severity, _),) = rung(prefix, 0), trees.rungs
        held = f"{name} IS NOT FALSE" if severity.rank > last else name
        return f"CASE WHEN {held} THEN {severity.rank} ELSE {last} END"
    earlier = ""
    levels: list[str] = []
    for number, (severity, _) in enumerate(trees.rungs):
        name = rung(prefix, number)
        levels.append(f"CASE WHEN {earlier}{name} IS NOT FALSE THEN {severity.rank} ELSE 0 END")
        earlier += f"{name} IS NOT TRUE AND "
    return f"greatest({', '.join(levels)}, CASE WHEN {earlier}TRUE THEN {last} ELSE 0 END)" if levels else str(last)


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
    return f"CAST(CASE {' '.join(cases)} ELSE {code} END AS TINYINT)"


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
    """The severity in a code of a waived, failed or unknown result."""
    return _SEVERITIES[code % len(_SEVERITIES)]
