"""Fixes in steps: what replaces something comes before the command that takes it away, which never stands alone."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from msgspec import Struct

FIRST = "text"
"""The part of a step in words."""
COMMANDS = ("cli", "powershell")
LEADING = {FIRST: "", "breaks": "Breaks: ", "before": "Before: "}
"""The parts in words that come before a command, each with how it begins."""
_SAID = {**LEADING, "check": "Check: ", "back": "Go back: "}
PARTS = (FIRST, "breaks", "before", *COMMANDS, "check", "back")
"""The parts of a step in the order of reading: in words, what it breaks, what must be true before it, its commands, how to see
that it worked, and how to go back.
"""

LABELS = tuple(label for label in _SAID.values() if label)
"""How the lines of a step begin that say what they are about themselves."""

_TAKES_AWAY = re.compile(
    r"(?<![\w-])(?:delete|delete-policy|remove|revoke|purge)(?![\w-])"
    r"|\b(?-i:Remove-[A-Z])"
    # Disabled, or closed to networks.
    r"|--enabled false|accountEnabled=false|--(?:default-action|public-network-access) (?:deny|disabled)|--value false"
    # Cut off: users of other tenants, access policies, some operations of a key, an identity provider's second factor.
    r"|--sign-in-audience AzureADMyOrg|--enable-rbac-authorization true|set-attributes .*--ops|rejectMfaByFederatedIdp"
    # Replaced in one step, without a time in which both are accepted.
    r"|-SigningCertificate|nextSigningCertificate = \$null|credential reset(?!.*--append)",
    re.IGNORECASE,
)


AZ_KEYVAULT = "From 27 February 2027 on, this takes Azure CLI 2.90.0 or later."
"""Of commands that manage vaults and Managed HSMs, and not what is in them. Older versions of the control plane's API end then.

https://learn.microsoft.com/azure/key-vault/general/access-control-default, https://github.com/Azure/azure-cli/issues/34020
"""
_MANAGES = re.compile(
    r"\baz keyvault (?:create|update(?:-hsm)?|show|list|delete(?:-policy)?|set-policy|purge|recover|network-rule"
    r"|private-endpoint-connection)(?![\w-])"
)


def version_needed(commands: Iterable[str]) -> str:
    """The sentence about the version of the Azure CLI; empty if no command manages a vault."""
    return AZ_KEYVAULT if any(map(_MANAGES.search, commands)) else ""


def takes_away(command: str) -> bool:
    """Whether a command deletes, disables, closes or cuts off something that may be in use."""
    return _TAKES_AWAY.search(command) is not None


class Part(Struct, frozen=True):
    """A paragraph or command of a fix, with the words above it: "Fix (cli)", "Step 2"."""

    heading: str
    lines: tuple[str, ...]
    is_command: bool


def ordered(fix: Mapping[str, str], steps: Sequence[Mapping[str, str]] = ()) -> list[Mapping[str, str]]:
    """The steps of a fix, each with its parts in the order of reading.

    A `fix` by kind without steps is one step, or two if its command takes something away: first the text.
    """
    if steps:
        return [{part: step[part] for part in PARTS if part in step} for step in steps]
    commands = {kind: text for kind, text in fix.items() if kind != FIRST}
    if FIRST in fix and any(map(takes_away, commands.values())):
        return [{FIRST: fix[FIRST]}, commands]
    return [fix] if fix else []


def by_kind(fix: Mapping[str, str]) -> dict[str, str]:
    """The fix by kind: the text first where a command takes something away."""
    return {kind: text for step in ordered(fix) for kind, text in step.items()}


def parts(fix: Mapping[str, str], steps: Sequence[Mapping[str, str]] = ()) -> list[Part]:
    """A fix as it is shown to people: paragraphs and commands in the order of reading."""
    found: list[Part] = []
    every = ordered(fix, steps)
    for number, step in enumerate(every, start=1):
        name, after = (f"Step {number}", ", afterwards") if len(every) > 1 else ("Fix", f" ({FIRST})")
        before = "" if len(every) > 1 else after
        told: tuple[str, ...] = ()
        for is_command, group in groupby(step, key=COMMANDS.__contains__):
            if is_command:
                commands = list(group)
                found += [Part(f"{name} ({kind})", (step[kind],), True) for kind in commands]
                needed = version_needed(step[kind] for kind in commands)
                before, told = after, (needed,) if needed else ()
            else:
                found.append(Part(f"{name}{before}", (*told, *(f"{_SAID[part]}{step[part]}" for part in group)), False))
                told = ()
        if told:
            found.append(Part(f"{name}{after}", told, False))
    return found


def one_text(fix: Mapping[str, str], steps: Sequence[Mapping[str, str]] = ()) -> str:
    """A fix for programs that have one member for it: one line for each paragraph and command, each step after its number."""
    shown = parts(fix, steps)
    numbered = len({part.heading.partition(" (")[0] for part in shown}) > 1
    return "\n".join(f"{part.heading}: {line}" if numbered else line for part in shown for line in part.lines)
