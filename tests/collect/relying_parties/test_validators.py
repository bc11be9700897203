"""Settings of every form, and what they say of whose tokens are taken; what they do not say is unknown."""

import json
from pathlib import Path

import pytest

from keyaudit.collect.relying_parties.files import in_place
from keyaudit.collect.relying_parties.validators import of_address
from keyaudit.model.coverage import Refusal
from keyaudit.model.relying_parties import RelyingParties, Validator

LOGIN = "https://login.microsoftonline.com/"
TENANT = "8f1a0e5e-1111-4222-8333-444444444444"


def scanned(tmp_path: Path, name: str, content: object) -> RelyingParties:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return in_place(path, "here", with_keys=False)


def only(tmp_path: Path, name: str, content: object) -> Validator:
    found = scanned(tmp_path, name, content)
    assert found.unread == ()
    [validator] = found.validators
    return validator


def told(found: Validator) -> tuple[object, ...]:
    """Authority, issuer, tenants, audience; None where it is unknown."""
    facts = (found.authority, found.validates_issuer, found.tenants_allowed, found.validates_audience)
    return tuple(None if isinstance(fact, Refusal) else fact for fact in facts)


def azure_ad(tenant: str = "common", **checks: object) -> dict[str, object]:
    section = {"Instance": LOGIN, "TenantId": tenant, "ClientId": "a"}
    return {"AzureAd": {**section, "TokenValidationParameters": checks} if checks else section}


NET = [
    (azure_ad(), ("common", None, None, None), None),
    (azure_ad("organizations", ValidateIssuer=False), ("organizations", False, 0, None), True),
    (azure_ad(ValidateIssuer=True, ValidateAudience=False), ("common", True, None, False), False),
    # Not compared at all, with any list.
    (azure_ad(ValidateIssuer=False, ValidIssuers=["a", "b"]), ("common", False, 0, None), True),
    (azure_ad(ValidIssuers=["https://a.example/x", "https://b.example/y"]), ("common", None, 2, None), False),
    # A template names nobody.
    (azure_ad(ValidIssuer=LOGIN + "{tenantid}/v2.0"), ("common", None, None, None), None),
    (azure_ad(TENANT, ValidateIssuer=False), ("tenant", False, 0, None), False),
    (azure_ad("9188040d-6c67-4c5b-b112-36a304b66dad"), ("consumers", None, None, None), None),
    (azure_ad("#{TenantId}#"), (None, None, None, None), None),
    (azure_ad(""), (None, None, None, None), None),
    ({"AzureAd:TenantId": "common", "AzureAd:Instance": LOGIN}, ("common", None, None, None), None),
    ({"Jwt": {"Authority": f"{LOGIN}common/v2.0", "Audience": "api://x"}}, ("common", None, None, True), None),
    ({"identityMetadata": f"{LOGIN}common/.well-known/x", "validateIssuer": False}, ("common", False, 0, None), True),
    ({"Values": {"AzureAd__TenantId": "common", "AzureAd__Instance": LOGIN}}, ("common", None, None, None), None),
    # One for an environment, over another file that names the authority.
    ({"AzureAd": {"TokenValidationParameters": {"ValidateIssuer": False}}}, (None, False, 0, None), None),
    ({"AzureAdB2C": {"Instance": "https://x.b2clogin.com", "TenantId": "x.onmicrosoft.com"}}, ("b2c", None, None, None), False),
]


@pytest.mark.parametrize(("content", "facts", "outcome"), NET, ids=str)
def test_appsettings(tmp_path: Path, content: object, facts: tuple[object, ...], outcome: bool | None) -> None:
    found = only(tmp_path, "appsettings.json", content)
    assert (told(found), found.takes_anybodys) == (facts, outcome)


def test_what_is_not_about_entra_is_no_validator(tmp_path: Path) -> None:
    content = {
        "Auth0": {"Authority": "https://contoso.eu.auth0.com", "ValidateIssuer": False},
        "Google": {"Instance": "https://accounts.example", "TenantId": "common"},
        "Crm": {"Tenant": "common"},
        "Urls": [f"{LOGIN}common"],
    }
    assert scanned(tmp_path, "appsettings.json", content).validators == ()


