"""The initiative of Azure Policy and its assignment as a Bicep file, deployed at each subscription."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from keyaudit.report.lines import joined

DEPLOY = ("az deployment sub create --location LOCATION --template-file {file}",)
_VERSION = "2025-11-01"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def render(document: Mapping[str, Any]) -> str:
    """A file with what `azure_policy` made: an effect for each of its parameters, the initiative and the assignment."""
    return joined(_lines(document["properties"]))


def _lines(properties: Mapping[str, Any]) -> Iterator[str]:
    yield "targetScope = 'subscription'"
    for name, declared in properties["parameters"].items():
        yield ""
        yield f"@description({literal(declared['metadata']['displayName'])})"
        yield f"@allowed({literal(declared['allowedValues'])})"
        yield f"param {name} string = {literal(declared['defaultValue'])}"
    yield ""
    yield f"resource initiative 'Microsoft.Authorization/policySetDefinitions@{_VERSION}' = {{"
    yield "  name: 'keyaudit'"
    yield f"  properties: {literal(properties, '  ')}"
    yield "}"
    yield ""
    yield f"resource assignment 'Microsoft.Authorization/policyAssignments@{_VERSION}' = {{"
    yield "  name: 'keyaudit'"
    yield "  properties: {"
    yield f"    displayName: {literal(properties['displayName'])}"
    yield "    policyDefinitionId: initiative.id"
    yield "    parameters: {"
    for name in properties["parameters"]:
        yield f"      {name}: {{"
        yield f"        value: {name}"
        yield "      }"
    yield "    }"
    yield "  }"
    yield "}"


def literal(value: object, indent: str = "") -> str:
    """A value of JSON as Bicep writes it. A text that begins as an expression of a template stays a text."""
    more = f"{indent}  "
    match value:
        case Mapping():
            members = "".join(f"{more}{_key(name)}: {literal(each, more)}\n" for name, each in value.items())
            return f"{{\n{members}{indent}}}" if members else "{}"
        case list():
            items = "".join(f"{more}{literal(each, more)}\n" for each in value)
            return f"[\n{items}{indent}]" if items else "[]"
        case str():
            return _quoted(value)
        case _:
            # Numbers, true, false and null are as in JSON.
            return json.dumps(value)


def _key(name: str) -> str:
    return str(name) if _NAME.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    return "'" + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + "'"
