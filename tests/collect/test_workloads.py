"""Conditional Access policies for workload identities, and their risk: every member read, and nothing taken for an answer.

Members: https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy,
https://learn.microsoft.com/graph/api/resources/riskyserviceprincipal and
https://learn.microsoft.com/graph/api/resources/serviceprincipalriskdetection
"""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import Posture
from keyaudit.simulator.estates.contoso_workloads import access_policy
from keyaudit.simulator.faults import Fault
from tests.collect.estate import ESTATE, TENANT_ID
from tests.collect.refusals import refused
from tests.collect.rig import Collected, collect

POLICY, ONE, KEY = (f"{number:08}-1111-4111-8111-111111111111" for number in range(3))
DETECTION = "2856d6e87c5c3a74f4ac9f4dd5a4a1a4a2ad0a3ba0db5a1e"
RISKY: dict[str, object] = {
    "id": ONE.upper(),
    "appId": KEY,
    "displayName": "Payroll",
    "riskLevel": "high",
    "riskState": "atRisk",
    "riskLastUpdatedDateTime": "2025-01-02T03:04:05Z",
}
DETECTED: dict[str, object] = {
    "id": DETECTION,
    "appId": KEY,
    "servicePrincipalDisplayName": "Payroll",
    "riskEventType": "leakedCredentials",
    "riskLevel": "high",
    "riskState": "atRisk",
    "detectedDateTime": "2025-01-02T03:04:05Z",
    "keyIds": [KEY],
}


async def read(posture: Posture, *faults: Fault) -> Collected:
    return await collect(*faults, estate=replace(ESTATE, posture=posture))


async def policy(**members: Any) -> dict[str, Any]:
    """The row of a policy for workload identities with these members instead of its own."""
    whole = access_policy(POLICY, "Workloads", workloads=(ONE,), leaving_out=("AllTrusted",))
    found = await read(Posture(security_defaults=False, conditional_access=({**whole, **members},)))
    [row] = found.rows["conditional_access_policy"].values()
    return row


async def test_every_member_of_a_policy_is_in_its_row() -> None:
    row = await policy()
    wanted = {
        "id": f"{TENANT_ID}/conditionalaccesspolicies/{POLICY}",
        "name": "Workloads",
        "state": "enabled",
        "for_workloads": True,
        "included": [ONE],
        "excluded": [],
        "filtered": False,
        "risk_levels": [],
        "locations": ["All"],
        "locations_excluded": ["AllTrusted"],
    }
    assert {name: row[name] for name in wanted} == wanted
    assert row.get("unknown", {}) == {}


@pytest.mark.parametrize(
    ("include", "exclude", "included", "excluded"),
    [
        ([ONE.upper(), ONE], [KEY.upper()], [ONE], [KEY]),
        (["ServicePrincipalsInMyTenant"], [], ["ServicePrincipalsInMyTenant"], []),
        # One for agents: https://learn.microsoft.com/graph/api/resources/conditionalaccessclientapplications?view=graph-rest-beta
        ([], [], [], []),
        (["SERVICEPRINCIPALSINMYTENANT"], ["All"], "unrecognised", "unrecognised"),
        (["not-a-guid"], ["ServicePrincipalsInMyTenant"], "unrecognised", "unrecognised"),
        ([ONE, "Everything"], [None], "unrecognised", "bad_value"),
    ],
)
async def test_who_is_included_and_left_out_is_known_by_id(
    include: object, exclude: object, included: object, excluded: object
) -> None:
    clients = {**CONDITIONS["clientApplications"], "includeServicePrincipals": include, "excludeServicePrincipals": exclude}
    row = await policy(conditions={**CONDITIONS, "clientApplications": clients})
    told = {**row, **row.get("unknown", {})}
    assert (told["included"], told["excluded"]) == (included, excluded)


async def test_a_policy_for_users_is_none_for_workloads() -> None:
    found = await read(Posture(conditional_access=(access_policy(POLICY, "Guests"),)))
    [row] = found.rows["conditional_access_policy"].values()
    assert (row["for_workloads"], row["included"], row["locations"]) == (False, [], [])


