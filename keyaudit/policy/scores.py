"""Builds a row's score and its explanation from the states of its rungs."""

from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import Any

from keyaudit.inventory.scores import SCALES
from keyaudit.inventory.scores.ladder import FACT, Ladder, Rung
from keyaudit.inventory.scores.ladder import Override as Declared
from keyaudit.model.findings import FACTORS, Factor, Override, Score
from keyaudit.model.reasons import Reason, unknown_columns
from keyaudit.model.text import one_line
from keyaudit.policy.counts import reason_of

Show = Callable[[Sequence[str]], Mapping[str, str]]
"""Texts of a row's columns, safe to print."""


def score_of(table: str, cells: Mapping[str, Any], reasons: Mapping[str, str], show: Show) -> Score:
    """The score of a row of `table`. `cells`: its column `score`; `reasons`: of the row's unknown columns."""
    scale = SCALES[table]
    known = _Known(cells["facts"], {**reasons, **(cells["unknown"] or {})}, show)
    *ladders, overrides = cells["flags"]
    return Score(
        factors=tuple(
            _factor(name, ladder, flags, known) for name, ladder, flags in zip(FACTORS, scale.ladders, ladders, strict=True)
        ),
        overrides=tuple(
            _override(declared, known, certain=bool(holds))
            for declared, holds in zip(scale.overrides, overrides, strict=True)
            if holds is not False
        ),
    )


class _Known:
    """The known values of a row and of its related objects, for explanations."""

    def __init__(self, facts: Mapping[str, str | None], reasons: Mapping[str, str], show: Show) -> None:
        self._facts = facts
        self._reasons = reasons
        self._show = show

    def said(self, because: str) -> str:
        """The sentence with its `{columns}` filled in."""
        names = [name for _, name, _, _ in Formatter().parse(because) if name]
        of_row = self._show([name for name in names if not name.startswith(FACT)])
        facts = {name: one_line(self._facts.get(name) or "?") for name in names if name.startswith(FACT)}
        return because.format_map({**of_row, **facts})

    def unknown(self, *reads: str) -> dict[str, Reason]:
        """The unknown ones of these columns, without the prefix of facts."""
        return {name.removeprefix(FACT): reason_of(self._reasons[name]) for name in reads if name in self._reasons}


def _factor(name: str, ladder: Ladder, flags: Sequence[bool | None], known: _Known) -> Factor:
    held = next((rung for rung, holds in zip(ladder.rungs, flags, strict=True) if holds), ladder)
    low = held.value
    open_ = [rung for rung, holds in zip(ladder.rungs, flags, strict=True) if holds is None and rung.value > low]
    if not open_:
        return Factor(name=name, low=low, high=low, because=known.said(held.because), unknown={})
    unknown = {column: reason for rung in open_ for column, reason in _missing(rung, known).items()}
    because = f"unknown: {unknown_columns(unknown)}"
    return Factor(name=name, low=low, high=open_[0].value, because=because, unknown=unknown)


def _missing(rung: Rung, known: _Known) -> dict[str, Reason]:
    return known.unknown(*rung.reads) or {rung.reads[-1].removeprefix(FACT): rung.reason}


def _override(declared: Declared, known: _Known, *, certain: bool) -> Override:
    perhaps = f"perhaps, unknown: {unknown_columns(known.unknown(*declared.reads))}; then "
    return Override(
        name=declared.name,
        because=declared.because if certain else f"{perhaps}{declared.because}",
        certain=certain,
        floor=declared.floor,
        steps=declared.steps,
    )
