"""The page of an incident names the tokens of those who used the key that no sign-in issued: planted = shown, and no others."""

from pathlib import Path

import pytest

from keyaudit.model.tokens import Issue
from keyaudit.model.values.times import DAY
from keyaudit.simulator.estate import Row
from keyaudit.simulator.estates.logs.workspaces import Held
from keyaudit.simulator.estates.logs.year import DISGUISE, INTRUSION
from tests.cli.test_incident import store
from tests.cli.test_incident_actor import Asked, Rows, asked, held, plain, rows, said
from tests.inventory.usage.token_cases import AT, CASES, UNTIL, planted
from tests.inventory.usage.token_records import (
    APP,
    HOUR,
    INTERACTIVE,
    TENANT,
    every_hour,
    graph,
    learned,
    moved,
    sign_in,
    uti,
)

__all__ = ["asked", "held", "plain", "rows"]

SIGN_INS, IDENTITIES = "AADServicePrincipalSignInLogs", "AADManagedIdentitySignInLogs"
OTHER = "0c000000-0000-4000-8000-000000000001"
"""An application that nobody follows."""
PRINCIPAL = "0c000000-0000-4000-8000-000000000002"


def used(held: Held, case: str, seed: str, on: int, app: str = "") -> Row:
    own = {"AppId": app or held.year.app(DISGUISE), "UserId": None, "ServicePrincipalId": PRINCIPAL}
    return graph(case, uti(seed), on, on + 60, AadTenantId=held.year.ground.tenant, **own, C_Idtyp="app")


def issued(held: Held, seed: str, on: int, log: str = SIGN_INS) -> Row:
    own = {"AppId": held.year.app(DISGUISE), "ServicePrincipalId": PRINCIPAL}
    return sign_in(log, uti(seed), on, AADTenantId=held.year.ground.tenant, **own)


@pytest.fixture(scope="module")
def at(held: Held) -> int:
    """The second day of the intrusion."""
    return held.year.first + (INTRUSION + 1) * DAY + 9 * HOUR


@pytest.fixture(scope="module")
def complete(held: Held, rows: Rows, at: int) -> Rows:
    """The records of the year, with ids of tokens, and an application that usually calls Graph."""
    made = {table: list(found) for table, found in rows.items()}
    for table in (SIGN_INS, IDENTITIES, INTERACTIVE):
        made[table] = [{**row, "UniqueTokenIdentifier": uti(f"{table} {n}")} for n, row in enumerate(rows[table])]
    for table in (SIGN_INS, IDENTITIES):
        for log_hour in range(at - 6 * DAY, at + 5 * DAY, HOUR):
            made[table].append(issued(held, f"{table} at {log_hour}", log_hour, table))
    graphs = made["MicrosoftGraphActivityLogs"] = []
    for number in range(1_001):
        on = at - 5 * DAY + number * 3 * DAY // 1_001
        made[SIGN_INS].append(issued(held, f"usual {number}", on))
        graphs.append(used(held, f"usual {number}", f"usual {number}", on))
    return made


def test_a_token_without_a_sign_in_record_is_named_with_the_rate_of_its_class(
    asked: Asked, tmp_path: Path, held: Held, complete: Rows, at: int
) -> None:
    planted = [used(held, "forged-1", "forged", at), used(held, "issued-1", "issued", at)]
    others = [used(held, "nobody-1", "of nobody", at, OTHER)]
    graphs = [*complete["MicrosoftGraphActivityLogs"], *planted, *others]
    sign_ins = [*complete[SIGN_INS], issued(held, "issued", at)]
    made = complete | {"MicrosoftGraphActivityLogs": graphs, SIGN_INS: sign_ins}
    page = asked(DISGUISE, logs=store(tmp_path, made))
    (found,) = page["tokens"]
    assert (found["record"], found["result"], found["name"]) == ("forged-1", "not-listed", DISGUISE)
    assert (found["class_ids"], found["class_listed"]) == (1_001, 1_001)
    (text,) = (text for text in said(page, "tokens") if "forged-1" in text)
    assert "no sign-in record for this token" in text
    assert "Of 1,001 tokens like it in the baseline, 1,001 have one." in text
    assert said(page, "tokens")[text] == "inferred"
    assert "1 token without a sign-in record" in page["in_short"]
    assert "forged token" not in text
    assert page["tokens_checked"]["by_result"]["listed"] == 1


def test_each_forged_token_in_the_year_is_named_and_no_legitimate_one(
    asked: Asked, tmp_path: Path, held: Held, complete: Rows, at: int
) -> None:
    """The records of token_cases.py, on the second day of the intrusion: their application is the intruder's disguise."""
    ids = {APP: held.year.app(DISGUISE), TENANT: held.year.ground.tenant}
    made: list[Row] = [*moved([*every_hour(UNTIL), *learned(1_001, ("user", "app")), *planted()], at - AT, ids)]
    page = asked(DISGUISE, logs=store(tmp_path, {**complete, "tokens": made}))
    by_it = {case for case, (rows, _) in CASES.items() if ids[APP] in str(moved(rows[-1:], 0, ids))}
    leads = (Issue.NOT_LISTED, Issue.DIFFERS, Issue.OVER_AGE)
    expected = {case: str(issue) for case, (_, issue) in CASES.items() if issue in leads and case in by_it}
    assert len(expected) == 9
    assert {str(token["record"]): token["result"] for token in page["tokens"]} == expected


@pytest.mark.exhaustive
def test_without_the_log_of_managed_identities_it_cannot_be_checked(
    asked: Asked, tmp_path: Path, held: Held, complete: Rows, at: int
) -> None:
    made = complete | {"MicrosoftGraphActivityLogs": [used(held, "forged-1", "forged", at)]}
    page = asked(DISGUISE, logs=store(tmp_path, {table: found for table, found in made.items() if table != IDENTITIES}))
    assert page["tokens"] == []
    (text,) = (text for text in said(page, "tokens") if "could not be checked:" in text)
    assert "a sign-in log is missing" in text
    assert said(page, "tokens")[text] == "not knowable"


@pytest.mark.exhaustive
def test_a_class_that_says_nothing_is_listed_with_its_numbers(
    asked: Asked, tmp_path: Path, held: Held, complete: Rows, at: int
) -> None:
    made = complete | {"MicrosoftGraphActivityLogs": [used(held, "forged-1", "forged", at)]}
    page = asked(DISGUISE, logs=store(tmp_path, made))
    assert (page["tokens"], page["tokens_checked"]["unknown_because"]) == ([], {"class-not-calibrated": 1})
    [class_] = page["tokens_checked"]["uncalibrated"]
    assert (class_["name"], class_["tokens"], class_["class_ids"], class_["class_listed"]) == (DISGUISE, 1, 0, 0)
    text = f"1 token for {DISGUISE} at Microsoft Graph. The baseline has no token like it."
    assert said(page, "tokens")[text] == "observed"
