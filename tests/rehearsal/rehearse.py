"""Runs each shape of the slice, on as few objects as show what it closes for every policy that prints it."""

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct

from tests.rehearsal.reader import filled, following, prepare
from tests.rehearsal.shapes import Printed, printed
from tests.rehearsal.stage import Audit, Change, Stage, compared

SLICE = (
    "az ad app credential",
    "az ad app",
    "az ad sp",
    "az identity",
    "az keyvault key create",
    "az keyvault key",
    "az keyvault certificate",
    "az keyvault secret",
)
"""The commands about credentials, keys, certificates and secrets; a shape belongs to the first that it begins with."""
_NOT_YET = ("managedhsm", "--hsm-name", "certificate import")
"""A Managed HSM cannot be written to, and no file with a private key is made here."""
FIRST_STEPS = frozenset(
    {
        "app-secret-exists",
        "combo-dormant-powerful-secret",
        "combo-exportable-auth-cert",
        "combo-one-cert-many-identities",
        "fed-fic-issuer-retiring",
        "fed-fic-mutable-subject",
        "kv-cert-self-signed-auth",
    }
)
"""Policies whose command is a first step, which closes no finding of theirs: it adds what replaces the old, or disables it."""
_TRIES = 3


class Run(Struct, frozen=True):
    """One run of a command, with the policies whose finding prints this very command."""

    shape: str
    command: str
    then: tuple[str, ...]
    policies: tuple[str, ...]
    errors: str
    change: Change
    own: tuple[str, ...]
    """Of `policies` those whose finding was closed."""


def of(family: str, audit: Audit) -> list[Printed]:
    """The findings that print a command of this family."""
    return [
        one
        for one in printed(audit)
        if next((each for each in SLICE if one.shape.startswith(each)), "") == family
        and not any(word in one.command for word in _NOT_YET)
    ]


async def rehearse(stage: Stage, family: str, before: Audit) -> AsyncIterator[Run]:
    """The runs for a family: for each shape until every policy that prints it saw its own finding closed, or some failed."""
    found = of(family, before)
    for shape in dict.fromkeys(one.shape for one in found):
        tries: dict[str, int] = dict.fromkeys((one.finding["policy"] for one in found if one.shape == shape), 0)
        commands = _by_command([one for one in found if one.shape == shape])
        while open_ := {policy for policy, tried in tries.items() if tried < _TRIES}:
            useful = {command: len(open_ & {one.finding["policy"] for one in same}) for command, same in commands.items()}
            command = max(useful, key=lambda each: useful[each], default="")
            if not command or not useful[command]:
                break
            run = await _run(stage, commands.pop(command), before)
            for policy in run.policies:
                done = policy in run.own or policy in FIRST_STEPS or shows(command)
                tries[policy] = _TRIES if done else tries[policy] + 1
            yield run


def _by_command(found: Sequence[Printed]) -> dict[str, list[Printed]]:
    groups: dict[str, list[Printed]] = {}
    for one in found:
        groups.setdefault(one.command, []).append(one)
    return groups


async def _run(stage: Stage, same: Sequence[Printed], before: Audit) -> Run:
    stage.reset()
    policies = tuple(dict.fromkeys(one.finding["policy"] for one in same))
    first = filled(same[0].command, stage.simulator.estate)
    await prepare(stage, first, policies)
    then = tuple(following(same[0]))
    errors = ""
    for command in (first, *then):
        ran = await stage.run(command)
        if ran.status != 0:
            errors = ran.errors.strip()
            break
    change = compared(before, before if errors or shows(first) else await stage.audit())
    closed = {finding["id"] for finding in change.closed}
    own = tuple(dict.fromkeys(one.finding["policy"] for one in same if one.finding["id"] in closed))
    return Run(same[0].shape, first, then, policies, errors, change, own)


def shows(command: str) -> bool:
    """Whether a command only reads."""
    return any(f" {verb} " in command for verb in ("list", "list-versions", "show"))
