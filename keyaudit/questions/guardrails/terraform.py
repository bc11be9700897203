"""The initiative of Azure Policy and its assignment as a Terraform file, for the provider azurerm."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from keyaudit.report.lines import joined

DEPLOY = (
    "terraform -chdir=FOLDER_OF_THE_FILE init",
    "terraform -chdir=FOLDER_OF_THE_FILE plan -var subscription_id=SUBSCRIPTION",
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEAD = """terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.0"
    }
  }
}

variable "subscription_id" {
  description = "The subscription that the initiative is created in and assigned to."
  type        = string
}"""
_ASSIGNMENT = """
resource "azurerm_subscription_policy_assignment" "keyaudit" {
  name                 = "keyaudit"
  policy_definition_id = azurerm_policy_set_definition.keyaudit.id
  subscription_id      = "/subscriptions/${var.subscription_id}"
  parameters = jsonencode({"""


def render(document: Mapping[str, Any]) -> str:
    """A file with what `azure_policy` made: a variable for each of its parameters, the initiative and the assignment."""
    return joined(_lines(document["properties"]))


def _lines(properties: Mapping[str, Any]) -> Iterator[str]:
    yield from _HEAD.splitlines()
    for name, declared in properties["parameters"].items():
        allowed = literal(declared["allowedValues"], "    ")
        yield ""
        yield f'variable "{name}" {{'
        yield f"  description = {literal(declared['metadata']['displayName'])}"
        yield "  type        = string"
        yield f"  default     = {literal(declared['defaultValue'])}"
        yield "  validation {"
        yield f"    condition     = contains({allowed}, var.{name})"
        yield f'    error_message = "One of {", ".join(declared["allowedValues"])}."'
        yield "  }"
        yield "}"
    yield ""
    yield 'resource "azurerm_policy_set_definition" "keyaudit" {'
    yield '  name         = "keyaudit"'
    yield f"  policy_type  = {literal(properties['policyType'])}"
    yield f"  display_name = {literal(properties['displayName'])}"
    yield f"  description  = {literal(properties['description'])}"
    yield f"  metadata     = jsonencode({literal(properties['metadata'], '  ')})"
    yield f"  parameters   = jsonencode({literal(properties['parameters'], '  ')})"
    for group in properties["policyDefinitionGroups"]:
        yield from ("", "  policy_definition_group {")
        yield f"    name         = {literal(group['name'])}"
        yield f"    display_name = {literal(group['displayName'])}"
        yield f"    category     = {literal(group['category'])}"
        yield "  }"
    for each in properties["policyDefinitions"]:
        yield from ("", "  policy_definition_reference {")
        yield f"    policy_definition_id = {literal(each['policyDefinitionId'])}"
        yield f"    reference_id         = {literal(each['policyDefinitionReferenceId'])}"
        yield f"    policy_group_names   = {literal(each['groupNames'], '    ')}"
        yield f"    parameter_values     = jsonencode({literal(each['parameters'], '    ')})"
        yield "  }"
    yield "}"
    yield from _ASSIGNMENT.splitlines()
    yield from (f"    {name} = {{ value = var.{name} }}" for name in properties["parameters"])
    yield "  })"
    yield "}"


def literal(value: object, indent: str = "") -> str:
    """A value of JSON as Terraform writes it. Nothing in a text is a template."""
    more = f"{indent}  "
    match value:
        case Mapping():
            members = "".join(f"{more}{_key(name)} = {literal(each, more)}\n" for name, each in value.items())
            return f"{{\n{members}{indent}}}" if members else "{}"
        case list():
            return f"[{', '.join(literal(each, indent) for each in value)}]"
        case str():
            return _quoted(value)
        case _:
            return json.dumps(value)


def _key(name: str) -> str:
    return str(name) if _NAME.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
