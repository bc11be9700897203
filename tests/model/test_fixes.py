"""A command that takes something away comes after what has to be done first."""

import pytest

from keyaudit.model.fixes import heading, ordered, takes_away
from keyaudit.policy.load import load


@pytest.mark.parametrize(
    "command",
    [
        "az ad app credential delete --id a --key-id b",
        "az keyvault delete-policy --name kv --object-id o",
        "az ad app owner remove --id a --owner-object-id o",
        "Remove-MgPolicyTokenLifetimePolicy -TokenLifetimePolicyId p",
        "az keyvault key set-attributes --id k --enabled false",
        "az ad sp update --id a --set accountEnabled=false",
        "az keyvault update --name kv --default-action Deny",
        "az keyvault update --name kv --public-network-access Disabled",
        "az keyvault update --name kv --enable-rbac-authorization true",
        "az keyvault key set-attributes --id k --ops sign verify",
        "az ad app credential reset --id a",
    ],
)
def test_what_deletes_disables_closes_or_cuts_off_takes_away(command: str) -> None:
    assert takes_away(command)
    assert ordered({"cli": command, "text": "First."}) == [("text", "First."), ("cli", command)]
    assert heading("cli", command) == "Fix (cli), last, because it takes something away"


@pytest.mark.parametrize(
    "command",
    [
        "az keyvault key rotate --id k",
        "az keyvault key list-versions --id k",
        "az keyvault update --name kv --enable-purge-protection true",
        "az keyvault key create --id k --exportable false",
        "az ad app credential reset --id a --append",
        "az keyvault certificate set-attributes --name delete-me --policy '@policy.json'",
        "az ad app federated-credential create --id a",
        "az keyvault key rotate --vault-name kv --name remove-me",
    ],
)
def test_what_adds_or_shows_takes_nothing_away(command: str) -> None:
    assert not takes_away(command)
    assert ordered({"cli": command, "text": "Then."}) == [("cli", command), ("text", "Then.")]
    assert heading("cli", command) == "Fix (cli)"


def test_of_the_shipped_policies_each_that_takes_away_says_what_to_do_first() -> None:
    taking = 0
    for policy in load():
        for fix in (policy.fix, *(arm.fix for arm in policy.message_when)):
            if any(takes_away(template.readable) for kind, template in fix.items() if kind != "text"):
                taking += 1
                assert "text" in fix, policy.text.id
    assert taking > 20
