"""The rules of `severity_when` that give a finding its severity."""

from collections.abc import Sequence

from keyaudit.model.findings import Ruling
from keyaudit.policy.definition import Policy
from keyaudit.policy.types import columns_read


def rulings(policy: Policy, holding: Sequence[bool | None]) -> Sequence[Ruling]:
    """The rules whose severities are in play, given which hold: up to the first that certainly does, else the policy's own."""
    found: list[Ruling] = []
    for rung, holds in zip(policy.severity_when, holding, strict=True):
        if holds is not False:
            condition, columns = " ".join(rung.condition.text.split()), columns_read(rung.condition.tree)
            found.append(Ruling(severity=rung.severity, condition=condition, certain=bool(holds), columns=columns))
        if holds:
            return found
    columns = columns_read(*(rung.condition.tree for rung in policy.severity_when))
    return [*found, Ruling(severity=policy.text.severity, condition="", certain=not found, columns=columns)]
