# The least privileges that keyaudit 0.1.0 needs for everything that it collects. keyaudit only reads with
# them.

variable "principal_id" {
  description = "The identity that runs keyaudit: the object id of a service principal or managed identity."
  type        = string
}

variable "scopes" {
  description = "Where: subscriptions or management groups, as resource ids."
  type        = set(string)
}

# Reader: subscriptions, vaults. For kv-key-expired-still-enabled and kv-key-rotation-overdue.
resource "azurerm_role_assignment" "reader" {
  for_each             = var.scopes
  scope                = each.value
  role_definition_name = "Reader"
  principal_id         = var.principal_id
  principal_type       = "ServicePrincipal"
}

# Key Vault Reader: keys, rotation policies. For kv-key-rotation-overdue.
resource "azurerm_role_assignment" "key_vault_reader" {
  for_each             = var.scopes
  scope                = each.value
  role_definition_name = "Key Vault Reader"
  principal_id         = var.principal_id
  principal_type       = "ServicePrincipal"
}

variable "access_policy_vaults" {
  description = "Vaults under access policies, as resource ids."
  type        = set(string)
  default     = []
}

data "azurerm_client_config" "current" {}

resource "azurerm_key_vault_access_policy" "keyaudit" {
  for_each        = var.access_policy_vaults
  key_vault_id    = each.value
  tenant_id       = data.azurerm_client_config.current.tenant_id
  object_id       = var.principal_id
  key_permissions = ["List", "GetRotationPolicy"]
}

data "azuread_service_principal" "graph" {
  client_id = "00000003-0000-0000-c000-000000000000"
}

resource "azuread_app_role_assignment" "graph" {
  for_each = toset([
    # Domain.Read.All: domains. For no policy, but tenant.default_domain and tenant.verified_domains.
    "Domain.Read.All",
    # Application.Read.All: applications. For app-secret-too-long.
    "Application.Read.All",
  ])
  app_role_id         = data.azuread_service_principal.graph.app_role_ids[each.value]
  principal_object_id = var.principal_id
  resource_object_id  = data.azuread_service_principal.graph.object_id
}