def test_the_line_is_that_of_the_setting_which_decides(tmp_path: Path) -> None:
    text = (
        '{\n  // by hand\n  "A": {\n    "x": [1,\n 2],\n    "Authority": "https://login.microsoftonline.com/common",\n  },\n}'
    )
    found = only(tmp_path, "appsettings.Development.json", text)
    assert (found.line, found.section, found.relying_party) == (6, "A", "appsettings.Development")


def config(body: str) -> str:
    return f'<?xml version="1.0"?>\n<configuration>\n{body}\n</configuration>'


REGISTRY = (
    '<system.identityModel><identityConfiguration><issuerNameRegistry type="System.IdentityModel.Tokens.{kind}, a">'
    '<authority name="x"><validIssuers>{issuers}</validIssuers></authority>'
    "</issuerNameRegistry></identityConfiguration></system.identityModel>"
    '<system.identityModel.services><federationConfiguration><wsFederation issuer="{login}common/wsfed"/>'
    "</federationConfiguration></system.identityModel.services>"
)


@pytest.mark.parametrize(
    ("kind", "issuers", "facts", "outcome"),
    [
        ("ConfigurationBasedIssuerNameRegistry", "", ("common", False, 0, None), True),
        ("ValidatingIssuerNameRegistry", '<add name="https://sts.windows.net/a/"/>', ("common", True, 1, None), False),
        ("Ours", "", ("common", None, None, None), None),
    ],
)
def test_issuer_name_registries(
    tmp_path: Path, kind: str, issuers: str, facts: tuple[object, ...], outcome: bool | None
) -> None:
    found = only(tmp_path, "Web.config", config(REGISTRY.format(kind=kind, issuers=issuers, login=LOGIN)))
    assert (told(found), found.takes_anybodys, found.line) == (facts, outcome, 3)


def test_owin_settings(tmp_path: Path) -> None:
    body = (
        f'<appSettings><add key="ida:AADInstance" value="{LOGIN}{{0}}/v2.0"/>\n<add key="ida:Tenant" value="common"/>'
        '<add key="ida:ValidateIssuer" value="false"/></appSettings>'
    )
    found = only(tmp_path, "app.config", config(body))
    assert (told(found), found.line, found.section) == (("common", False, 0, None), 4, "appsettings:ida")


def app_service(issuer: str | None, *, enabled: bool = True, settings: object = None) -> dict[str, object]:
    registration = {"clientId": "a", **({} if issuer is None else {"openIdIssuer": issuer})}
    provider = {"enabled": enabled, "registration": registration, "validation": {"allowedAudiences": ["api://x"]}}
    exported = {"properties": {"platform": {"enabled": True}, "identityProviders": {"azureActiveDirectory": provider}}}
    return exported | ({} if settings is None else {"appSettings": settings})


ALLOWED = "WEBSITE_AUTH_AAD_ALLOWED_TENANTS"


@pytest.mark.parametrize(
    ("content", "facts", "outcome"),
    [
        (app_service(f"https://sts.windows.net/{TENANT}/v2.0"), ("tenant", True, None, True), False),
        (app_service(f"{LOGIN}common/v2.0"), ("common", None, None, True), None),
        (app_service(""), ("common", False, None, True), None),
        (app_service(None, settings=[{"name": "WEBSITE_RUN", "value": "1"}]), ("common", False, 0, True), True),
        (app_service(None, settings=[{"name": ALLOWED, "value": f"{TENANT}, b"}]), ("common", False, 2, True), False),
        (app_service(None, settings=[{"name": ALLOWED, "value": "#{Tenants}#"}]), ("common", False, None, True), None),
    ],
)
def test_app_service(tmp_path: Path, content: object, facts: tuple[object, ...], outcome: bool | None) -> None:
    found = only(tmp_path, "authsettingsV2.json", content)
    assert (told(found), found.takes_anybodys) == (facts, outcome)


def test_a_provider_of_app_service_that_is_off_takes_nothing(tmp_path: Path) -> None:
    assert scanned(tmp_path, "authsettings.json", app_service(None, enabled=False)).validators == ()


SPRING = "spring:\n  security.oauth2.resourceserver:\n    jwt:\n      jwk-set-uri: {keys}\n{more}"


