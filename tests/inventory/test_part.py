"""A part of a tenant is never narrower than what may lie within, as far as is known."""

import pytest

from keyaudit.inventory.part import Within
from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.part import Part

HERE = "/subscriptions/a/resourcegroups/g/providers/microsoft.keyvault/vaults/kv-one"
OTHER = Scope("/subscriptions/b", "b", ScopeKind.SUBSCRIPTION)


def within(part: Part) -> Within:
    return Within(part, frozenset({HERE}), frozenset({"a"}), frozenset(), {})


@pytest.mark.parametrize(("pattern", "may"), [("kv-one", False), (HERE, False), ("kv-*", True), ("kv-on?", True)])
def test_a_pattern_may_match_vaults_of_a_subscription_that_was_not_read(pattern: str, *, may: bool) -> None:
    assert within(Part(vaults=(pattern,))).covers(OTHER) is may


def test_a_vault_that_is_known_by_its_scope_alone_counts_by_its_name() -> None:
    unread = Scope("/subscriptions/b/vaults/kv-two", "kv-two", ScopeKind.VAULT)
    assert within(Part(vaults=("kv-t*",))).covers(unread)
    assert not within(Part(vaults=("kv-one",))).covers(unread)
    assert not within(Part(subscriptions=("a",))).covers(unread)
