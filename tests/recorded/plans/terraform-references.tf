variable "existing" {
  type    = string
  default = null
}
variable "create" {
  type    = bool
  default = true
}
locals {
  vault_id = terraform_data.plain.id
}
resource "terraform_data" "plain" {}
resource "terraform_data" "other" {}
resource "terraform_data" "counted" {
  count = 2
}
resource "terraform_data" "each" {
  for_each = { eu = "west", us = "east" }
}
resource "terraform_data" "none" {
  count = var.create ? 0 : 1
}
resource "terraform_data" "of_plain" {
  depends_on = [terraform_data.other]
  input = terraform_data.plain.id
}
resource "terraform_data" "of_template" {
  input = "${terraform_data.plain.id}/keys/x"
}
resource "terraform_data" "of_local" {
  input = local.vault_id
}
resource "terraform_data" "of_choice" {
  input = var.existing == null ? terraform_data.plain.id : var.existing
}
resource "terraform_data" "of_none" {
  input = try(terraform_data.none[0].id, terraform_data.counted[0].id)
}
resource "terraform_data" "of_two" {
  input = var.create ? terraform_data.plain.id : terraform_data.other.id
}
resource "terraform_data" "of_splat" {
  input = one(terraform_data.plain[*].id)
}
resource "terraform_data" "of_index" {
  count = 2
  input = terraform_data.counted[count.index].id
}
resource "terraform_data" "of_key" {
  for_each = toset(["eu", "us"])
  input    = terraform_data.each[each.key].id
}
resource "terraform_data" "chained" {
  for_each = terraform_data.each
  input    = each.value.id
}
resource "terraform_data" "rekeyed" {
  for_each = { for name, each in terraform_data.each : "${name}-x" => each }
  input    = each.value.id
}
resource "terraform_data" "chosen" {
  for_each = { a = "eu", b = "us" }
  input    = terraform_data.each[each.value].id
}
module "vault" {
  source = "./modules/vault"
}
module "vaults" {
  source   = "./modules/vault"
  for_each = { eu = "west", us = "east" }
}
module "key" {
  source   = "./modules/key"
  vault_id = module.vault.id
}
module "keys" {
  source   = "./modules/key"
  for_each = module.vaults
  vault_id = each.value.id
}
module "of_each" {
  source   = "./modules/key"
  for_each = terraform_data.each
  vault_id = each.value.id
}

# modules/vault/main.tf
# resource "terraform_data" "this" {}
# output "id" {
#   value = terraform_data.this.id
# }

# modules/key/main.tf
# variable "vault_id" {
#   type = string
# }
# variable "other_id" {
#   type    = string
#   default = ""
# }
# resource "terraform_data" "own" {}
# resource "terraform_data" "this" {
#   input = var.vault_id
# }
# resource "terraform_data" "chosen" {
#   input = var.other_id == "" ? terraform_data.own.id : var.other_id
# }
