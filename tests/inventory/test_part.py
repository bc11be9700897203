"""A part of a tenant is never narrower than what may lie within, as far as is known."""

import pytest

from keyaudit.inventory.part import VIEWS, Within, bounded
from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.errors import UsageError
from keyaudit.model.reasons import Reason
from keyaudit.model.scope.part import Part
from tests.inventory.sample import RUN, TENANT, assessed, in_memory, row

HERE = "/subscriptions/a/resourcegroups/g/providers/microsoft.keyvault/vaults/kv-one"
OTHER = Scope("/subscriptions/b", "b", ScopeKind.SUBSCRIPTION)


def within(part: Part) -> Within:
    return Within(part, frozenset({HERE}), frozenset({"a"}), frozenset(), frozenset(), {})


@pytest.mark.parametrize(("pattern", "may"), [("kv-one", False), (HERE, False), ("kv-*", True), ("kv-on?", True)])
def test_a_pattern_may_match_vaults_of_a_subscription_that_was_not_read(pattern: str, *, may: bool) -> None:
    assert within(Part(vaults=(pattern,))).covers(OTHER) is may


def test_a_vault_that_is_known_by_its_scope_alone_counts_by_its_name() -> None:
    unread = Scope("/subscriptions/b/vaults/kv-two", "kv-two", ScopeKind.VAULT)
    assert within(Part(vaults=("kv-t*",))).covers(unread)
    assert not within(Part(vaults=("kv-one",))).covers(unread)
    assert not within(Part(subscriptions=("a",))).covers(unread)


@pytest.mark.parametrize("asked", ["prod", "PRODUCTION", "live", "pr*d"])
def test_any_name_of_an_environment_chooses_it_and_the_rest_is_counted(asked: str) -> None:
    tags = [{"env": "prod"}, {"env": "Production"}, {"environment": "prod-eu"}, {"env": "test"}, {"env": "test"}, None]
    rows = {"account_key": [row("account_key", f"{number}", scope_id=TENANT.id, tags=each) for number, each in enumerate(tags)]}
    rows["account_key"].append(row("account_key", "unread", scope_id=TENANT.id, tags=Reason.PERMISSION))
    with in_memory(rows, {TENANT: assessed(TENANT)}, *VIEWS) as connection:
        found = bounded(connection, Part(environments=(asked,)), RUN)
        with pytest.raises(UsageError, match="nothing that was read matches 'development'"):
            bounded(connection, Part(environments=("development",)), RUN)
    assert found.environments == {"prod"}
    assert found.held["account_key"] == 3
    assert found.part.left_out == {"prod-eu": 1, "test": 2, "": 1}
    assert found.part.shown[-1] == (
        "--environment leaves out 4 resources (1 of prod-eu, 2 of test, 1 without an environment), and applications, their "
        "credentials and other kinds that have no environment"
    )
