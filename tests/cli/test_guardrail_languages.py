"""The initiative in Bicep and in Terraform says what it says in JSON: each is read back, by a reader of its own."""

import json
import re
from typing import Any

import pytest

from keyaudit.model.errors import Exit
from keyaudit.questions.guardrails import bicep, terraform
from keyaudit.questions.permissions import FORMATS as PERMISSIONS
from tests.cli.conftest import Keyaudit
from tests.report.sinks import every_payload
from tests.report.test_listings import everything
from tests.test_syntax import mistakes

_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[{}\[\],:=])|(?P<single>'(?:[^'\\]|\\.)*')|(?P<double>"(?:[^"\\]|\\.)*")|(?P<word>[\w.-]+))""", re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}


def read(text: str) -> Any:
    """A literal of either language, as a value of JSON; the rest of the text is left."""
    tokens = (match for match in _TOKEN.finditer(text))
    return _value(next(tokens), tokens)


def _value(token: re.Match[str], tokens: Any) -> Any:
    if token["single"]:
        # Nothing in it is computed.
        assert not re.search(r"(?<!\\)\$\{", token["single"])
        return _ESCAPED.sub(lambda escape: _LETTERS.get(escape[1], escape[1]), token["single"][1:-1])
    if token["double"]:
        assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", token["double"])
        return json.loads(token["double"].replace("$${", "${").replace("%%{", "%{"))
    if token["word"]:
        return json.loads(token["word"])
    if token["mark"] == "[":
        items = []
        while (following := next(tokens))["mark"] != "]":
            if following["mark"] != ",":
                items.append(_value(following, tokens))
        return items
    assert token["mark"] == "{"
    members = {}
    while (name := next(tokens))["mark"] != "}":
        key = name["word"] or _value(name, tokens)
        assert next(tokens)["mark"] in (":", "=")
        members[key] = _value(next(tokens), tokens)
    return members


VALUES: list[Any] = [{}, [], [1, True, None, "it's"], {"a b": {"c": ["${x} %{y} \\ \" ' \n"]}}, "[parameters('effect')]"]


@pytest.mark.parametrize("language", [bicep, terraform])
def test_any_value_can_be_read_back(language: Any) -> None:
    for value in VALUES:
        assert read(language.literal(value)) == value


@pytest.mark.parametrize("language", [bicep, terraform])
@every_payload
def test_no_text_leaves_its_quotes(language: Any, payload: str) -> None:
    if payload.isprintable():
        assert read(language.literal({payload: [payload]})) == {payload: [payload]}


def test_bicep_has_the_initiative_of_azure_policy(keyaudit: Keyaudit) -> None:
    properties = keyaudit("guardrails", "--as", "azure-policy").json["properties"]
    ran = keyaudit("guardrails", "--as", "bicep")
    assert ran.code == Exit.CLEAN
    assert "az deployment sub create --location LOCATION --template-file FILE" in ran.err
    _, _, initiative = ran.out.partition("  name: 'keyaudit'\n  properties: ")
    assert read(initiative) == properties
    for name, declared in properties["parameters"].items():
        assert f"param {name} string = '{declared['defaultValue']}'" in ran.out
    assert "policyDefinitionId: initiative.id" in ran.out


def test_terraform_has_the_initiative_of_azure_policy(keyaudit: Keyaudit) -> None:
    properties = keyaudit("guardrails", "--as", "azure-policy").json["properties"]
    ran = keyaudit("guardrails", "--as", "terraform")
    assert (ran.code, "terraform -chdir=" in ran.err) == (Exit.CLEAN, True)
    _, _, rest = ran.out.partition('resource "azurerm_policy_set_definition" "keyaudit" {')
    initiative, _, assignment = rest.partition('resource "azurerm_subscription_policy_assignment" "keyaudit" {')
    assert "policy_definition_id = azurerm_policy_set_definition.keyaudit.id" in assignment
    one = {name: read(value) for name, value in re.findall(r"^  (\w+) += (\".*\")$", initiative, re.MULTILINE)}
    assert one["display_name"] == properties["displayName"]
    assert one["description"] == properties["description"]
    assert read(initiative.partition("parameters   = jsonencode(")[2]) == properties["parameters"]
    groups = initiative.split("  policy_definition_group {\n")[1:]
    assert [read("{" + group) for group in groups] == [
        {"name": each["name"], "display_name": each["displayName"], "category": each["category"]}
        for each in properties["policyDefinitionGroups"]
    ]
    references = initiative.split("  policy_definition_reference {\n")[1:]
    found = [read("{" + each.replace("jsonencode(", "").replace("})", "}")) for each in references]
    assert found == [
        {
            "policy_definition_id": each["policyDefinitionId"],
            "reference_id": each["policyDefinitionReferenceId"],
            "policy_group_names": each["groupNames"],
            "parameter_values": each["parameters"],
        }
        for each in properties["policyDefinitions"]
    ]


@pytest.mark.parametrize(("language", "as_"), [("bicep", "bicep"), ("hcl", "terraform")])
def test_what_is_to_be_deployed_can_be_parsed(keyaudit: Keyaudit, language: str, as_: str) -> None:
    rights = PERMISSIONS[as_](everything())
    # tree-sitter-bicep 1.1 does not know this statement, which is newer.
    known = "\n".join(line for line in rights.splitlines() if not line.startswith("extension "))
    for text in (known, keyaudit("guardrails", "--as", as_).out):
        assert mistakes(language, text) == []
        assert len(text) > 1_000
