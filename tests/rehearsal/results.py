"""The results of a rehearsal as `keyaudit/report/rehearsed.json` keeps them."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tests.rehearsal.rehearse import FIRST_STEPS, Run
from tests.rehearsal.stage import ROOT

FILE = ROOT / "keyaudit" / "report" / "rehearsed.json"

OPENS = {
    # It lists the credentials that were made before the limits.
    "app-management-policy-off": {"app-credential-beyond-policy"},
    # Conditional Access for workloads applies to applications of one tenant alone.
    "app-audience-multi-tenant": {"sp-conditional-access-missing"},
    "app-audience-personal-accounts": {"sp-conditional-access-missing"},
    "app-publisher-unverified": {"sp-conditional-access-missing"},
    # It rotates by itself, and its old versions are a finding of their own.
    "kv-key-own-rotation-overdue": {"kv-key-old-versions-enabled"},
    # Its old version is disabled when nobody uses it any more.
    "kv-key-no-auto-rotation": {"kv-key-old-versions-enabled"},
    # What is imported has a software key that was outside, and no CA that Key Vault asks, until it is replaced.
    "kv-secret-holds-private-key": {"kv-cert-no-auto-renew", "kv-cert-software-key"},
    # A date that nobody is told of is a finding of the vault.
    "kv-key-no-expiry": {"kv-near-expiry-unheard"},
    # Its new version has a date only by a rotation policy.
    "kv-key-oldest-signing-version": {"kv-key-no-expiry"},
    "pqc-quantum-vulnerable-long-lived": {"kv-near-expiry-unheard"},
    # A policy that is newer than the certificate says nothing of it until the certificate is renewed.
    "kv-cert-no-auto-renew": {"kv-cert-exportable-key"},
}
"""By policy the findings that its fix opens for a while, as its text says with what to do next."""


WHOLE = {"credential", "federated-credential"}
"""The causes that the command at their head closes as a whole. The others take several steps; the file says what is left."""


def results(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """By command what the runs showed. A command that ended with an error showed nothing for the policies that print it."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        if run.errors:
            continue
        left = sorted({each["policy"] for each in run.left})
        closed, opened = ({each["policy"] for each in part} for part in (run.change.closed, run.change.opened))
        for number, shape in enumerate(run.shapes):
            entry = found.setdefault(shape, {"command": shape, "closes": {}, "runs": set()})
            own = {policy for policy, closing in run.closing.items() if closing == number}
            for policy in own:
                entry["closes"][policy] = {"also": sorted(closed - {policy}), "opens": sorted(opened), "left": left}
            entry["runs"] |= set(run.policies) - own
    for entry in found.values():
        entry["runs"] = sorted(entry["runs"] - entry["closes"].keys())
        entry["closes"] = dict(sorted(entry["closes"].items()))
    return [found[command] for command in sorted(found)]


def problems(runs: Iterable[Run]) -> list[str]:
    """Findings that a command opened and principals that it cut off though its fix does not say so, and wrong declarations of
    causes and first steps.
    """
    made = list(runs)
    return [
        *(
            f"{_named(run)}: opened {finding['policy']} ({finding['outcome']}) of {finding['subject']}"
            for run in made
            for finding in run.change.opened
            if not any(finding["policy"] in OPENS.get(policy, ()) for policy in run.policies)
        ),
        *(
            f"{_named(run)}: {finding['policy']} has the same cause, {finding['cause']['kind']}, and was not closed"
            for run in made
            for finding in run.not_whole
            if finding["cause"]["kind"] in WHOLE
        ),
        *(f"{_named(run)}: cut off {each}" for run in made for each in run.unsaid),
        *(f"{_named(run)}: {each} is no first step: closed" for run in made for each in run.closing if each in FIRST_STEPS),
    ]


def _named(run: Run) -> str:
    return "; then ".join(run.commands)


def written(version: str, commands: Sequence[dict[str, Any]]) -> str:
    """The file's text."""
    body = msgspec.json.encode({"azure_cli": version, "commands": sorted(commands, key=lambda each: str(each["command"]))})
    return msgspec.json.format(body, indent=1).decode() + "\n"
