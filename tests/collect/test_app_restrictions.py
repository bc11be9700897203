"""What an app management policy asks of applications besides their credentials, read from one object."""

import json
from typing import Any

import pytest
from msgspec import Raw

from keyaudit.collect.entra.policies.app_restrictions import BETA, STABLE, Restricted, exclusions, put_beta, put_uris
from keyaudit.collect.rows import Row
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import Unreadable
from keyaudit.model.tables.entra.app_management_policy import APP_MANAGEMENT_POLICY

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
        (None, {"identifierUris": None}, dict.fromkeys(STABLE, Reason.BAD_VALUE)),
    ],
)
def test_a_restriction_of_identifier_uris_holds_where_it_is_on(
    enabled: bool | None, body: object, differs: dict[str, Any]
) -> None:
    found = row()
    put_uris(found, Restricted(raw(enabled), raw(body)))
    assert told(found, STABLE) == OFF | differs


def test_actors_that_a_restriction_leaves_out_are_named_with_it() -> None:
    none = Restricted(raw(True), raw({"passwordCredentials": [], "keyCredentials": []}))
    uris = Restricted(raw(True), raw({"identifierUris": {"nonDefaultUriAddition": LATE, UNIQUE: EACH}}))
    assert exclusions(none, uris) == ["nonDefaultUriAddition: Ops_Role = builder"]
    assert exclusions(none, None) == []
    with pytest.raises(Unreadable):
        exclusions(none, Restricted(raw(True), raw({})))


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
    put_beta(found, Restricted(raw(True), raw(body)))
    assert told(found, (*BETA,)) == {"audience_limits": audiences, "redirect_uri_limits": redirects}
