"""Environments are evidence that tags hold in part: without any, policies over them are not evaluated."""

from pathlib import Path

import duckdb
import pytest
from msgspec.structs import replace

from keyaudit.inventory.reader import Connection
from keyaudit.model.evidence import ENVIRONMENTS
from keyaudit.model.gating.optional import MayLack
from keyaudit.model.reasons import OPTIONAL, Reason
from keyaudit.model.results.run import Run
from keyaudit.model.scope.environments import EnvironmentRule
from keyaudit.policy.evidence import optional, supplied
from tests.policy.inventory import policy

RUN = Run(run_id="r", tenant_id="t", tenant_name="t", environment="public", identity="i", as_of=0, tool_version="1")
RULED = replace(RUN, environment_rules=(EnvironmentRule(of="vault", pattern="*", environment="prod"),))


@pytest.mark.parametrize(
    ("run", "named", "lists", "expected"),
    [
        (RUN, False, "assessed", set()),
        (RUN, True, "assessed", {ENVIRONMENTS}),
        (RULED, False, "assessed", {ENVIRONMENTS}),
        # A vault that was not seen may name one.
        (RUN, False, "partial", {ENVIRONMENTS}),
        (RUN, False, "excluded_by_config", set()),
    ],
)
def test_environments_are_supplied_by_a_setting_or_by_the_tag_of_a_vault(
    tmp_path: Path, run: Run, named: bool, lists: str, expected: set[str]
) -> None:
    needing, other = policy(tmp_path, id="needing", needs=ENVIRONMENTS), policy(tmp_path, id="other")
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW environment_named AS SELECT 1 AS id WHERE {named}")
        state = "not_assessed" if lists == "excluded_by_config" else lists
        reason = lists if lists == "excluded_by_config" else "permission"
        connection.execute(
            f"CREATE TABLE coverage AS SELECT 'vault.query' AS operation, '{state}' AS state, '{reason}' AS reason"
        )
        assert supplied(run, [needing, other], (), Connection(connection)) == expected
        assert supplied(run, [other], (), Connection(connection)) == set()


def test_what_nothing_names_counts_where_environments_are_in_use_or_required() -> None:
    assert optional(RUN, ()) == MayLack(OPTIONAL | {Reason.NOT_CONFIGURED})
    assert optional(RUN, (ENVIRONMENTS,)) == optional(RULED, ()) == MayLack(OPTIONAL)
    assert optional(RULED, ("not-in-cloud",)) == MayLack(OPTIONAL - {Reason.NOT_IN_CLOUD})
    assert optional(RULED, ("publishers",)) == MayLack(OPTIONAL - {Reason.PUBLISHER_ONLY})


def test_a_right_that_is_required_makes_no_other_required() -> None:
    lack = optional(RULED, ("identity-protection", "logs"))
    assert lack.rights == {"identity-protection"}
    for operation, may in (("risky_principal.list", False), ("conditional_access.list", True), ("hsm.deleted_key.list", True)):
        assert lack.covers(operation, Reason.OPTIONAL_RIGHT) is may
