"""How much of each surface was read, and which policies its gaps affect."""

from collections.abc import Mapping, Sequence, Set

from msgspec import Struct, structs

from keyaudit.model.coverage import State
from keyaudit.model.operations import BY_SURFACE
from keyaudit.model.results.run import Gap, Run, Verdict
from keyaudit.report.owner_rules import Unowned


class Examined(Struct, frozen=True):
    """One surface, with its gaps: failed operations of this surface, and the affected selected policies."""

    name: str
    reads: int
    """The number of coverage records."""
    done: int
    """The number of assessed records."""
    gaps: tuple[Gap, ...]


class Examination(Struct, frozen=True):
    """All surfaces with required reads."""

    run: Run
    verdict: Verdict
    surfaces: Sequence[Examined]
    policies: Mapping[str, Sequence[str]]
    """Each selected policy that was evaluated, with the names of the surfaces whose gaps affect it."""
    unowned: Unowned
    """The findings of these policies that have no owner."""


def examine(
    run: Run,
    verdict: Verdict,
    required: Set[str],
    policies: Sequence[str],
    needed_by: Mapping[str, Sequence[str]],
    *,
    unowned: Unowned,
) -> Examination:
    """The verdict of a run by surface. `needed_by`: the policies that depend on each operation."""
    all_ = (
        _examined(name, {operation.id for operation in declared} & required, verdict, needed_by)
        for name, declared in BY_SURFACE.items()
    )
    surfaces = [surface for surface in all_ if surface.reads]
    blind = {
        policy: [surface.name for surface in surfaces if any(policy in gap.blinds for gap in surface.gaps)]
        for policy in policies
    }
    return Examination(run, verdict, surfaces, blind, unowned)


def _examined(name: str, wanted: Set[str], verdict: Verdict, needed_by: Mapping[str, Sequence[str]]) -> Examined:
    states = [record.state for record in verdict.coverage if record.operation in wanted]
    gaps = []
    for gap in verdict.gaps:
        lost = tuple(operation for operation in gap.operations if operation in wanted)
        if lost:
            blinds = tuple(sorted({policy for operation in lost for policy in needed_by.get(operation, ())}))
            refused = gap.refused if lost == gap.operations else 0
            gaps.append(structs.replace(gap, operations=lost, blinds=blinds, refused=refused))
    return Examined(name, len(states), states.count(State.ASSESSED), tuple(gaps))
