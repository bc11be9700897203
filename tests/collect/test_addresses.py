"""Redirect URIs and the names of resources: which are found, which are not, and what makes them unknown.

The rules: https://learn.microsoft.com/entra/identity-platform/reply-url. Members:
https://learn.microsoft.com/rest/api/appservice/web-apps/get, https://learn.microsoft.com/rest/api/frontdoor/azurefrontdoorstandardpremium/afd-endpoints/get,
https://learn.microsoft.com/rest/api/virtualnetwork/public-ip-addresses/get and
https://learn.microsoft.com/rest/api/storagerp/storage-accounts/get-properties
"""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import Resource
from keyaudit.simulator.faults import Fault
from tests.collect.estate import APPLICATIONS, ESTATE, SUBSCRIPTION, TENANT_ID
from tests.collect.refusals import REASONS, ends_refused
from tests.collect.rig import Collected, collect
from tests.matrices import first_of

READS = ("applications", "host names of resources")

ID = f"{TENANT_ID}/applications/{APPLICATIONS[0].id}"
COLUMNS = ("insecure_redirects", "wildcard_hosts", "wildcard_paths", "azure_hosts")


async def application(*uris: str, **members: Any) -> dict[str, Any]:
    """The row of an application with these redirect URIs of the web."""
    first = replace(APPLICATIONS[0], reply_urls=uris, **members)
    found = await collect(estate=replace(ESTATE, applications=(first, *APPLICATIONS[1:])))
    assert found.gaps() == {}
    return found.rows["application"][ID]


NOTHING: tuple[str, ...] = (
    "https://contoso.example/signin",
    "http://localhost",
    "HTTP://LocalHost:3000/a",
    "http://127.0.0.1:80/a",
    "http://[::1]:8080/",
    "https://login.microsoftonline.com/common/oauth2/nativeclient",
    "msal0000://auth",
    "urn:ietf:wg:oauth:2.0:oob",
    "ms-appx-web://microsoft.aad.brokerplugin/*",
    "https://contoso.example/azurewebsites.net",
    "https://azurewebsites.net.contoso.example/",
)
FOUND: dict[str, tuple[str, str]] = {
    "http://contoso.example/": ("insecure_redirects", ""),
    "HTTP://contoso.example": ("insecure_redirects", ""),
    "http://localhost.contoso.example/": ("insecure_redirects", ""),
    "http://localhost@contoso.example/": ("insecure_redirects", ""),
    "http://contoso.example\\@localhost/": ("insecure_redirects", ""),
    "https://*.contoso.example/signin": ("wildcard_hosts", ""),
    "https://*.azurewebsites.net/*": ("wildcard_hosts", ""),
    "https://contoso.example/*": ("wildcard_paths", ""),
    "https://Forms.AzureWebsites.net:443/a": ("azure_hosts", "forms.azurewebsites.net"),
    "https://a.eastus.azurecontainer.io/a": ("azure_hosts", "a.eastus.azurecontainer.io"),
    "https://a.developer.azure-api.net/signin": ("azure_hosts", "a.developer.azure-api.net"),
    "https://st.z6.web.core.windows.net/": ("azure_hosts", "st.z6.web.core.windows.net"),
    "https://user@shop.trafficmanager.net": ("azure_hosts", "shop.trafficmanager.net"),
}


async def test_what_stays_on_the_machine_or_is_exact_is_in_no_list() -> None:
    row = await application(*NOTHING)
    assert row["redirect_uris"] == sorted(NOTHING)
    assert {name: row[name] for name in COLUMNS} == {name: [] for name in COLUMNS}
    assert row["implicit_tokens"] is False


@pytest.mark.parametrize("uri", FOUND)
async def test_each_is_in_one_list(uri: str) -> None:
    column, value = FOUND[uri]
    row = await application(uri)
    assert {name: row[name] for name in COLUMNS if row[name]} == {column: [value or uri]}


async def test_addresses_of_browsers_and_devices_count_as_well() -> None:
    row = await application(spa_urls=("http://a.example/",), native_urls=("https://*.b.example/",), implicit_tokens=True)
    assert (row["insecure_redirects"], row["wildcard_hosts"]) == (["http://a.example/"], ["https://*.b.example/"])
    assert row["implicit_tokens"] is True


