"""Which rule for owners is proposed: the one that catches most, of equal ones the narrowest, and only of what has no owner."""

import tomllib
from typing import Any

from msgspec import structs

from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.report.owner_rules import Proposed, Unowned, sentence, toml, unowned
from tests.report.example import FINDINGS

NOBODY, SOMEBODY = Owner((), "", None), Owner(("a",), "tag owner", None)
UNKNOWN = Owner((), "", Reason.PERMISSION)
FAILED = next(each for each in FINDINGS if each.outcome is Outcome.FAIL and each.row)


def finding(table: str = "key", **row: Any) -> Finding:
    return structs.replace(FAILED, row=row, policy=structs.replace(FAILED.policy, table=table))


def test_the_rule_that_catches_most_is_proposed_and_the_rest_after_it() -> None:
    prod, test = {"subscription_id": "p", "subscription_name": "prod"}, {"subscription_id": "t", "subscription_name": "test"}
    owned = [(NOBODY, finding(vault_name="a", **prod))] * 2 + [(NOBODY, finding(vault_name="b", **prod))]
    found = unowned([*owned, (NOBODY, finding(vault_name="c", **test))], most=3)
    assert [(each.words, each.count) for each in found.proposed] == [("subscription p", 3), ("vault c", 1)]
    assert found.proposed[0].called == "prod"
    assert (found.findings, found.without) == (4, 4)


def test_of_rules_that_catch_as_many_the_narrowest_is_proposed() -> None:
    one = finding(vault_name="a", resource_group="rg", subscription_name="prod")
    assert unowned([(NOBODY, one)]).proposed[0].words == "vault a"
    tagged = structs.replace(one, row={**one.row, "tags": {"team": "pay", "env": ""}})
    assert unowned([(NOBODY, tagged)]).proposed[0].words == "tag team=pay"


def test_only_open_findings_certainly_without_an_owner_count() -> None:
    one = finding(vault_name="a")
    others = [structs.replace(one, outcome=outcome) for outcome in Outcome if outcome is not Outcome.FAIL]
    found = unowned([(SOMEBODY, one), (UNKNOWN, one), *((NOBODY, each) for each in others)], most=9)
    assert found == Unowned(findings=2, without=0, proposed=())
    assert sentence(found) == ""
    # Without a value that a rule could name there is nothing to propose.
    assert sentence(unowned([(NOBODY, finding())])) == "1 of 1 finding has no owner."


def test_an_application_is_named_by_its_id_because_names_repeat() -> None:
    found = unowned([(NOBODY, finding("credential", app_id="0a", holder_name="Deployer", name="secret 1"))])
    assert found.proposed == (Proposed(pattern="application", value="0a", count=1, called="Deployer"),)
    assert sentence(found).startswith(
        "1 of 1 finding has no owner. An [owners] rule for application 0a (Deployer) would match 1:"
    )


def test_values_that_would_be_patterns_are_not_proposed() -> None:
    assert unowned([(NOBODY, finding(subscription_name="all *"))]).proposed == ()


def test_what_is_proposed_is_toml_whatever_a_tag_or_name_holds() -> None:
    row: dict[str, Any] = {"tags": {'te"am\\': 'a"b\n[scope]\ntenant = "x"\u202e'}, "name": "x"}
    lines = list(toml(unowned([(NOBODY, finding(**row)), (NOBODY, finding(app_id='"]\n', name="n\nx = 1"))], most=2)))
    assert all(line.startswith("# ") and "\n" not in line for line in lines)
    document = tomllib.loads("\n".join(line.removeprefix("# ") for line in lines))
    assert set(document) == {"owners"}
    assert len(document["owners"]["rules"]) == 2
    assert all(rule["owner"] == "TEAM" for rule in document["owners"]["rules"])
