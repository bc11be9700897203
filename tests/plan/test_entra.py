"""Applications, service principals, credentials and permissions of a plan.

The resources are the examples in docs/resources of hashicorp/terraform-provider-azuread.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.plan.small import TENANT, UNKNOWN, Resource, plan, vault
from tests.plan.test_gate import CSV as ALL
from tests.plan.test_gate import gate, keyaudit, outcomes

pytestmark = pytest.mark.exhaustive

__all__ = ["gate", "keyaudit"]

CSV = (
    *ALL,
    "--select",
    "app-secret-too-long",
    "--select",
    "fed-fic-any-ref",
    "--select",
    "app-no-owner",
    "--select",
    "sp-*tenant*",
)
GRAPH = "00000003-0000-0000-c000-000000000000"
OWNER = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
NEVER_SET = {"owners": UNKNOWN, "identifier_uris": None, "web": [], "api": [], "app_role": [], "password": [], "tags": None}


def application(name: str = "example", **changed: Any) -> Resource:
    values = {**NEVER_SET, "display_name": name, "sign_in_audience": "AzureADMyOrg", "client_id": UNKNOWN, "object_id": UNKNOWN}
    return Resource(f"azuread_application.{name}", {**values, **changed})


def principal(name: str = "example", of: str = "azuread_application.example.client_id", **changed: Any) -> Resource:
    values = {"account_enabled": True, "owners": None, "alternative_names": None, "object_id": UNKNOWN, "tags": UNKNOWN}
    return Resource(f"azuread_service_principal.{name}", {**values, **changed}, {"client_id": of} if of else {})


def of_application(type_: str, name: str, **values: Any) -> Resource:
    return Resource(f"azuread_application_{type_}.{name}", values, {"application_id": "azuread_application.example.id"})


def test_credentials_belong_to_the_application_that_they_refer_to(gate: Any) -> None:
    ran = gate(
        application(owners=[OWNER]),
        principal(),
        of_application("password", "forever", display_name="rbac", end_date="2299-12-30T23:00:00Z", start_date=UNKNOWN),
        of_application("password", "usual", display_name="rbac", end_date=UNKNOWN, end_date_relative=None, start_date=UNKNOWN),
        of_application(
            "password", "short", display_name="rbac", end_date=UNKNOWN, end_date_relative="2400h", start_date=UNKNOWN
        ),
        of_application(
            "federated_identity_credential",
            "any",
            display_name="my-repo-deploy",
            audiences=["api://AzureADTokenExchange"],
            issuer="https://token.actions.githubusercontent.com",
            subject="repo:my-organization/my-repo:pull_request",
        ),
        flags=CSV,
    )
    found = [outcomes(ran, f"/credentials/{id_}") for id_ in _credentials(ran)]
    assert sorted(each.get("app-secret-too-long", "") for each in found) == ["", "fail", "fail", "pass"]
    assert [each["fed-fic-any-ref"] for each in found if "fed-fic-any-ref" in each] == ["pass"]
    assert outcomes(ran, "/applications/")["app-no-owner"] == "pass"


def test_an_end_that_another_resource_computes_is_unknown(gate: Any) -> None:
    end = Resource(
        "azuread_application_password.p",
        {"display_name": None, "start_date": UNKNOWN},
        {"application_id": "azuread_application.example.id", "end_date": "time_rotating.example.rfc3339"},
    )
    ran = gate(application(), end, flags=CSV)
    assert outcomes(ran, "/credentials/")["app-secret-too-long"] == "unknown"


def test_permissions_on_microsoft_graph_reach_the_tenant(gate: Any) -> None:
    names = {"Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"}
    graph = principal("msgraph", "", client_id=GRAPH, use_existing=True, app_role_ids=UNKNOWN)
    refers = {
        "app_role_id": [
            'azuread_service_principal.msgraph.app_role_ids["Application.ReadWrite.All"]',
            "azuread_service_principal.msgraph.app_role_ids",
            "azuread_service_principal.msgraph",
        ],
        "principal_object_id": "azuread_service_principal.example.object_id",
        "resource_object_id": "azuread_service_principal.msgraph.object_id",
    }
    by_name = Resource("azuread_app_role_assignment.by_name", {}, refers)
    ran = gate(application(), principal(), graph, by_name, flags=CSV)
    assert "fail" in {outcomes(ran, "/servicePrincipals/").get(each) for each in ("sp-can-take-over-tenant",)}
    by_id = Resource(
        "azuread_app_role_assignment.by_id",
        {"app_role_id": names["Application.ReadWrite.All"]},
        {name: reference for name, reference in refers.items() if name != "app_role_id"},
    )
    again = gate(application(), principal(), graph, by_id, flags=CSV)
    assert "fail" in {outcomes(again, "/servicePrincipals/").get(each) for each in ("sp-can-take-over-tenant",)}


def test_a_permission_on_an_api_that_is_not_known_is_no_pass(gate: Any) -> None:
    given = Resource(
        "azuread_app_role_assignment.a",
        {"app_role_id": "11111111-aaaa-4bbb-8ccc-222222222222"},
        {
            "principal_object_id": "azuread_service_principal.example.object_id",
            "resource_object_id": "data.azuread_service_principal.later.object_id",
        },
    )
    ran = gate(application(), principal(), given, flags=CSV)
    assert outcomes(ran, "/servicePrincipals/")["sp-tenant-wide-app-role"] == "unknown"


def test_a_directory_role_is_named_by_its_template(gate: Any) -> None:
    role = Resource("azuread_directory_role.example", {"display_name": "Global Administrator", "template_id": UNKNOWN})
    given = Resource(
        "azuread_directory_role_assignment.example",
        {"directory_scope_id": UNKNOWN},
        {
            "role_id": "azuread_directory_role.example.template_id",
            "principal_object_id": "azuread_service_principal.example.object_id",
        },
    )
    ran = gate(application(), principal(), role, given, flags=CSV)
    assert outcomes(ran, "/servicePrincipals/")["sp-can-take-over-tenant"] == "fail"


def client_config(type_: str, tenant: str) -> Mapping[str, Any]:
    """The state before a plan, with the data source of who plans."""
    address = f"data.{type_}.current"
    read = {"address": address, "mode": "data", "type": type_, "name": "current", "values": {"tenant_id": tenant}}
    return {"format_version": "1.0", "values": {"root_module": {"resources": [read]}}}


def provider(tenant: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configuration of a provider that names the tenant."""
    return {"azuread": {"name": "azuread", "expressions": {"tenant_id": tenant}}}


