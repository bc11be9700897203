"""`explain` says which commands were rehearsed, and those are commands that policies still print."""

import pytest

from keyaudit.policy.load import load
from keyaudit.questions.explain import render_policy
from keyaudit.questions.explain.rehearsals import azure_cli, commands, said
from tests.rehearsal.shapes import shapes

POLICIES = {policy.text.id: policy.text for policy in load()}


def test_every_rehearsed_command_is_one_that_its_policies_print() -> None:
    """A changed command is no longer rehearsed, until python -m tests.rehearsal has run it."""
    known = shapes()
    stale = [
        (policy, each.command)
        for each in commands()
        for policy in (*each.closes, *each.runs)
        if policy not in known.get(each.command, ())
    ]
    assert stale == []


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("app-secret-too-long", f"Rehearsed with az {azure_cli()} against a simulated tenant: it closes the finding."),
        ("app-many-live-credentials", "against a simulated tenant: it runs, but does not close the finding by itself."),
        ("hsm-purge-protection-off", "against a simulated tenant: it closes the finding."),
        ("kv-no-private-endpoint", "against a simulated tenant: it closes the finding."),
        ("sp-first-party-credential-added", "against a simulated tenant: it runs, but does not close the finding by itself."),
        (
            "fed-saml-cert-lifetime",
            "Not rehearsed: PowerShell is not run against the simulated tenant; its syntax was checked.",
        ),
    ],
)
def test_a_policy_says_whether_its_command_was_rehearsed(policy: str, words: str) -> None:
    assert words in " ".join(render_policy(POLICIES[policy], {}).split())


def test_nothing_is_said_of_a_command_of_keyaudit() -> None:
    assert said("scope-human-standing-signer", "keyaudit access {principal_id}") == ""
