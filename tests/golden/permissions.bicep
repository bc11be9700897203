// The least privileges that keyaudit 0.1.0 needs for everything that it collects. keyaudit only reads with
// them.
// az deployment sub create --location LOCATION --template-file FILE --parameters principalId=OBJECT_ID

extension 'br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0'

targetScope = 'subscription'

@description('The identity that runs keyaudit: the object id of a service principal or managed identity.')
param principalId string

// Reader: subscriptions, vaults. For kv-key-expired-still-enabled and kv-key-rotation-overdue.
resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, 'acdd72a7-3385-48ef-bd42-f606fba81ae7')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'acdd72a7-3385-48ef-bd42-f606fba81ae7')
  }
}

// Key Vault Reader: keys, rotation policies. For kv-key-rotation-overdue.
resource keyVaultReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, '21090545-7ca7-4776-b22c-e363652d74d2')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '21090545-7ca7-4776-b22c-e363652d74d2')
  }
}

var permissions = [
  // Domain.Read.All: domains. For no policy, but tenant.default_domain and tenant.verified_domains.
  'Domain.Read.All'
  // Application.Read.All: applications. For app-secret-too-long.
  'Application.Read.All'
]

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource consents 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [for permission in permissions: {
  appRoleId: filter(graph.appRoles, role => role.value == permission && contains(role.allowedMemberTypes, 'Application'))[0].id
  principalId: principalId
  resourceId: graph.id
}]

// On each vault under access policies, instead of a role:
// From 27 February 2027 on, this takes Azure CLI 2.90.0 or later.
// az keyvault set-policy --name VAULT --object-id OBJECT_ID --key-permissions list getrotationpolicy
