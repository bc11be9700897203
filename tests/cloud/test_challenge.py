"""Which challenges are answered with a token, and why the others are not."""

import base64

import pytest

from keyaudit.cloud.challenge import MAX_CHALLENGE, claims_refusal, parameters, revokes, vault_refusal
from keyaudit.cloud.environment import ENVIRONMENTS, custom
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from tests.cloud.azure import LOGIN, OTHER_TENANT, TENANT

PUBLIC = ENVIRONMENTS["public"]
OWN = f'authorization="https://{LOGIN}/{TENANT}"'
CLAIMS = f'claims="{base64.b64encode(b"{}").decode()}"'
UNREADABLE = "an unreadable challenge"
SERVICE = "it names another sign-in service"
ELSEWHERE = "it requests another tenant's token"
RESOURCE = "it requests a token for another resource"
SCOPE = "it requests a token for another scope"


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (f"Bearer {OWN}", ""),
        (f'Bearer {OWN}, resource="https://vault.azure.net"', ""),
        (f'Bearer {OWN}, resource="https://vault.azure.net/"', ""),
        (f'Bearer {OWN}, scope="https://vault.azure.net/.default"', ""),
        (f'Bearer AUTHORIZATION="HTTPS://{LOGIN.upper()}/{TENANT.upper()}/oauth2"', ""),
        (f'Bearer authorization_uri="https://{LOGIN}/{TENANT}"', ""),
        (f'Bearer {OWN}, authorization="https://login.evil.example/{TENANT}"', ""),
        (f"Bearer {OWN}".ljust(MAX_CHALLENGE), ""),
        (f"Bearer {OWN}".ljust(MAX_CHALLENGE + 1), UNREADABLE),
        ("", UNREADABLE),
        ('Bearer realm="', UNREADABLE),
        ('Bearer resource="https://vault.azure.net"', UNREADABLE),
        (f'Bearer authorization="https://{LOGIN}/{OTHER_TENANT}"', ELSEWHERE),
        (f'Bearer authorization="https://{LOGIN}/common"', ELSEWHERE),
        (f'Bearer authorization="https://{LOGIN}/"', ELSEWHERE),
        (f'Bearer authorization="https://{LOGIN}/a/{TENANT}"', ELSEWHERE),
        (f'Bearer authorization="http://{LOGIN}/{TENANT}"', SERVICE),
        (f'Bearer authorization="https://login.evil.example/{TENANT}"', SERVICE),
        (f'Bearer authorization="https://{LOGIN}.evil.example/{TENANT}"', SERVICE),
        # As recorded of api-version 7.0.
        (f'Bearer authorization="https://login.windows.net/{TENANT}", resource="https://vault.azure.net"', ""),
        (f'Bearer authorization="https://login.windows.net/{OTHER_TENANT}"', ELSEWHERE),
        (f'Bearer authorization="http://login.windows.net/{TENANT}"', SERVICE),
        (f'Bearer authorization="https://login.windows.net:444/{TENANT}"', SERVICE),
        (f'Bearer authorization="https://login.windows.net@evil.example/{TENANT}"', SERVICE),
        (f'Bearer authorization="https://evil.login.windows.net/{TENANT}"', SERVICE),
        (f'Bearer authorization="https://login.microsoftonline.us/{TENANT}"', SERVICE),
        (f'Bearer authorization="https://login.evil.example/{TENANT}", {OWN}', SERVICE),
        (f'Bearer {OWN}, resource="https://managedhsm.azure.net"', RESOURCE),
        (f'Bearer {OWN}, resource=""', RESOURCE),
        (f'Bearer {OWN}, scope="https://graph.microsoft.com/.default"', SCOPE),
        (f'Bearer {OWN}, scope="https://vault.azure.net"', SCOPE),
        # With claims the authority is not looked at, and everything else is.
        (f"Bearer {CLAIMS}", ""),
        (f'Bearer authorization="https://{LOGIN}/common", {CLAIMS}', ""),
        (f'Bearer {CLAIMS}, resource="https://evil.example"', RESOURCE),
        (f'Bearer {CLAIMS}, scope="https://evil.example"', SCOPE),
        (f"Bearer {CLAIMS}".ljust(MAX_CHALLENGE + 1), UNREADABLE),
    ],
)
def test_a_vault_gets_a_token_for_itself_of_its_tenant_and_no_other(header: str, why: str) -> None:
    expected = Refusal(Reason.BAD_CHALLENGE, why, 401) if why else None
    assert vault_refusal(header, PUBLIC, TENANT, PUBLIC.vault_scope) == expected


@pytest.mark.parametrize(
    ("cloud", "host", "own"),
    [
        ("public", "login.microsoft.com", True),
        ("public", "login.usgovcloudapi.net", False),
        ("public", "login-us.microsoftonline.com", False),
        ("usgov", "login.usgovcloudapi.net", True),
        ("usgov", "login.windows.net", False),
        ("dod", "login.usgovcloudapi.net", True),
        ("china", "login.partner.microsoftonline.cn", True),
        ("china", "login.windows.net", False),
    ],
)
def test_each_cloud_has_its_own_aliases(cloud: str, host: str, own: bool) -> None:
    environment = ENVIRONMENTS[cloud]
    header = f'Bearer authorization="https://{host}/{TENANT}"'
    expected = None if own else Refusal(Reason.BAD_CHALLENGE, SERVICE, 401)
    assert vault_refusal(header, environment, TENANT, environment.vault_scope) == expected


def test_a_custom_cloud_has_none() -> None:
    hosts = {"login": "login.custom.example", "arm": "arm.custom.example", "graph": "graph.custom.example"}
    environment = custom("custom", {**hosts, "vault_suffix": "vault.custom.example", "hsm_suffix": "hsm.custom.example"})
    for host, expected in (("login.custom.example", None), ("login.windows.net", Refusal(Reason.BAD_CHALLENGE, SERVICE, 401))):
        header = f'Bearer authorization="https://{host}/{TENANT}"'
        assert vault_refusal(header, environment, TENANT, environment.vault_scope) == expected


@pytest.mark.parametrize("claims", ["", "not base64!", "eA", "e30!"])
def test_claims_that_cannot_be_read_are_not_passed_on(claims: str) -> None:
    header = f'Bearer {OWN}, claims="{claims}"'
    expected = Refusal(Reason.AUTH_FAILED, "an unreadable claims challenge", 401)
    assert claims_refusal(header) == expected
    assert vault_refusal(header, PUBLIC, TENANT, PUBLIC.vault_scope) == expected


def test_claims_that_can_be_read_are_passed_on() -> None:
    for header in ("", f"Bearer {OWN}", f"Bearer {CLAIMS}", f'Bearer {CLAIMS}, claims="?"'):
        assert claims_refusal(header) is None


def test_a_challenge_revokes_the_token_if_it_says_so() -> None:
    assert revokes(f"Bearer {CLAIMS}")
    assert revokes('Bearer error="insufficient_claims"')
    assert not revokes(f'Bearer {OWN}, error="invalid_token"')
    assert parameters('Bearer Error="a", error="b"') == {"error": "a"}
