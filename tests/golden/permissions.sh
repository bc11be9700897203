#!/bin/sh
# The least privileges that keyaudit 0.1.0 needs for everything that it collects. keyaudit only reads with
# them.
set -eu
# The identity that runs keyaudit: the object id of a service principal or managed identity.
: "${PRINCIPAL_ID:?}"
# Where: subscriptions or management groups, as resource ids separated by spaces.
: "${SCOPES:?}"
# The names of vaults under access policies, separated by spaces; omit it if there are none.
: "${VAULTS:=}"

for scope in $SCOPES; do
  # Reader: subscriptions, vaults. For kv-key-expired-still-enabled and kv-key-rotation-overdue.
  az role assignment create --role "Reader" --scope "$scope" --assignee-object-id "$PRINCIPAL_ID" --assignee-principal-type ServicePrincipal
  # Key Vault Reader: keys, rotation policies. For kv-key-rotation-overdue.
  az role assignment create --role "Key Vault Reader" --scope "$scope" --assignee-object-id "$PRINCIPAL_ID" --assignee-principal-type ServicePrincipal
done

# From 27 February 2027 on, this takes Azure CLI 2.90.0 or later.
for vault in $VAULTS; do
  az keyvault set-policy --name "$vault" --object-id "$PRINCIPAL_ID" --key-permissions list getrotationpolicy
done

graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph_id=$(az ad sp show --id 00000003-0000-0000-c000-000000000000 --query id --output tsv)
permit() {
  query="appRoles[?value=='$1' && contains(allowedMemberTypes, 'Application')].id | [0]"
  role_id=$(az ad sp show --id 00000003-0000-0000-c000-000000000000 --query "$query" --output tsv)
  principals="${graph%/}/v1.0/servicePrincipals"
  query="length(value[?appRoleId=='$role_id'])"
  given=$(az rest --url "$principals/$PRINCIPAL_ID/appRoleAssignments" --query "$query" --output tsv)
  [ "$given" = 0 ] || return 0
  to="$principals/$graph_id/appRoleAssignedTo"
  body="{\"principalId\": \"$PRINCIPAL_ID\", \"resourceId\": \"$graph_id\", \"appRoleId\": \"$role_id\"}"
  az rest --method POST --url "$to" --headers Content-Type=application/json --body "$body" --output none
}
# Domain.Read.All: domains. For no policy, but tenant.default_domain and tenant.verified_domains.
permit Domain.Read.All
# Application.Read.All: applications. For app-secret-too-long.
permit Application.Read.All
