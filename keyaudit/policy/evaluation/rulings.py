"""The rules that give a finding its severity: those for what is weak, and those for what the row opens."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import structs

from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Judged, Ruling
from keyaudit.model.severity import Opens
from keyaudit.model.tables import TABLES
from keyaudit.policy.conditions.types import Every, Term, columns_read
from keyaudit.policy.definition import Policy

_Rule = tuple[str, str, Term]
"""What it says, its condition in words, and as a tree; one that always holds has no words."""


def rulings(
    policy: Policy, weaknesses: Sequence[bool | None], opened: Sequence[bool | None], reasons: Mapping[str, Reason]
) -> Judged:
    """The rules in play, given which hold: those of `weakness_when`, and those of the table that have a condition.

    `reasons`: of the unknown columns of the row.
    """
    always = Every(())
    weak = [(rung.weakness, " ".join(rung.condition.text.split()), rung.condition.tree) for rung in policy.weakness_when]
    of_table = [(opens, TABLES[policy.text.table].opens[opens], tree) for opens, tree in policy.trees.opens]
    last = next((opens for opens, _, tree in of_table if tree == always), Opens.LITTLE)
    asked = [rule for rule in of_table if rule[2] != always]
    found = Judged(
        weakness=tuple(_in_play(weak, weaknesses, policy.trees.weakness)),
        opens=tuple(_in_play(asked, opened, last)) if policy.text.weakness else (),
        unknown={},
    )
    return structs.replace(found, unknown={name: reasons[name] for name in found.columns if name in reasons})


def _in_play(rules: Sequence[_Rule], holding: Sequence[bool | None], last: str) -> Iterator[Ruling]:
    """The rules up to the first that certainly holds, else with the last word."""
    certain = True
    for (word, condition, tree), holds in zip(rules, holding, strict=True):
        if holds is not False:
            yield Ruling(word=word, condition=condition, certain=bool(holds), columns=columns_read(tree))
        if holds:
            return
        certain = certain and holds is not None
    yield Ruling(word=last, condition="", certain=certain, columns=columns_read(*(tree for *_, tree in rules)))