async def test_hosts_are_those_of_browsers_and_of_no_azure_service() -> None:
    spa, native = ("https://B.example:8443/a", "http://localhost/b"), ("https://c.example/", "http://localhost/c")
    web = ("https://a.example/", "https://x.azurewebsites.net/", "http://127.0.0.1/a", "https://*.d.example/", "https://[::1]/")
    row = await application(*web, spa_urls=spa, native_urls=native)
    assert row["web_hosts"] == ["a.example", "b.example"]
    # A program on a device has no other way, and a browser sends no code there for a secret.
    assert row["local_redirects"] == ["http://127.0.0.1/a", "https://[::1]/"]


def _renamed(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"value": [one | {"appId": "Absurd"} for one in body["value"]]}


def _without(member: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def edit(body: dict[str, Any]) -> dict[str, Any]:
        del body["value"][0][member]
        return body

    return edit


@pytest.mark.parametrize(
    ("member", "implicit"),
    [("web", {"implicit_tokens", "web_hosts", "local_redirects"}), ("spa", {"web_hosts"}), ("publicClient", set())],
)
async def test_a_platform_that_was_left_out_may_have_any(member: str, implicit: set[str]) -> None:
    found = await collect(Fault("application.list", "every", edit=_without(member)))
    unknown = found.unknown("application", ID)
    assert unknown == dict.fromkeys({"redirect_uris", *COLUMNS, *implicit}, "bad_body")


async def test_a_text_that_is_no_uri_makes_unknown_where_they_lead() -> None:
    row = await application("contoso.example/signin")
    assert row["unknown"] == dict.fromkeys((*COLUMNS, "web_hosts", "local_redirects"), "bad_value")
    assert row["redirect_uris"] == ["contoso.example/signin"]


async def test_identifier_uris_hold_an_id_or_do_not() -> None:
    own, tenant = APPLICATIONS[0].app_id, ESTATE.tenant_id
    uris = (f"api://{own.upper()}", f"api://{tenant}/x", "api://payroll", "https://a.example/payroll")
    first = replace(APPLICATIONS[0], identifier_uris=uris)
    found = await collect(estate=replace(ESTATE, applications=(first,)))
    assert found.rows["application"][ID]["uris_without_id"] == ["api://payroll", "https://a.example/payroll"]


async def test_which_identifier_uris_hold_an_id_is_unknown_where_the_id_is_none() -> None:
    found = await collect(Fault("application.list", "every", edit=_renamed))
    assert found.unknown("application", ID)["uris_without_id"] == "bad_value"


def resource(type_: str, name: str, **properties: object) -> Resource:
    """A resource of the first subscription."""
    return Resource(type=type_, name=name, properties=properties, subscription=SUBSCRIPTION, resource_group="Rg-Web")


SITE, SLOT, ENDPOINT = "Microsoft.Web/sites", "Microsoft.Web/sites/slots", "Microsoft.Cdn/profiles/afdEndpoints"
STORAGE, ADDRESS, PROFILE = (
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/trafficManagerProfiles",
)
CLASSIC = "Microsoft.Network/frontDoors"
CONTAINERS, GATEWAY = "Microsoft.ContainerInstance/containerGroups", "Microsoft.ApiManagement/service"
RESOURCES = (
    resource(SITE, "forms", defaultHostName="Forms.azurewebsites.net", hostNames=["forms.azurewebsites.net", "a.example"]),
    # https://learn.microsoft.com/azure/app-service/resources-kudu: the name of its advanced tool.
    resource(
        SITE,
        "shop",
        defaultHostName="shop.azurewebsites.net",
        hostNames=["shop.azurewebsites.net"],
        enabledHostNames=["shop.azurewebsites.net", "shop.scm.azurewebsites.net"],
    ),
    resource(CONTAINERS, "api", ipAddress={"ip": "192.0.2.2", "fqdn": "api.EastUs.azurecontainer.io"}),
    resource(CONTAINERS, "inner", ipAddress={"ip": "10.0.0.4"}),
    # https://learn.microsoft.com/rest/api/apimanagement/api-management-service/get
    resource(
        GATEWAY,
        "apim",
        gatewayUrl="https://apim.azure-api.net",
        developerPortalUrl="https://apim.developer.azure-api.net",
        portalUrl=None,
        managementApiUrl="https://apim.management.azure-api.net",
        scmUrl="https://apim.scm.azure-api.net",
        hostnameConfigurations=[{"type": "Proxy", "hostName": "apim.azure-api.net"}, {"hostName": "api.contoso.example"}],
    ),
    resource(ADDRESS, "vm", dnsSettings={"fqdn": "vm.westeurope.cloudapp.azure.com"}),
    resource(ADDRESS, "bare", ipAddress="192.0.2.1"),
    resource(PROFILE, "shop", dnsConfig={"fqdn": "shop.trafficmanager.net"}),
    resource(CLASSIC, "old", frontendEndpoints=[{"properties": {"hostName": "old.azurefd.net"}}]),
    resource(
        STORAGE,
        "st",
        primaryEndpoints={"blob": "https://st.blob.core.windows.net/", "web": "https://st.z6.web.core.windows.net/"},
        secondaryEndpoints=None,
    ),
)


async def read(*resources: Resource) -> Collected:
    """The estate with these resources, as it is read."""
    return await collect(estate=replace(ESTATE, resources=resources))


async def test_each_name_that_azure_gave_has_a_row_and_no_other() -> None:
    found = await read(*RESOURCES)
    assert {(row["name"], row["kind"], row["host"]) for row in found.rows["azure_host"].values()} == {
        ("forms", "web-app", "forms.azurewebsites.net"),
        ("shop", "web-app", "shop.azurewebsites.net"),
        ("shop", "web-app", "shop.scm.azurewebsites.net"),
        ("api", "container-group", "api.eastus.azurecontainer.io"),
        ("apim", "api-management", "apim.azure-api.net"),
        ("apim", "api-management", "apim.developer.azure-api.net"),
        ("apim", "api-management", "apim.management.azure-api.net"),
        ("apim", "api-management", "apim.scm.azure-api.net"),
        ("vm", "public-ip", "vm.westeurope.cloudapp.azure.com"),
        ("shop", "traffic-manager", "shop.trafficmanager.net"),
        ("old", "front-door", "old.azurefd.net"),
        ("st", "storage", "st.blob.core.windows.net"),
        ("st", "storage", "st.z6.web.core.windows.net"),
    }
    assert found.gaps() == {}


@pytest.mark.parametrize(
    "odd",
    [
        resource(SITE, "odd", defaultHostName=1),
        resource(SITE, "odd", hostNames="forms.azurewebsites.net"),
        resource(ADDRESS, "odd", dnsSettings={"fqdn": ["a"]}),
        resource(STORAGE, "odd", primaryEndpoints={"blob": "https://[a"}),
        resource(CLASSIC, "odd", frontendEndpoints={"a": 1}),
        resource(SITE, "odd", enabledHostNames={"a": 1}),
        resource(CONTAINERS, "odd", ipAddress={"fqdn": 1}),
        resource(GATEWAY, "odd", developerPortalUrl=1),
        resource(GATEWAY, "odd", hostnameConfigurations="a"),
    ],
)
async def test_a_name_that_cannot_be_read_is_an_unknown_one(odd: Resource) -> None:
    [row] = (await read(odd)).rows["azure_host"].values()
    assert row.get("unknown") == {"host": "bad_value"}


@pytest.mark.parametrize("reason", first_of(REASONS))
async def test_a_refused_query_leaves_no_row_and_says_so(reason: str) -> None:
    whole = await read(*RESOURCES)
    estate = replace(ESTATE, resources=RESOURCES)
    found = await ends_refused(whole, "host.query", reason, estate=estate, single=False)
    assert found.rows["azure_host"] == {}
    assert found.gaps() == {(TENANT_ID, "host.query"): f"not_assessed {reason}"}
