"""A command that takes something away comes after what has to be done first."""

import re

import pytest

from keyaudit.model.results.fixes import AZ_KEYVAULT, COMMANDS, FIRST, by_kind, one_text, ordered, parts, takes_away
from keyaudit.model.severity import Weakness
from keyaudit.policy.definition import Fix
from keyaudit.policy.load import load
from keyaudit.policy.reading import shared_steps


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
    fix = {"cli": command, "text": "First."}
    assert ordered(fix) == [{"text": "First."}, {"cli": command}]
    assert list(by_kind(fix)) == ["text", "cli"]
    shown = [(part.heading, part.lines) for part in parts(fix) if part.lines != (AZ_KEYVAULT,)]
    assert shown == [("Step 1", ("First.",)), ("Step 2 (cli)", (command,))]
    assert one_text(fix).startswith(f"Step 1: First.\nStep 2 (cli): {command}")


@pytest.mark.parametrize(
    ("command", "manages"),
    [
        ("az keyvault update --name kv --default-action Deny", True),
        ("az keyvault update-hsm --hsm-name h --enable-purge-protection true", True),
        ("az keyvault network-rule add --name kv", True),
        ("az keyvault delete-policy --name kv --object-id o", True),
        # Objects in a vault are on the data plane.
        ("az keyvault key set-attributes --id k --enabled false", False),
        ("az keyvault secret show --id s", False),
        ("az keyvault role assignment list --hsm-name h", False),
        ("az network private-endpoint create --name p", False),
    ],
)
def test_a_command_that_manages_a_vault_says_which_az_it_takes(command: str, manages: bool) -> None:
    """https://github.com/Azure/azure-cli/issues/34020"""
    assert any(AZ_KEYVAULT in part.lines for part in parts({"cli": command})) is manages
    steps = [{FIRST: "First."}, {"cli": command, "check": "It works."}]
    last = parts({}, steps)[-1]
    assert last.lines == ((AZ_KEYVAULT,) if manages else ()) + ("Check: It works.",)


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
    fix = {"cli": command, "text": "Then."}
    assert ordered(fix) == [fix]
    assert list(by_kind(fix)) == ["cli", "text"]
    shown = [(part.heading, part.lines[-1]) for part in parts(fix)]
    assert shown == [("Fix (cli)", command), ("Fix (text)", "Then.")]
    assert one_text(fix).replace(f"{AZ_KEYVAULT}\n", "") == f"{command}\nThen."


def test_a_step_says_what_it_breaks_and_requires_before_its_command_and_the_rest_after_it() -> None:
    steps = [
        {"text": "Add another.", "cli": "az ad app credential reset --id a --append", "check": "It is listed."},
        {
            "back": "None.",
            "cli": "az ad app credential delete",
            "check": "c.",
            "before": "b.",
            "breaks": "x.",
            "text": "Delete.",
        },
    ]
    fix = {"text": "Add another.", "cli": "az ad app credential delete"}
    assert [(part.heading, part.lines, part.is_command) for part in parts(fix, steps)] == [
        ("Step 1", ("Add another.",), False),
        ("Step 1 (cli)", ("az ad app credential reset --id a --append",), True),
        ("Step 1, afterwards", ("Check: It is listed.",), False),
        ("Step 2", ("Delete.", "Breaks: x.", "Before: b."), False),
        ("Step 2 (cli)", ("az ad app credential delete",), True),
        ("Step 2, afterwards", ("Check: c.", "Go back: None."), False),
    ]
    assert one_text(fix, steps).splitlines()[3:] == [
        "Step 2: Delete.",
        "Step 2: Breaks: x.",
        "Step 2: Before: b.",
        "Step 2 (cli): az ad app credential delete",
        "Step 2, afterwards: Check: c.",
        "Step 2, afterwards: Go back: None.",
    ]


def test_of_the_shipped_policies_each_command_that_takes_away_has_a_step_before_it_and_its_condition() -> None:
    taking = set()
    for policy in load():
        for how in (policy.how, *(arm.how for arm in policy.message_when)):
            every = how.steps or (how.kinds,)
            for number, step in enumerate(every):
                if any(takes_away(step[kind].readable) for kind in COMMANDS if kind in step):
                    taking.add(policy.text.id)
                    assert number > 0, policy.text.id
                    assert {"text", "breaks", "before", "check", "back"} <= step.keys(), policy.text.id
    assert len(taking) > 30


IN_WORDS = re.compile(r"\b(?:remove|delete|disable|revoke)\b", re.IGNORECASE)
WITHOUT_STEPS = {
    "fed-cba-authority-no-crl": "revokes a certificate that is made to try it",
    "kv-purge-protection-off": "says what purge protection needs",
    "log-entra-diag-missing": "removes a name from keyaudit.toml",
    "sp-first-party-with-credential": "says what must not be removed",
}


def test_of_the_shipped_policies_what_takes_away_in_words_is_a_step_too_with_what_it_breaks_and_how_to_go_back() -> None:
    found = {
        policy.text.id
        for policy in load()
        for how in (policy.how, *(arm.how for arm in policy.message_when))
        if not how.steps and FIRST in how.kinds and IN_WORDS.search(how.kinds[FIRST].text)
    }
    assert found == WITHOUT_STEPS.keys()


AZ = re.compile(r"\baz [a-z -]+ ")
ONLY_FOR_SOME = {
    "account-key-too-old": "each service has a command of its own",
    "kv-key-deleted-recoverable": "purges a key, which needs that the vault has no purge protection",
}


