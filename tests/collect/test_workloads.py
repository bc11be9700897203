"""Conditional Access policies for workload identities, and their risk: every member read, and nothing taken for an answer.

Members: https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy,
https://learn.microsoft.com/graph/api/resources/conditionalaccessapplications,
https://learn.microsoft.com/graph/api/resources/conditionalaccessgrantcontrols,
https://learn.microsoft.com/graph/api/resources/ipnamedlocation, https://learn.microsoft.com/graph/api/resources/countrynamedlocation,
https://learn.microsoft.com/graph/api/resources/riskyserviceprincipal and
https://learn.microsoft.com/graph/api/resources/serviceprincipalriskdetection
"""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import Posture
from keyaudit.simulator.estates.contoso.workloads import access_policy, named_addresses
from keyaudit.simulator.faults import Fault
from tests.collect.estate import ESTATE, TENANT_ID
from tests.collect.refusals import refused
from tests.collect.rig import Collected, collect

READS = ("Conditional Access", "risk of workloads", "cross-tenant access")

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
        "blocks": True,
        "target_resources": ["All"],
        "target_resources_excluded": [],
        "target_resources_filtered": False,
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
NO_PLACES = {"locations": "bad_value", "locations_excluded": "unrecognised"}
APPLICATIONS = CONDITIONS["applications"]


@pytest.mark.parametrize(
    ("members", "unknown"),
    [
        ({"state": "unknownFutureValue"}, {"state": "unrecognised"}),
        (
            {"conditions": {**CONDITIONS, "applications": {**APPLICATIONS, "includeApplications": ["ALL"]}}},
            {"target_resources": "unrecognised"},
        ),
        ({"grantControls": {"builtInControls": ["BLOCK"]}}, {"blocks": "unrecognised"}),
        ({"conditions": {**CONDITIONS, "servicePrincipalRiskLevels": ["odd"]}}, {"risk_levels": "unrecognised"}),
        ({"conditions": {**CONDITIONS, "locations": {"includeLocations": [], "excludeLocations": ["Al"]}}}, NO_PLACES),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_of_a_policy_is_unknown(members: dict[str, Any], unknown: dict[str, str]) -> None:
    assert (await policy(**members))["unknown"] == unknown


async def test_target_resources_are_read_by_client_id_or_name() -> None:
    filter_ = {"mode": "exclude", "rule": "x"}
    one = {"includeApplications": [KEY, "Office365"], "excludeApplications": [ONE], "applicationFilter": filter_}
    row = await policy(conditions={**CONDITIONS, "applications": {**APPLICATIONS, **one}})
    of_resources = ("target_resources", "target_resources_excluded", "target_resources_filtered")
    assert [row[name] for name in of_resources] == [[KEY, "Office365"], [ONE], True]


@pytest.mark.parametrize(
    ("controls", "blocks"),
    [(None, False), ({"builtInControls": ["mfa"]}, False), ({"operator": "AND", "builtInControls": ["block"]}, True)],
)
async def test_a_policy_blocks_by_its_grant_control(controls: object, blocks: bool) -> None:
    assert (await policy(grantControls=controls))["blocks"] is blocks


COUNTRIES = [f"{first}{second}" for first in "ABCDEFGHIJ" for second in "ABCDEFGHIJKLMNOPQRSTUVWXY"]
PUBLIC = [f"{first}.0.0.0/8" for first in range(1, 224) if first not in {10, 127}]


def addresses(*ranges: str, trusted: object = True) -> dict[str, object]:
    return {**named_addresses(POLICY, "office", *ranges), "isTrusted": trusted}


def countries(*codes: str) -> dict[str, object]:
    kind = {"@odata.type": "#microsoft.graph.countryNamedLocation", "countriesAndRegions": list(codes)}
    return {"id": POLICY, "displayName": "countries", **kind}


@pytest.mark.parametrize(
    ("location", "everywhere", "trusted"),
    [
        (addresses("203.0.113.0/25"), False, True),
        (addresses("203.0.113.0/25", trusted=False), False, False),
        (addresses("203.0.113.0/25", trusted=None), False, "bad_value"),
        (addresses("0.0.0.0/1", "128.0.0.0/1"), True, True),
        # The portal takes no range that is greater than a /8, and nobody signs in from a private or multicast address.
        (addresses(*PUBLIC), True, True),
        (addresses(*PUBLIC[1:]), False, True),
        (addresses("203.0.113.0/25", "2000::/4", "3000::/4"), True, True),
        (addresses("2001:db8::/32"), False, True),
        (addresses("somewhere"), "bad_value", True),
        (countries("NL", "DE"), False, False),
        (countries(*COUNTRIES), True, False),
        ({**countries(), "@odata.type": "#microsoft.graph.other"}, "unrecognised", "unrecognised"),
    ],
)
async def test_a_named_location_is_everywhere_with_every_public_address_or_country(
    location: dict[str, object], everywhere: object, trusted: object
) -> None:
    found = await read(Posture(named_locations=(location,)))
    [row] = found.rows["named_location"].values()
    told = {**row, **row.get("unknown", {})}
    assert (told["everywhere"], told["trusted"]) == (everywhere, trusted)


async def test_a_filter_by_attributes_is_told() -> None:
    clients = {**CONDITIONS["clientApplications"], "servicePrincipalFilter": {"mode": "include", "rule": "x"}}
    assert (await policy(conditions={**CONDITIONS, "clientApplications": clients}))["filtered"] is True


async def test_risks_and_detections_are_rows() -> None:
    found = await read(Posture(risky_principals=(RISKY,), risk_detections=(DETECTED,)))
    [risky], [detected] = found.rows["risky_principal"].values(), found.rows["risk_detection"].values()
    assert (risky["principal_id"], risky["app_id"], risky["risk_level"], risky["risk_state"]) == (ONE, KEY, "high", "atRisk")
    assert (detected["event"], detected["key_ids"], detected["app_id"]) == ("leakedCredentials", [KEY], KEY)
    assert (risky.get("unknown", {}), detected.get("unknown", {}), found.gaps()) == ({}, {}, {})


async def test_keys_that_are_no_ids_are_unknown() -> None:
    found = await read(Posture(risk_detections=({**DETECTED, "keyIds": ["x"]},)))
    assert found.unknown("risk_detection", f"{TENANT_ID}/riskdetections/{DETECTION}") == {"key_ids": "bad_value"}


NO_LICENSE = {"error": {"code": "Forbidden", "message": "Your tenant is not licensed for this feature."}}


@pytest.mark.parametrize("operation", ["conditional_access.list", "risky_principal.list", "risk_detection.list"])
@pytest.mark.parametrize(
    ("reason", "said"), [("permission", "optional_right"), ("license", "optional_right"), ("service_error", "service_error")]
)
async def test_only_a_right_or_license_that_is_missing_is_optional(operation: str, reason: str, said: str) -> None:
    fault = Fault(operation, "every", status=403, body=NO_LICENSE) if reason == "license" else refused(operation, reason)
    found = await collect(fault)
    assert found.gaps()[TENANT_ID, operation] == f"not_assessed {said}"
