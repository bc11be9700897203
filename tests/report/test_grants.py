"""The commands that a report prints for what was refused: for the vault at hand, on one line, as a shell and az take them."""

import argparse
import shlex
import subprocess

import pytest
from msgspec import structs

from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.reasons import Reason
from keyaudit.model.results.fixes import AZ_KEYVAULT
from keyaudit.model.results.run import Gap
from keyaudit.model.values.shell import option
from keyaudit.report.grants import Grant, grants, notes
from keyaudit.report.missing import remedied

ID = "/subscriptions/5b2c/resourcegroups/rg-keys/providers/microsoft.keyvault/vaults/kv-legacy"
VAULT = Scope(ID, "kv-legacy", ScopeKind.VAULT)
READS = ("key.list", "key.get", "certificate.list")
ROLE = f"az role assignment create --role 'Key Vault Reader' --scope {ID} --assignee ASSIGNEE"
POLICY = (
    "az keyvault set-policy --name kv-legacy --object-id OBJECT_ID"
    " --key-permissions list get getrotationpolicy --certificate-permissions list get --subscription 5b2c"
)


def _gap(model: str, scope: Scope = VAULT, operations: tuple[str, ...] = READS) -> Gap:
    return Gap(scope=scope, reason=Reason.PERMISSION, operations=operations, access_model=model)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("rbac", [Grant(ROLE)]),
        ("access-policy", [Grant(POLICY)]),
        ("", [Grant(ROLE, "if the vault uses Azure RBAC"), Grant(POLICY, "if the vault uses access policies")]),
    ],
)
def test_a_vault_is_opened_in_the_way_that_it_honours(model: str, expected: list[Grant]) -> None:
    assert list(grants(_gap(model))) == expected


def test_a_permission_that_the_identity_has_is_not_taken_away_by_the_one_that_it_lacks() -> None:
    """set-policy replaces the permissions on a kind of object."""
    [policy] = grants(_gap("access-policy", operations=("key.rotation_policy",)))
    assert "--key-permissions list get getrotationpolicy --subscription" in policy.command


@pytest.mark.parametrize(
    ("operation", "role", "scope"),
    [
        ("vault.query", "Reader", "/subscriptions/SUBSCRIPTION_ID"),
        ("workspace.get", "Reader", "RESOURCE_ID"),
    ],
)
def test_a_role_is_not_assigned_on_a_tenant_which_azure_cannot_do(operation: str, role: str, scope: str) -> None:
    """The form of a scope: https://learn.microsoft.com/azure/role-based-access-control/scope-overview"""
    tenant = Scope("/tenants/9b1e", "contoso", ScopeKind.TENANT)
    [grant] = grants(_gap("", tenant, (operation,)))
    assert grant.command == f"az role assignment create --role {role} --scope {scope} --assignee ASSIGNEE"


def test_a_read_of_azure_resource_manager_takes_a_role_whatever_the_vault_honours() -> None:
    [role, policy] = grants(_gap("access-policy", operations=("vault.get", "key.list")))
    assert role.command.startswith("az role assignment create --role Reader ")
    assert policy.command.startswith("az keyvault set-policy ")


APP = "7ce565d9-cf95-5aca-bef3-b02092170ddc"


@pytest.mark.parametrize(
    ("identity", "assignee", "principal"),
    [
        ("alice@contoso.example (Azure CLI)", "'alice@contoso.example'", "--upn 'alice@contoso.example'"),
        (f"application {APP} (environment)", APP, f"--spn {APP}"),
        (f"Audit pipeline, application {APP} (workload identity)", APP, f"--spn {APP}"),
        # A display name is chosen by the one who registers it, and its text is not believed.
        (f"x (y), application {ID}, application {APP} (managed identity)", APP, f"--spn {APP}"),
        (f"object {APP} (Azure CLI)", APP, f"--object-id {APP}"),
    ],
)
def test_a_command_names_the_identity_that_was_refused(identity: str, assignee: str, principal: str) -> None:
    """az takes a sign-in name, an object id or a service principal's name (its client id) for --assignee, and each with a flag
    of its own for set-policy: https://learn.microsoft.com/cli/azure/role/assignment#az-role-assignment-create
    """
    gap = structs.replace(_gap(""), reader=identity)
    role, policy = grants(gap)
    assert role.command == ROLE.replace("ASSIGNEE", assignee)
    assert policy.command == POLICY.replace("--object-id OBJECT_ID", principal)
    assert list(notes([role])) == []
    assert list(notes([role, policy])) == [AZ_KEYVAULT]
    assert "is unknown in this run" not in " ".join(remedied([gap], 80))


@pytest.mark.parametrize(
    "identity",
    ["", "nobody", "bob_fabrikam.example#EXT#@contoso.example (Azure CLI)", "application unknown (environment)", f"{APP}@ (x)"],
)
def test_an_identity_that_is_not_known_is_a_placeholder_with_its_meaning(identity: str) -> None:
    gap = structs.replace(_gap(""), reader=identity)
    assert [grant.command for grant in grants(gap)] == [ROLE, POLICY]
    told = " ".join(" ".join(remedied([gap], 80)).split())
    assert "ASSIGNEE and OBJECT_ID: the object id of the identity that runs keyaudit, which is unknown in this run" in told


def test_only_the_placeholder_that_is_there_is_explained() -> None:
    assert [note.partition(":")[0] for note in notes(grants(_gap("rbac")))] == ["ASSIGNEE"]
    assert [note.partition(":")[0] for note in notes(grants(_gap("access-policy")))] == ["OBJECT_ID", AZ_KEYVAULT]


@pytest.mark.parametrize("width", [20, 80])
@pytest.mark.parametrize("model", ["rbac", "access-policy", ""])
def test_a_command_is_one_line_at_any_width(model: str, width: int) -> None:
    lines = remedied([_gap(model)], width)
    commands = [line.strip() for line in lines if line.strip().startswith("az ")]
    assert commands == [grant.command for grant in grants(_gap(model))]
    assert not any(line.endswith("\\") for line in lines)


@pytest.mark.parametrize("name", ["kv-prod", "-kv", "--name", "$(id) `id`", "it's; id", "-it's", "a b", ""])
def test_a_shell_and_az_take_a_value_as_it_is(name: str) -> None:
    """az reads its arguments with argparse, which takes what begins with a dash for an option even where it is quoted."""
    shell = ["sh", "-c", f"for word in az {option('--name', name)} --top 1; do printf '%s\\0' \"$word\"; done"]
    words = subprocess.run(shell, capture_output=True, text=True, check=True).stdout.split("\0")[1:-1]
    parser = argparse.ArgumentParser()
    parser.add_argument("--name")
    parser.add_argument("--top")
    assert parser.parse_args(words) == argparse.Namespace(name=name, top="1")


def test_hostile_names_stay_one_word() -> None:
    scope = Scope(ID.replace("kv-legacy", "a'; id; '\n\x1b[2J"), "-a'; id; '\n\x1b[2J", ScopeKind.VAULT)
    for grant in grants(_gap("", scope)):
        assert grant.command.isprintable()
        assert "id" not in shlex.split(grant.command)