def test_of_the_shipped_policies_a_command_that_takes_away_is_not_only_in_prose() -> None:
    found = {
        policy.text.id
        for policy in load()
        for how in (policy.how, *(arm.how for arm in policy.message_when))
        for step in (how.steps if how else ())
        if "text" in step and not step.keys() & {*COMMANDS} and "breaks" in step and AZ.search(step["text"].readable)
    }
    assert found == ONLY_FOR_SOME.keys()


def test_of_the_shipped_policies_a_shared_step_has_the_command_of_each_kind_of_row() -> None:
    policies = {policy.text.id: policy for policy in load()}

    def last_command(how: Fix) -> str:
        return how.steps[-1]["cli"].readable

    expired = policies["app-expired-credential-left"]
    deleting = {last_command(arm.how) for arm in expired.message_when if arm.how and "cli" in arm.how.steps[-1]}
    deleting.add(last_command(expired.how))
    assert deleting == {
        f"az ad {kind} credential delete --id {{app_id}} --key-id {{key_id}}{cert}"
        for kind in ("app", "sp")
        for cert in ("", " --cert")
    }
    retiring = policies["fed-fic-issuer-retiring"]
    assert last_command(retiring.how).startswith("az ad app federated-credential delete ")
    of_identities = [arm for arm in retiring.message_when if "managed_identity" in arm.condition.text]
    assert len(of_identities) == 2
    for arm in of_identities:
        assert [step["cli"].readable.split(" --")[0] for step in arm.how.steps] == [
            "az identity federated-credential create",
            "az identity federated-credential delete",
        ]
    # A step with a command of its own keeps it for every row.
    assert last_command(policies["app-cert-too-long"].how) == last_command(policies["app-weak-certificate"].how)
    assert not any(arm.how.steps for arm in policies["app-secret-too-long"].message_when)


CONNECT_SYNC_LEFT_OUT = {
    "combo-rotated-without-retirement": "the certificate is renewed in a vault",
    "sp-credential-on-service-principal": "the certificate is on the application",
    "sp-first-party-with-credential": "applications of Microsoft",
    "sp-privileged-with-secret": "client secrets",
    "sp-privileged-certificate-outside-vault": "leaves Entra Connect Sync out",
}


def test_of_the_shipped_policies_none_deletes_a_certificate_that_entra_connect_sync_manages() -> None:
    """https://learn.microsoft.com/entra/identity/hybrid/connect/authenticate-application-id"""
    deleting = {
        policy.text.id: policy
        for policy in load()
        if policy.text.table in ("application", "credential")
        and re.search(r"ad (?:app|sp) credential (?:delete|list) .*--cert", "\n".join(policy.commands))
    }
    assert {"app-cert-too-long", "app-expired-credential-left"} < deleting.keys()
    for id_ in deleting.keys() - CONNECT_SYNC_LEFT_OUT.keys():
        managed = [arm for arm in deleting[id_].message_when if "directory_sync" in arm.condition.text and arm.how]
        assert managed, id_
        assert not any("credential delete" in arm.how.commands for arm in managed), id_


def test_of_the_shipped_policies_none_replaces_the_auth_certificate_of_exchange_with_one_of_a_vault() -> None:
    """https://github.com/microsoft/CSS-Exchange/blob/main/docs/Admin/MonitorExchangeAuthCertificate.md"""
    replacing = {
        policy.text.id: policy
        for policy in load()
        if policy.text.table == "credential" and policy.text.id.startswith("app-") and "--cert" in "\n".join(policy.commands)
    }
    assert {"app-cert-too-long", "app-expired-credential-left"} < replacing.keys()
    # An expired certificate is only removed.
    for id_ in replacing.keys() - {"app-expired-credential-left"}:
        managed = [arm.how for arm in replacing[id_].message_when if "Auth Certificate" in arm.condition.text]
        assert managed, id_
        for how in managed:
            assert how.kinds["text"].readable.index("treat it as an incident") < how.kinds["text"].readable.index(
                "-UpdateCertificate"
            )
            assert "credential delete" not in how.commands, id_


def test_of_the_shipped_policies_none_disables_what_it_deleted_before() -> None:
    """Disabling can be undone, so it comes first."""
    for policy in load():
        commands = policy.how.commands.splitlines()
        deleting = [number for number, command in enumerate(commands) if " delete" in command]
        disabling = [
            number for number, command in enumerate(commands) if "nabled false" in command or "Enabled=false" in command
        ]
        assert not deleting or not disabling or max(disabling) < min(deleting), policy.text.id


def test_a_possible_compromise_begins_with_what_to_keep() -> None:
    suspicious = [policy for policy in load() if Weakness.COMPROMISE in policy.trees.weaknesses]
    assert suspicious
    for policy in suspicious:
        texts = [how.kinds["text"].readable for how in (policy.how, *(arm.how for arm in policy.message_when)) if how]
        assert any("save" in text for text in texts), policy.text.id


def test_a_shared_step_that_breaks_something_says_when_it_may_be_taken_how_to_check_it_and_the_way_back() -> None:
    breaking = {name: step for name, step in shared_steps.STEPS.items() if "breaks" in step}
    assert len(breaking) > 10
    assert [name for name, step in breaking.items() if not {"breaks", "before", "check", "back"} <= step.keys()] == []
