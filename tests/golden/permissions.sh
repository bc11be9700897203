#!/bin/sh
# The least rights that keyaudit 0.1.0 needs for everything that it collects. Each only reads.
set -eu
# Who runs keyaudit: the object id of a service principal or managed identity.
: "${PRINCIPAL_ID:?}"
# Where: subscriptions or management groups, as resource ids with spaces between them.
: "${SCOPES:?}"
# The names of vaults under access policies, with spaces between them; none: leave it out.
: "${VAULTS:=}"

for scope in $SCOPES; do
  # Reader: subscriptions, vaults. For kv-key-expired-still-enabled and kv-key-rotation-overdue.
  az role assignment create --role "Reader" --scope "$scope" \
    --assignee-object-id "$PRINCIPAL_ID" --assignee-principal-type ServicePrincipal
  # Key Vault Reader: keys, rotation policies. For kv-key-rotation-overdue.
  az role assignment create --role "Key Vault Reader" --scope "$scope" \
    --assignee-object-id "$PRINCIPAL_ID" --assignee-principal-type ServicePrincipal
done

for vault in $VAULTS; do
  az keyvault set-policy --name "$vault" --object-id "$PRINCIPAL_ID" --key-permissions list getrotationpolicy
done

graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph_id=$(az ad sp show --id 00000003-0000-0000-c000-000000000000 --query id --output tsv)
permit() {
  role_id=$(az ad sp show --id 00000003-0000-0000-c000-000000000000 --output tsv \
    --query "appRoles[?value=='$1' && contains(allowedMemberTypes, 'Application')].id | [0]")
  given=$(az rest --url "${graph%/}/v1.0/servicePrincipals/$PRINCIPAL_ID/appRoleAssignments" --output tsv \
    --query "length(value[?appRoleId=='$role_id'])")
  [ "$given" != 0 ] || az rest --method POST --url "${graph%/}/v1.0/servicePrincipals/$graph_id/appRoleAssignedTo" \
    --headers Content-Type=application/json --output none \
    --body "{\"principalId\": \"$PRINCIPAL_ID\", \"resourceId\": \"$graph_id\", \"appRoleId\": \"$role_id\"}"
}
# Domain.Read.All: domains. For no policy, but tenant.default_domain and tenant.verified_domains.
permit Domain.Read.All
# Application.Read.All: applications. For app-secret-too-long.
permit Application.Read.All
