"""What an app management policy asks of applications besides their credentials, read from one object."""

import json
from typing import Any

import pytest
from msgspec import UNSET, Raw

from keyaudit.collect.entra.app_restrictions import BETA, STABLE, put_beta, put_nothing, put_uris
from keyaudit.collect.rows import Row
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.app_management_policy import APP_MANAGEMENT_POLICY

UNIQUE = "uriAdditionWithoutUniqueTenantIdentifier"
EXEMPT = {"customSecurityAttributes": [{"id": "Ops_Role", "operator": "equals", "value": "builder"}]}
ON = {"state": "enabled", "excludeActors": None, "excludeAppsReceivingV2Tokens": True, "excludeSaml": None}
LATE = {**ON, "restrictForAppsCreatedAfterDateTime": "2026-01-01T00:00:00Z", "excludeActors": EXEMPT}
EACH = {**ON, "restrictForAppsCreatedAfterDateTime": None}


def row() -> Row:
    found = Row(APP_MANAGEMENT_POLICY, id="p", resource_id="p", scope_id="t", url="u", version="v1.0")
    found.put("applies_to", "applications")
    return found


def raw(body: object) -> Raw:
    return Raw(json.dumps(body).encode())


def told(found: Row, columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: found.unknown.get(name, found.values.get(name)) for name in columns}


OFF: dict[str, Any] = {
    "uri_addition_blocked": False,
    "uri_addition_blocked_from": None,
    "unique_uris_only": False,
    "unique_uris_only_from": None,
    "uri_exceptions": [],
}


@pytest.mark.parametrize(
    ("enabled", "body", "differs"),
    [
        (True, {"identifierUris": None}, {}),
        (True, None, {}),
        (True, {"identifierUris": {"nonDefaultUriAddition": None, UNIQUE: None}}, {}),
        (False, {"identifierUris": {"nonDefaultUriAddition": EACH, UNIQUE: EACH}}, {}),
        (
            True,
            {
                "identifierUris": {
                    "nonDefaultUriAddition": {"state": "disabled"},
                    UNIQUE: EACH,
                }
            },
            {"unique_uris_only": True, "uri_exceptions": ["v2-tokens"]},
        ),
        (
            True,
            {"identifierUris": {"nonDefaultUriAddition": LATE, UNIQUE: None}},
            {"uri_addition_blocked": True, "uri_addition_blocked_from": 1_767_225_600, "uri_exceptions": ["v2-tokens"]},
        ),
        (
            True,
            {"identifierUris": {"nonDefaultUriAddition": {"state": "odd"}, UNIQUE: None}},
            dict.fromkeys(("uri_addition_blocked", "uri_addition_blocked_from", "uri_exceptions"), Reason.UNRECOGNISED),
        ),
        (True, {}, dict.fromkeys(STABLE, Reason.BAD_BODY)),
        (Refusal(Reason.BAD_VALUE), {"identifierUris": None}, dict.fromkeys(STABLE, Reason.BAD_VALUE)),
    ],
)
def test_a_restriction_of_identifier_uris_holds_where_it_is_on(enabled: bool, body: object, differs: dict[str, Any]) -> None:
    found = row()
    put_uris(found, enabled, raw(body))
    assert told(found, STABLE) == OFF | differs


def test_actors_that_a_restriction_leaves_out_are_handed_back_by_its_name() -> None:
    body = {"identifierUris": {"nonDefaultUriAddition": LATE, UNIQUE: EACH}}
    exempt = put_uris(row(), True, raw(body))
    assert not isinstance(exempt, Refusal)
    assert [(name, json.loads(bytes(actors))) for name, actors in exempt if actors is not UNSET] == [
        ("nonDefaultUriAddition", EXEMPT),
        (UNIQUE, None),
    ]
    assert isinstance(put_uris(row(), True, raw({})), Refusal)


@pytest.mark.parametrize(
    ("body", "audiences", "redirects"),
    [
        ({"audiences": None, "redirectUris": None}, [], []),
        (
            {
                "audiences": {"azureAdMultipleOrgs": None, "personalMicrosoftAccount": EACH},
                "redirectUris": {
                    "uriWithBlockedDomain": {"state": "enabled", "blockedDomains": ["x.example"], "web": None},
                    "uriWithBlockedScheme": None,
                    "uriWithWildcard": EACH,
                    "uriWithoutAllowedDomain": {"state": "disabled"},
                    "uriWithoutAllowedScheme": None,
                },
            },
            ["personalMicrosoftAccount"],
            ["uriWithBlockedDomain", "uriWithWildcard"],
        ),
        ({"audiences": {"azureAdMultipleOrgs": EACH}, "redirectUris": None}, Reason.BAD_BODY, []),
        ([], Reason.BAD_VALUE, Reason.BAD_VALUE),
    ],
)
def test_audiences_and_redirect_uris_are_named_where_they_are_restricted(
    body: object, audiences: object, redirects: object
) -> None:
    found = row()
    put_beta(found, True, raw(body))
    assert told(found, BETA) == {"audience_limits": audiences, "redirect_uri_limits": redirects}


def test_a_service_principal_has_none_of_these() -> None:
    found = Row(APP_MANAGEMENT_POLICY, id="p", resource_id="p", scope_id="t", url="u", version="v1.0")
    found.put("applies_to", "service-principals")
    put_nothing(found)
    assert told(found, (*STABLE, *BETA)) == dict.fromkeys((*STABLE, *BETA))
    assert not found.unknown
