"""The ranking of permissions and directory roles: each entry once, well formed, and found by id and by name."""

import re

from keyaudit.model.directory.tiers import (
    ACTIONS,
    DIRECTORY_ROLES,
    EXCHANGE,
    GRAPH,
    PERMISSIONS,
    tier_of_actions,
    tier_of_permission,
    tier_of_role,
)

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAIL = "e2a3a72e-5f79-4c64-b1b1-878b674786c9"


def test_every_entry_is_there_once_with_a_reason_and_a_source() -> None:
    for entries in (*PERMISSIONS.values(), DIRECTORY_ROLES, ACTIONS):
        names = [entry.name.lower() for entry in entries]
        ids = [entry.id for entry in entries if entry.id]
        assert len(set(names)) == len(names)
        assert len(set(ids)) == len(ids)
        assert all(GUID.fullmatch(id_) for id_ in ids)
        assert all(entry.tier in (0, 1) and entry.why and entry.source.startswith("https://") for entry in entries)
    assert all(GUID.fullmatch(api) for api in PERMISSIONS)
    assert all(entry.id for entry in DIRECTORY_ROLES)


def test_a_permission_is_ranked_by_its_id_or_its_name_on_that_api() -> None:
    assert tier_of_permission(GRAPH, MAIL.upper(), None) == 1
    assert tier_of_permission(GRAPH.upper(), "another", "mail.readwrite") == 1
    assert tier_of_permission(GRAPH, "another", "RoleManagement.ReadWrite.Directory") == 0
    assert tier_of_permission(EXCHANGE, "another", "RoleManagement.ReadWrite.Directory") is None
    assert tier_of_permission("11111111-2222-4333-8444-555555555555", MAIL, "Mail.ReadWrite") is None
    assert tier_of_permission(GRAPH, "another", None) is None


def test_what_entra_connect_holds_controls_the_tenant() -> None:
    # By id and by name: https://learn.microsoft.com/entra/identity/hybrid/connect/authenticate-application-id
    synchronization, reset, government = (
        "6bf85cfa-ac8a-4be5-b5de-425a0d0dc016",
        "93625bc8-bfe2-437a-97e0-3d0060024faa",
        "2e5ecfc8-ea79-48bd-8140-c19324acb278",
    )
    assert tier_of_permission(synchronization, "ab43b826-2c7a-4aff-9ecd-d0629d0ca6a9", None) == 0
    assert tier_of_permission(synchronization, "another", "ADSynchronization.ReadWrite.All") == 0
    for api in (reset, government):
        assert tier_of_permission(api, "fc7e8088-95b5-453e-8bef-b17ecfec5ba3", None) == 0
        assert tier_of_permission(api, "another", "PasswordWriteback.OffboardClient.All") == 0
    assert tier_of_permission(GRAPH, "another", "ADSynchronization.ReadWrite.All") is None
    assert tier_of_permission(reset, "another", "ADSynchronization.ReadWrite.All") is None


def test_a_directory_role_is_ranked_by_its_template_and_an_own_one_by_its_gravest_action() -> None:
    assert tier_of_role("62E90394-69F5-4237-9190-012177145E10") == 0
    assert tier_of_role("88d8e3e3-8f55-4a1e-953a-9b9898b8876b") is None
    harmless = "microsoft.directory/users/basic/read"
    assert tier_of_actions([harmless, "microsoft.directory/Applications/credentials/update"]) == 0
    assert tier_of_actions([harmless]) is None
    assert tier_of_actions([]) is None
