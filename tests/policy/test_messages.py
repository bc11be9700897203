"""The names and messages of the shipped policies keep the rules that a reader relies on."""

import re

from keyaudit.policy.conditions.types import Some
from keyaudit.policy.load import load


def test_a_policy_that_can_be_violated_in_several_ways_has_a_message_for_each() -> None:
    alone = [policy.text.id for policy in load() if isinstance(policy.violated_when.tree, Some) and not policy.message_when]
    assert alone == []


def test_a_finding_is_named_by_the_violation_and_not_by_the_requirement() -> None:
    named = {policy.text.id: policy.text.problem for policy in load()}
    assert [name for name, policy in zip(named, load(), strict=True) if policy.text.problem == policy.text.title] == []
    assert len(set(named.values())) == len(named), "two policies whose findings cannot be told apart"


def test_a_powershell_fix_uses_no_variable_that_it_does_not_set() -> None:
    # PowerShell takes an unset variable for null, which clears a setting or leaves the parameter out.
    unset = {
        policy.text.id: sorted(used - assigned)
        for policy in load()
        for fix in (policy.fix, *(arm.fix for arm in policy.message_when))
        if "powershell" in fix
        for text in [fix["powershell"].text]
        for used in [set(re.findall(r"\$(\w+)", text)) - {"true", "false", "null"}]
        for assigned in [set(re.findall(r"\$(\w+) = ", text))]
        if used - assigned
    }
    assert unset == {}


def test_a_fix_names_the_members_of_a_certificate_policy_as_the_azure_cli_reads_them() -> None:
    # The CLI ignores the names of the REST API without an error: the new version has the old kind of key.
    misnamed = {
        policy.text.id: used
        for policy in load()
        for fix in (policy.fix, *(arm.fix for arm in policy.message_when))
        if "az keyvault certificate" in getattr(fix.get("cli"), "text", "") and "text" in fix
        for used in [set(re.findall(r"\w+", fix["text"].text)) & {"kty", "crv", "key_props", "key_size", "reuse_key"}]
        if used
    }
    assert misnamed == {}


def test_a_fix_is_shown_without_the_escapes_of_its_file() -> None:
    shown = {policy.text.id: text for policy in load() for kind, text in policy.text.fix.items() if kind == "powershell"}
    assert "@{nextSigningCertificate = $null}" in shown["fed-domain-second-cert"]
    assert [id_ for id_, text in shown.items() if "{{" in text or "}}" in text] == []
