"""The permissions as a shell script for the Azure CLI, to be run by an administrator."""

from collections.abc import Iterator

from keyaudit.model.operations import Rights
from keyaudit.model.results.fixes import AZ_KEYVAULT
from keyaudit.questions.permissions.needs import Needed
from keyaudit.questions.permissions.notes import head, note
from keyaudit.report.grants import permission_flags
from keyaudit.report.lines import joined

GRAPH = "00000003-0000-0000-c000-000000000000"
"""Microsoft Graph's application id, the same in every tenant."""

_INPUTS = """\
set -eu
# The identity that runs keyaudit: the object id of a service principal or managed identity.
: "${PRINCIPAL_ID:?}"
"""
_SCOPES = """\
# Where: subscriptions or management groups, as resource ids separated by spaces.
: "${SCOPES:?}"
"""
_VAULTS = """\
# The names of vaults under access policies, separated by spaces; omit it if there are none.
: "${VAULTS:=}"
"""
_HSMS = """\
# The names of Managed HSMs, separated by spaces; omit it if there are none.
: "${MANAGED_HSMS:=}"
"""
# Permissions are looked up by name, so that no id has to be trusted; an existing one is left unchanged.
_PERMIT = f"""\
graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph_id=$(az ad sp show --id {GRAPH} --query id --output tsv)
permit() {{
  query="appRoles[?value=='$1' && contains(allowedMemberTypes, 'Application')].id | [0]"
  role_id=$(az ad sp show --id {GRAPH} --query "$query" --output tsv)
  principals="${{graph%/}}/v1.0/servicePrincipals"
  query="length(value[?appRoleId=='$role_id'])"
  given=$(az rest --url "$principals/$PRINCIPAL_ID/appRoleAssignments" --query "$query" --output tsv)
  [ "$given" = 0 ] || return 0
  to="$principals/$graph_id/appRoleAssignedTo"
  body="{{\\"principalId\\": \\"$PRINCIPAL_ID\\", \\"resourceId\\": \\"$graph_id\\", \\"appRoleId\\": \\"$role_id\\"}}"
  az rest --method POST --url "$to" --headers Content-Type=application/json --body "$body" --output none
}}"""


def render(needed: Needed) -> str:
    """A script for any POSIX shell."""
    return joined(_lines(needed))


def _lines(needed: Needed) -> Iterator[str]:
    yield "#!/bin/sh"
    yield from head(needed, "#")
    yield from _inputs(needed)
    yield from _roles(needed)
    yield from _policies(needed)
    yield from _permissions(needed)
    yield from _elsewhere(needed)


def _inputs(needed: Needed) -> Iterator[str]:
    yield from _INPUTS.splitlines()
    hsms = any(need.right.command for need in needed.elsewhere())
    for wanted, text in ((needed.roles(), _SCOPES), (needed.access_policies(), _VAULTS), (hsms, _HSMS)):
        if wanted:
            yield from text.splitlines()


def _roles(needed: Needed) -> Iterator[str]:
    if not needed.roles():
        return
    yield ""
    yield "for scope in $SCOPES; do"
    for need in needed.roles():
        yield from note(need, needed, "#", "  ")
        assignee = '--assignee-object-id "$PRINCIPAL_ID" --assignee-principal-type ServicePrincipal'
        yield f'  az role assignment create --role "{need.right.name}" --scope "$scope" {assignee}'
    yield "done"


def _policies(needed: Needed) -> Iterator[str]:
    allowed = needed.access_policies()
    if not allowed:
        return
    yield ""
    yield f"# {AZ_KEYVAULT}"
    yield "for vault in $VAULTS; do"
    yield f'  az keyvault set-policy --name "$vault" --object-id "$PRINCIPAL_ID" {permission_flags(allowed)}'
    yield "done"


def _permissions(needed: Needed) -> Iterator[str]:
    needs = needed.of(Rights.GRAPH)
    if not needs:
        return
    yield ""
    yield from _PERMIT.splitlines()
    for need in needs:
        yield from note(need, needed, "#")
        yield f"permit {need.right.name}"


def _elsewhere(needed: Needed) -> Iterator[str]:
    for need in needed.elsewhere():
        yield ""
        yield from note(need, needed, "#")
        if need.right.command:
            command = need.right.command.format(name='"$hsm"', scope='"$hsm"').replace("ASSIGNEE", '"$PRINCIPAL_ID"')
            yield from ("for hsm in $MANAGED_HSMS; do", f"  {command}", "done")
        else:
            yield f"# Given by hand: {need.right.text}."