@pytest.mark.parametrize(
    ("more", "outcome"),
    [("", True), (f"      issuer-uri: {LOGIN}{TENANT}/v2.0\n", False), ("      issuer-uri: ${ISSUER}\n", None)],
)
def test_spring(tmp_path: Path, more: str, outcome: bool | None) -> None:
    text = SPRING.format(keys=f"{LOGIN}common/discovery/v2.0/keys", more=more) + "---\nserver: {port: 80}\n"
    found = only(tmp_path, "application-prod.yml", text)
    assert (found.takes_anybodys, found.line) == (outcome, 4)
    properties = f"# x\nspring.security.oauth2.resourceserver.jwt.jwk-set-uri={LOGIN}common/discovery/v2.0/keys\n"
    for told in (properties, properties.replace("https:", "https\\:")):
        assert only(tmp_path, "application.properties", told).takes_anybodys is True


@pytest.mark.parametrize("tenants", [("common", TENANT), (TENANT, "common"), (TENANT, "${T}", "common")])
def test_of_the_documents_of_several_profiles_the_one_that_takes_most_counts(tmp_path: Path, tenants: tuple[str, ...]) -> None:
    text = "---\n".join(SPRING.format(keys=f"{LOGIN}{tenant}/discovery/v2.0/keys", more="") for tenant in tenants)
    found = only(tmp_path, "application.yml", text)
    assert (found.takes_anybodys, found.line) == (True, 4 + 5 * tenants.index("common"))
    azure = "---\n".join(f"azure.active-directory:\n  tenant-id: {tenant}\n" for tenant in tenants)
    assert only(tmp_path, "application.yml", azure).authority == "common"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("appsettings.json", '{"a": {"TenantId": "x", "tenantid": "y"}}'),
        ("appsettings.json", "[" * 5_000),
        ("application.yml", "a: &x [1]\nb: *x\n"),
        ("application.yml", "[" * 5_000),
        ("application.yml", "a: [\n"),
        ("application.yml", "a: \x00\n"),
        ("web.config", '<!DOCTYPE c [<!ENTITY a "b">]><configuration>&a;</configuration>'),
        ("web.config", "<configuration>"),
        ("web.config", "<configuration><appSettings><EncryptedData/></appSettings></configuration>"),
    ],
)
def test_what_cannot_be_read_is_told_of(tmp_path: Path, name: str, content: str) -> None:
    found = scanned(tmp_path, name, content)
    assert [(each.file, each.holds_keys) for each in found.unread] == [(name, False)]
    assert found.validators == ()


def test_connection_strings_may_be_encrypted(tmp_path: Path) -> None:
    body = f'<connectionStrings><EncryptedData/></connectionStrings><a><add key="Authority" value="{LOGIN}common"/></a>'
    assert told(only(tmp_path, "web.config", config(body)))[0] == "common"


def test_very_many_sections_are_read_in_a_moment(tmp_path: Path) -> None:
    sections = {f"s{number}": {"Authority": f"{LOGIN}common"} for number in range(5_000)}
    assert len(scanned(tmp_path, "appsettings.json", sections).validators) == 5_000
    providers = {f"s{number}": {"azureActiveDirectory": {"registration": {"clientId": "a"}}} for number in range(5_000)}
    assert len(scanned(tmp_path, "authsettings.json", providers).validators) == 5_000


@pytest.mark.parametrize(
    ("address", "authority"),
    [
        (f"{LOGIN}common/v2.0/.well-known/openid-configuration", "common"),
        ("https://LOGIN.microsoftonline.com:443/Organizations", "organizations"),
        (f"https://login.microsoftonline.us/{TENANT}", "tenant"),
        ("https://login.windows.net/common/FederationMetadata/2007-06/FederationMetadata.xml", "common"),
        (f"{LOGIN}tfp/x/B2C_1_in/v2.0", "b2c"),
        ("https://login.microsoftonline.com.evil.example/common", None),
        ("https://user@evil.example/login.microsoftonline.com/common", None),
        ("not an address", None),
    ],
)
def test_addresses(address: str, authority: str | None) -> None:
    assert of_address(address) == authority


@pytest.mark.parametrize("address", ["https://${HOST}/common", f"{LOGIN}{{tenantid}}", f"{LOGIN}", "https://[::1/common"])
def test_an_address_that_is_left_open_is_unknown(address: str) -> None:
    assert isinstance(of_address(address), Refusal)
