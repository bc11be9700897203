"""Framework controls about a part of a policy: some of its rows, or a part of its condition."""

from collections.abc import Sequence

from msgspec import Struct

from keyaudit.model.coverage import ScopeKind
from keyaudit.model.schema.columns import Sure
from keyaudit.model.tables.places import KEY_VAULT, MANAGED_HSM
from keyaudit.policy.applicability import may_apply
from keyaudit.policy.conditions.narrowing import Condition
from keyaudit.policy.conditions.types import Term, columns_read

_SURE: dict[ScopeKind, Sure] = {
    ScopeKind.VAULT: {"vault_kind": KEY_VAULT},
    ScopeKind.MANAGED_HSM: {"vault_kind": MANAGED_HSM, "vault_access_model": "hsm-local"},
}
"""The known values of every row of a scope."""


class Part(Struct, frozen=True):
    """The part of one control. `where`: its rows; None: all rows that the policy applies to.

    `violated_when`: its violation; None: that of the policy.
    """

    framework: str
    control: str
    where: Condition | None
    violated_when: Condition | None

    @property
    def key(self) -> tuple[str, str]:
        """Framework and control."""
        return self.framework, self.control

    @property
    def trees(self) -> tuple[Term, ...]:
        """Its conditions."""
        return tuple(each.tree for each in (self.where, self.violated_when) if each is not None)

    @property
    def text(self) -> str:
        """Its conditions as their author wrote them, on one line."""
        said = {"where": self.where, "violated when": self.violated_when}
        return ", ".join(f"{word} {' '.join(each.text.split())}" for word, each in said.items() if each is not None)


def columns_of(parts: Sequence[Part]) -> tuple[str, ...]:
    """The columns that their conditions read."""
    return columns_read(*(tree for part in parts for tree in part.trees))


def beside(parts: Sequence[Part], kind: ScopeKind) -> frozenset[tuple[str, str]]:
    """The controls that are not about any row of a scope of that kind."""
    sure = _SURE.get(kind, {})
    return frozenset(part.key for part in parts if part.where is not None and not may_apply(part.where.tree, sure))
