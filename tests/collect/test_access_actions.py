"""What a role allows agrees with a plain reading of Azure's rules, for generated definitions and for Azure's own roles."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Raw

from keyaudit.collect.access.actions import CONTROL, DATA, Permission, allowed, by_wildcard, covers, granted
from keyaudit.collect.access.policies import Permissions, Policies, policies_of
from keyaudit.collect.wire import read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import Allows
from keyaudit.simulator import roles
from tests.collect.recorded import bodies, raw

WORDS = (
    "microsoft.keyvault",
    "vaults",
    "keys",
    "sign",
    "action",
    "*",
    "**",
    "Sign*",
    "*n",
    "k*y*",
    "",
    "secrets",
    "getSecret",
    "write",
)


def stands_for(pattern: str, action: str) -> bool:
    """An asterisk is any run; tried letter by letter."""
    if not pattern:
        return not action
    if pattern[0] == "*":
        return stands_for(pattern[1:], action) or (bool(action) and stands_for(pattern, action[1:]))
    return bool(action) and pattern[0].lower() == action[0].lower() and stands_for(pattern[1:], action[1:])


def interpreted(permissions: list[Permission]) -> list[str]:
    """What Azure's documentation says, word by word."""
    found = set()
    for permission in permissions:
        for action, allows in CONTROL.items():
            given = [one for one in permission.actions if stands_for(one, action)]
            taken = [one for one in permission.not_actions or [] if stands_for(one, action)]
            if given and not taken:
                found.add(allows)
        for action, allows in DATA.items():
            given = [one for one in permission.data_actions if stands_for(one, action)]
            taken = [one for one in permission.not_data_actions or [] if stands_for(one, action)]
            if given and not taken:
                found.add(allows)
    return [allows.value for allows in Allows if allows in found]


def pattern(rng: random.Random) -> str:
    """An action of the table with pieces of it starred, cut or in other letters; or words at random."""
    if rng.random() < 0.3:
        return "/".join(rng.choice(WORDS) for _ in range(rng.randrange(2, 6)))
    text = rng.choice([*CONTROL, *DATA])
    for _ in range(rng.randrange(3)):
        start = rng.randrange(len(text) + 1)
        text = text[:start] + "*" + text[min(len(text), start + rng.randrange(20)) :]
    return text.upper() if rng.random() < 0.2 else text


def permission(rng: random.Random) -> Permission:
    def some() -> list[str]:
        return [pattern(rng) for _ in range(rng.randrange(4))]

    return Permission(actions=some(), data_actions=some(), not_actions=rng.choice([None, some()]), not_data_actions=some())


def test_generated_roles_allow_what_a_plain_reading_says() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        permissions = [permission(rng) for _ in range(rng.randrange(4))]
        assert allowed(granted(permissions)) == interpreted(permissions), seed


def test_a_pattern_of_many_asterisks_takes_no_time() -> None:
    assert not covers("*a" * 5_000 + "b", "a" * 200)
    assert covers("*" * 10_000, "x")


BUILT_IN = {
    "Owner": ["purge-vault", "grant", "set-policy"],
    "Contributor": ["purge-vault", "set-policy"],
    "Reader": [],
    "User Access Administrator": ["grant"],
    "Role Based Access Control Administrator": ["grant"],
    "Key Vault Administrator": ["sign", "decrypt", "wrap", "read-private", "backup", "release", "import", "manage", "purge"],
    "Key Vault Crypto Officer": ["sign", "decrypt", "wrap", "backup", "release", "import", "manage", "purge"],
    "Key Vault Crypto User": ["sign", "decrypt", "wrap", "backup", "manage"],
    "Key Vault Crypto Service Encryption User": ["wrap"],
    "Key Vault Crypto Service Release User": ["release"],
    "Key Vault Reader": [],
    "Key Vault Certificates Officer": ["import", "manage", "purge"],
    "Key Vault Certificate User": ["read-private"],
    "Key Vault Secrets Officer": ["read-private"],
    "Key Vault Secrets User": ["read-private"],
    "Key Vault Data Access Administrator": ["grant"],
    "Key Vault Contributor": ["set-policy"],
    "Key Vault Purge Operator": ["purge-vault"],
}


def test_azures_own_roles() -> None:
    found = {
        role.name: allowed(
            granted(
                [
                    Permission(
                        actions=list(role.actions),
                        data_actions=list(role.data_actions),
                        not_actions=list(role.not_actions),
                        not_data_actions=list(role.not_data_actions),
                    )
                ]
            )
        )
        for role in roles.BUILT_IN
    }
    assert found == BUILT_IN