REDIRECTS = ("-o", "csv", "--all", "--select", "app-redirect-insecure")
INSECURE, SECURE = ["http://shop.example/callback"], ["https://shop.example/callback"]


def redirects(uris: object, type_: str = "Web", of: str = "azuread_application.example.id", **more: Any) -> Resource:
    return Resource(
        f"azuread_application_redirect_uris.{type_}",
        {"type": type_, "redirect_uris": uris, **more},
        {"application_id": of} if of else {},
    )


def registration(*actions: str, **changed: Any) -> Resource:
    values = {"display_name": "example", "client_id": UNKNOWN, **changed}
    return Resource("azuread_application_registration.example", values, actions=actions or ("create",))


OF_REGISTRATION = "azuread_application_registration.example.id"
EXISTS = {"client_id": OWNER, "id": f"/applications/{OWNER}"}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ((application(), redirects(INSECURE)), "fail"),
        ((application(), redirects(SECURE)), "pass"),
        ((application(web=[{"redirect_uris": INSECURE}]), redirects(SECURE, "SPA")), "fail"),
        ((application(), redirects(UNKNOWN)), "unknown"),
        ((application(), redirects(INSECURE, of="local.application")), "unknown"),
        ((registration(), redirects(INSECURE, of=OF_REGISTRATION)), "fail"),
        ((registration(), redirects(SECURE, of=OF_REGISTRATION)), "pass"),
        ((registration(),), "pass"),
        # Of what exists, a plan has those of one type.
        ((registration("no-op", **EXISTS), redirects(INSECURE, "SPA", of=OF_REGISTRATION)), "fail"),
        ((registration("no-op", **EXISTS), redirects(SECURE, "SPA", of=OF_REGISTRATION)), ""),
        ((redirects(INSECURE, of="", application_id=f"/applications/{OWNER}"),), "fail"),
    ],
)
def test_redirect_uris_beside_an_application_are_its_own(gate: Any, resources: Sequence[Resource], expected: str) -> None:
    ran = gate(*resources, flags=REDIRECTS)
    assert outcomes(ran, "/applications/").get("app-redirect-insecure", "") == expected, ran.out


def _credentials(ran: Any) -> set[str]:
    rows = csv.DictReader(io.StringIO(ran.out))
    return {row["resource_id"].rpartition("/")[2] for row in rows if "/credentials/" in row["resource_id"]}


MANAGED = {"display_name": "mi", "audiences": ["api://AzureADTokenExchange"], "subject": OWNER}
ISSUERS = ("-o", "csv", "--all", "--select", "fed-fic-unknown-issuer", "--select", "fed-fic-dangling")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"prior_state": client_config("azuread_client_config", TENANT)}, "pass"),
        ({"prior_state": client_config("azurerm_client_config", TENANT)}, "pass"),
        ({"prior_state": client_config("azuread_client_config", OWNER)}, "fail"),
        ({"configuration": {"provider_config": provider({"constant_value": TENANT})}}, "pass"),
        ({"configuration": {"provider_config": provider({"references": ["var.tenant"]})}}, "pass"),
        ({}, "unknown"),
    ],
    ids=["azuread", "azurerm", "another", "provider", "variable", "nothing"],
)
def test_the_issuer_of_the_plan_s_own_tenant_is_known(gate: Any, more: Mapping[str, Any], expected: str) -> None:
    issuer = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    credential = of_application("federated_identity_credential", "mi", issuer=issuer, **MANAGED)
    found = plan(application(), credential, variables={"tenant": {"value": TENANT}})
    configuration = {**found["configuration"], **more.get("configuration", {})}
    ran = gate(found={**found, **more, "configuration": configuration}, flags=ISSUERS)
    assert outcomes(ran, "/credentials/")["fed-fic-unknown-issuer"] == expected, ran.out


def test_no_id_that_stands_for_one_that_the_plan_does_not_name_is_in_a_command(gate: Any) -> None:
    found = plan(vault(tenant_id=UNKNOWN))
    found["configuration"]["provider_config"] = {}
    ran = gate(found=found)
    assert "tenant     not named in the plan" in ran.out
    assert "00000000-" not in ran.out
    ran = gate(found=found, flags=("-o", "json"))
    commands = [step["cli"] for each in json.loads(ran.out)["findings"] for step in each["steps"] if "cli" in step]
    assert any("--subscription SUBSCRIPTION" in each for each in commands)
    assert not any("00000000-" in each for each in commands)