CONDITIONS: Any = access_policy(POLICY, "Workloads", workloads=(ONE,))["conditions"]
OF_CLIENTS = {"for_workloads", "included", "excluded", "filtered"}
NO_CLIENTS = {**dict.fromkeys(OF_CLIENTS, "bad_body"), "for_workloads": "bad_value"}
NO_PLACES = {"locations": "bad_value", "locations_excluded": "unrecognised"}
OF_PLACES = {"locations", "locations_excluded"}


@pytest.mark.parametrize(
    ("members", "unknown"),
    [
        ({"state": "unknownFutureValue"}, {"state": "unrecognised"}),
        ({"conditions": None}, dict.fromkeys({*OF_CLIENTS, *OF_PLACES, "risk_levels"}, "bad_value")),
        ({"conditions": {**CONDITIONS, "clientApplications": []}}, NO_CLIENTS),
        ({"conditions": {**CONDITIONS, "locations": 1}}, dict.fromkeys(OF_PLACES, "bad_body")),
        ({"conditions": {**CONDITIONS, "servicePrincipalRiskLevels": ["odd"]}}, {"risk_levels": "unrecognised"}),
        ({"conditions": {**CONDITIONS, "locations": {"includeLocations": [], "excludeLocations": ["Al"]}}}, NO_PLACES),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_of_a_policy_is_unknown(members: dict[str, Any], unknown: dict[str, str]) -> None:
    assert (await policy(**members))["unknown"] == unknown


@pytest.mark.parametrize("left_out", ["clientApplications", "locations"])
async def test_a_condition_that_was_left_out_is_not_one_that_was_never_set(left_out: str) -> None:
    row = await policy(conditions={name: value for name, value in CONDITIONS.items() if name != left_out})
    assert row["unknown"] == dict.fromkeys(OF_CLIENTS if left_out == "clientApplications" else OF_PLACES, "bad_body")


async def test_a_filter_by_attributes_is_told() -> None:
    clients = {**CONDITIONS["clientApplications"], "servicePrincipalFilter": {"mode": "include", "rule": "x"}}
    assert (await policy(conditions={**CONDITIONS, "clientApplications": clients}))["filtered"] is True


async def test_risks_and_detections_are_rows() -> None:
    found = await read(Posture(risky_principals=(RISKY,), risk_detections=(DETECTED,)))
    [risky], [detected] = found.rows["risky_principal"].values(), found.rows["risk_detection"].values()
    assert (risky["principal_id"], risky["app_id"], risky["risk_level"], risky["risk_state"]) == (ONE, KEY, "high", "atRisk")
    assert (detected["event"], detected["key_ids"], detected["app_id"]) == ("leakedCredentials", [KEY], KEY)
    assert (risky.get("unknown", {}), detected.get("unknown", {}), found.gaps()) == ({}, {}, {})


@pytest.mark.parametrize(("keys", "reason"), [(None, "bad_value"), (["x"], "bad_value"), ([1], "bad_value")])
async def test_keys_that_are_no_ids_are_unknown(keys: object, reason: str) -> None:
    found = await read(Posture(risk_detections=({**DETECTED, "keyIds": keys},)))
    assert found.unknown("risk_detection", f"{TENANT_ID}/riskdetections/{DETECTION}") == {"key_ids": reason}


NO_LICENSE = {"error": {"code": "Forbidden", "message": "Your tenant is not licensed for this feature."}}


@pytest.mark.parametrize("operation", ["conditional_access.list", "risky_principal.list", "risk_detection.list"])
@pytest.mark.parametrize(
    ("reason", "said"), [("permission", "optional_right"), ("license", "optional_right"), ("service_error", "service_error")]
)
async def test_only_a_right_or_license_that_is_missing_is_optional(operation: str, reason: str, said: str) -> None:
    fault = Fault(operation, "every", status=403, body=NO_LICENSE) if reason == "license" else refused(operation, reason)
    found = await collect(fault)
    assert found.gaps()[TENANT_ID, operation] == f"not_assessed {said}"
