"""The permissions as a Terraform file, for the providers azurerm and azuread."""

from collections.abc import Iterator

from keyaudit.model.operations import Rights
from keyaudit.questions.permissions.az import GRAPH
from keyaudit.questions.permissions.needs import Needed
from keyaudit.questions.permissions.notes import by_hand, head, note
from keyaudit.report.lines import joined

_PRINCIPAL = """
variable "principal_id" {
  description = "The identity that runs keyaudit: the object id of a service principal or managed identity."
  type        = string
}"""
_SCOPES = """
variable "scopes" {
  description = "Where: subscriptions or management groups, as resource ids."
  type        = set(string)
}"""
_VAULTS = """
variable "access_policy_vaults" {
  description = "Vaults under access policies, as resource ids."
  type        = set(string)
  default     = []
}"""
_GRAPH = f"""
data "azuread_service_principal" "graph" {{
  client_id = "{GRAPH}"
}}
"""
# As azurerm spells them.
_SPELT = {"get": "Get", "list": "List", "getrotationpolicy": "GetRotationPolicy"}


def render(needed: Needed) -> str:
    """A file for azurerm 4 and azuread 3, or later."""
    return joined(_lines(needed))


def _lines(needed: Needed) -> Iterator[str]:
    yield from head(needed, "#")
    yield from _PRINCIPAL.splitlines()
    yield from _roles(needed)
    yield from _policies(needed)
    yield from _permissions(needed)
    yield from by_hand(needed, "#")


def _roles(needed: Needed) -> Iterator[str]:
    if needed.roles():
        yield from _SCOPES.splitlines()
    for need in needed.roles():
        yield ""
        yield from note(need, needed, "#")
        yield f'resource "azurerm_role_assignment" "{need.right.name.lower().replace(" ", "_")}" {{'
        yield "  for_each             = var.scopes"
        yield "  scope                = each.value"
        yield f'  role_definition_name = "{need.right.name}"'
        yield "  principal_id         = var.principal_id"
        yield '  principal_type       = "ServicePrincipal"'
        yield "}"


def _policies(needed: Needed) -> Iterator[str]:
    allowed = needed.access_policies()
    if not allowed:
        return
    yield from _VAULTS.splitlines()
    yield from ("", 'data "azurerm_client_config" "current" {}', "")
    yield 'resource "azurerm_key_vault_access_policy" "keyaudit" {'
    width = max(len(f"{kind.removesuffix('s')}_permissions") for kind in allowed)
    for name, value in (
        ("for_each", "var.access_policy_vaults"),
        ("key_vault_id", "each.value"),
        ("tenant_id", "data.azurerm_client_config.current.tenant_id"),
        ("object_id", "var.principal_id"),
        *((f"{kind.removesuffix('s')}_permissions", _list(words)) for kind, words in allowed.items()),
    ):
        yield f"  {name:<{width}} = {value}"
    yield "}"


def _list(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{_SPELT[word]}"' for word in words) + "]"


def _permissions(needed: Needed) -> Iterator[str]:
    needs = needed.of(Rights.GRAPH)
    if not needs:
        return
    yield from (*_GRAPH.splitlines(), "")
    yield 'resource "azuread_app_role_assignment" "graph" {'
    yield "  for_each = toset(["
    for need in needs:
        yield from note(need, needed, "#", "    ")
        yield f'    "{need.right.name}",'
    yield "  ])"
    yield "  app_role_id         = data.azuread_service_principal.graph.app_role_ids[each.value]"
    yield "  principal_object_id = var.principal_id"
    yield "  resource_object_id  = data.azuread_service_principal.graph.object_id"
    yield "}"
