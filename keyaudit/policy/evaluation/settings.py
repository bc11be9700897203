"""The settings in force for a run: limits, their origin, and the size of each class."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from keyaudit.model.evidence import EVERYTHING
from keyaudit.model.results.settings import ClassInForce, InForce, KnownPolicy, Limit, PolicyInForce, Setting
from keyaudit.policy.definition import Policy, digest_of
from keyaudit.policy.evaluation.binding import Bound
from keyaudit.policy.load import shipped
from keyaudit.policy.settings import Given, Judging, PolicyClass

Held = Mapping[tuple[str, str], tuple[int, int]]
"""By policy and class, the number of rows, and of results that are left out."""


def in_force(bounds: Sequence[Bound], judging: Judging, held: Held) -> InForce:
    """The settings of these policies. A class for none of them is not in force."""
    limits = tuple(
        Limit(policy=bound.policy.text.id, parameter=name, value=bound.worded(name, bound.values[name]), place=_place(given))
        for bound in bounds
        for name, given in judging.overrides.get(bound.policy.text.id, {}).items()
    )
    found = (_class(each, bounds, held) for each in judging.classes)
    return InForce(
        profile=judging.profile,
        limits=limits,
        classes=tuple(each for each in found if each.limits or each.not_applicable),
        require=(EVERYTHING,) if EVERYTHING in judging.require else tuple(sorted(judging.require)),
    )


def policies_in_force(bounds: Sequence[Bound]) -> tuple[PolicyInForce, ...]:
    """The policies with all their parameters."""
    ours = shipped()
    return tuple(
        PolicyInForce(
            text=bound.policy.text,
            source=bound.policy.source,
            shipped=Path(bound.policy.file).is_relative_to(ours),
            parameters={name: Setting(bound.worded(name, value), bound.origins[name]) for name, value in bound.values.items()},
            rule=bound.policy.rule,
            limits=_limits(bound),
        )
        for bound in bounds
    )


def catalogue(policies: Sequence[Policy]) -> tuple[KnownPolicy, ...]:
    """These policies, selected or not."""
    ours = shipped()
    return tuple(KnownPolicy(policy.text, Path(policy.file).is_relative_to(ours)) for policy in policies)


def _limits(bound: Bound) -> str:
    classes = [[each.declared.match, sorted(each.values.items()), each.applies] for each in bound.classes]
    return digest_of([sorted(bound.values.items()), classes])


def _class(declared: PolicyClass, bounds: Sequence[Bound], held: Held) -> ClassInForce:
    limits: list[Limit] = []
    out: list[str] = []
    rows: dict[str, int] = defaultdict(int)
    left_out = 0
    for bound in bounds:
        name = bound.policy.text.id
        for each in bound.classes:
            if each.declared is not declared:
                continue
            given = declared.parameters.get(name, {})
            limits += [
                Limit(policy=name, parameter=key, value=bound.worded(key, value), place=given[key].place)
                for key, value in each.values.items()
            ]
            out += [] if each.applies else [name]
            here, without = held.get((name, declared.name), (0, 0))
            # Policies over one table may assign different rows to a class, if another class comes first for some of them.
            rows[bound.policy.table.name] = max(rows[bound.policy.table.name], here)
            left_out += without
    return ClassInForce(
        name=declared.name,
        match=declared.match,
        reason=declared.reason,
        place=declared.place,
        limits=tuple(limits),
        not_applicable=tuple(out),
        rows=sum(rows.values()),
        left_out=left_out,
    )


def _place(given: str | Given) -> str:
    return given.place if isinstance(given, Given) else ""