def test_what_one_permission_denies_itself_another_may_give() -> None:
    both = [
        Permission(actions=[], data_actions=["*"], not_data_actions=["*/sign/action"]),
        Permission(actions=[], data_actions=["Microsoft.KeyVault/vaults/keys/sign/action"]),
    ]
    assert "sign" not in allowed(granted(both[:1]))
    assert "sign" in allowed(granted(both))


@pytest.mark.parametrize(
    ("pattern", "wild"),
    [
        ("*", True),
        ("Microsoft.KeyVault/*", True),
        ("Microsoft.KeyVault/vaults/keys/*", True),
        ("Microsoft.KeyVault/vaults/keys/*/action", True),
        ("Microsoft.KeyVault/vaults/keys/sign/action", False),
        ("Microsoft.KeyVault/vaults/*/read", False),
        ("Microsoft.KeyVault/vaults/secrets/*", False),
    ],
)
def test_a_wildcard_over_key_actions(pattern: str, wild: bool) -> None:
    assert by_wildcard([Permission(actions=["*"], data_actions=[pattern])]) is wild


@pytest.mark.parametrize("member", ["actions", "dataActions"])
@pytest.mark.parametrize("word", ["Absurd", ""])
def test_a_permission_with_a_word_that_is_no_action_is_unknown(member: str, word: str) -> None:
    permission = {"actions": ["*/read"], "dataActions": ["Microsoft.KeyVault/vaults/keys/read"]}
    assert isinstance(read(raw(permission), Permission), Permission)
    assert read(raw({**permission, member: [*permission[member], word]}), Permission) == Refusal(Reason.BAD_VALUE)


def test_every_recorded_role_has_actions_of_azure() -> None:
    answers = (answer for file in ("arm-role-definitions", "mhsm-rbac") for answer in bodies(file, path="/roleDefinitions"))
    definitions = [body for answer in answers for body in answer.get("value", [answer])]
    assert len(definitions) > 5
    for permission in (each for definition in definitions for each in definition["properties"]["permissions"]):
        # Older versions of ARM's API leave out dataActions.
        assert isinstance(read(raw({"actions": [], "dataActions": [], **permission}), Permission), Permission)


def test_every_name_of_a_permission_of_an_access_policy_is_read_without_case() -> None:
    assert Permissions(keys=["Sign", "UNWRAPKEY"]).names("keys") == {"sign", "unwrapkey"}
    assert policies_of(Raw(b"[]")) == Policies({}, (), 0, 0)


WHO = "00000000-0000-0000-0000-000000000001"
UNRECOGNISED = Refusal(Reason.UNRECOGNISED)


@pytest.mark.parametrize(
    ("permissions", "allows", "wildcard"),
    [
        ({"keys": ["Sign", "get"], "secrets": ["LIST"]}, ["sign"], False),
        ({"keys": ["get", "list"]}, [], False),
        ({"keys": ["sign", "Absurd"]}, UNRECOGNISED, UNRECOGNISED),
        ({"keys": ["sign"], "secrets": ["Absurd"]}, UNRECOGNISED, False),
        ({"certificates": ["sign"]}, UNRECOGNISED, False),
        ({"secrets": ["All", "Absurd"]}, ["read-private"], False),
        # Of storage accounts, whose permissions give no access to keys.
        ({"storage": ["Absurd"]}, [], False),
    ],
)
def test_a_permission_that_no_document_names_may_be_any(permissions: object, allows: object, wildcard: object) -> None:
    policies = policies_of(raw([{"objectId": WHO, "permissions": permissions}]))
    assert (policies.unread, policies.count) == ((), 1)
    policy = policies.found[WHO, ""]
    assert (policy.allows, policy.wildcard) == (allows, wildcard)


def test_a_second_entry_that_grants_all_covers_what_the_first_names() -> None:
    entries = [{"objectId": WHO, "permissions": {"keys": [name]}} for name in ("Absurd", "all")]
    policy = policies_of(raw(entries)).found[WHO, ""]
    assert policy.wildcard is True
    assert isinstance(policy.allows, list)
    assert "sign" in policy.allows


def _recorded_policies(answer: Any) -> Iterator[object]:
    for name, inner in answer.items() if isinstance(answer, dict) else enumerate(answer) if isinstance(answer, list) else ():
        if name == "accessPolicies":
            yield inner
        else:
            yield from _recorded_policies(inner)


def test_every_recorded_permission_is_a_known_one() -> None:
    answers = (
        body
        for file in ("arm-vault-list", "arm-vault-lifecycle")
        for method in ("GET", "PUT")
        for body in bodies(file, method=method)
    )
    recorded = [found for body in answers for found in _recorded_policies(body)]
    assert len(recorded) > 5
    for policies in map(policies_of, map(raw, recorded)):
        assert policies.unread == ()
        assert not any(isinstance(policy.allows, Refusal) for policy in policies.found.values())
