"""Permissions that are always reported: granted to an application, or for all users, in both logs that tell of it."""

from pathlib import Path

import pytest

from tests.collect.usage.test_operations import AFTER, CLIENT, CONSENT, GRAPH_HERE, NO_ROLE, ROLE, SCOPES, granting, told
from tests.collect.usage.test_public_rules import directory

FOR_ONE = {**SCOPES, "DelegatedPermissionGrant.ConsentType": ("Principal", "Principal")}
FOR_ALL = {**SCOPES, "DelegatedPermissionGrant.Scope": ("", "User.Read openid")}
OF_A_USER = {
    "ConsentContext.IsAdminConsent": (None, "False"),
    "ConsentAction.Permissions": (None, f"[] => [{AFTER.replace('AllPrincipals', 'Principal')}]; "),
}
DELEGATED, ROLES = "Add delegated permission grant", "Add app role assignment to service principal"


@pytest.mark.parametrize(
    ("activity", "values", "privileged"),
    [
        (DELEGATED, SCOPES, True),
        (DELEGATED, FOR_ONE, None),
        (DELEGATED, FOR_ALL, None),
        (DELEGATED, {}, True),
        (
            "Add OAuth2PermissionGrant",
            {"ServicePrincipal.ObjectID": (None, CLIENT), "ServicePrincipal.AppId": (None, "")},
            True,
        ),
        (ROLES, ROLE, True),
        (ROLES, {**ROLE, "AppRole.Value": (None, "RoleManagement.ReadWrite.Directory")}, True),
        (ROLES, {**ROLE, "AppRole.Value": (None, "User.Read.All")}, None),
        (ROLES, {"AppRole.Value": (None, "")}, None),
        ("Add app role assignment grant to user", NO_ROLE, None),
        ("Consent to application", CONSENT, True),
        ("Consent to application", OF_A_USER, None),
    ],
)
@pytest.mark.parametrize("log", [0, 1])
def test_a_permission_for_all_mail_or_control_is_privileged_whoever_grants_it(
    tmp_path: Path, log: int, activity: str, values: dict[str, tuple[str | None, str | None]], privileged: bool | None
) -> None:
    """The rules azure_app_privileged_permissions and azure_app_delegated_permissions_all_users of Sigma.

    A permission that is not named may be any.
    """
    [row] = told(tmp_path, granting(activity, values, (GRAPH_HERE, CLIENT))[log])
    assert row["privileged"] is privileged


EXCHANGE, OWN = "00000002-0000-0ff1-ce00-000000000000", "cd3ed3de-93ee-400b-8b19-b61ef44a0f29"


@pytest.mark.parametrize(
    ("names", "privileged"),
    [(f"https://outlook.office.com/;{EXCHANGE}", True), (f"http://shop.example;{OWN}", None), (None, None)],
)
def test_a_credential_on_an_application_of_microsofts_is_privileged(
    tmp_path: Path, names: str | None, privileged: bool | None
) -> None:
    """Names as in MicrosoftDocs/azure-docs, articles/active-directory/reports-monitoring/reference-azure-monitor-audit-log-
    schema.md. The principal's display name proves nothing.
    """
    key = "[KeyIdentifier=11111111-2222-4333-8444-555555555555,KeyType=Password,KeyUsage=Verify,DisplayName=]"
    changed = {"KeyDescription": ("[]", f'["{key}"]'), "TargetId.ServicePrincipalNames": (None, names and f'"{names}"')}
    principal = {"id": CLIENT, "type": "ServicePrincipal", "displayName": "Office 365 Exchange Online"}
    [row] = told(tmp_path, directory("Add service principal credentials", principal, **changed))
    assert (row["operation"], row["privileged"]) == ("add-credential", privileged)
