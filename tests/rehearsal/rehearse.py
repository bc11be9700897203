"""Runs each shape of the slice, on as few objects as show what it closes for every policy that prints it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence

from msgspec import Struct

from tests.clock import COLLECTED
from tests.rehearsal.at_work import at_work, unsaid
from tests.rehearsal.reader import filled, prepare
from tests.rehearsal.shapes import Printed, printed
from tests.rehearsal.stage import Audit, Change, Finding, Stage, compared

SLICE = (
    "az ad app credential",
    "az ad app",
    "az ad sp",
    "az identity",
    "az managedservices",
    "az keyvault key create",
    "az keyvault key",
    "az keyvault certificate",
    "az keyvault secret",
    "az keyvault",
    "az monitor",
    "az ",
)
"""The beginnings of commands; a shape belongs to the first that it begins with."""
HALF_DONE = "kv-cert-exportable-key"
"""A policy whose fix leaves an earlier version: of that one only an audit before the first step knows what is to be done."""
FIRST_STEPS = frozenset(
    {
        "combo-dormant-powerful-secret",
        "kv-cert-self-signed-auth",
    }
)
"""Policies whose command is a first step, which closes no finding of theirs: it adds what replaces the old, or disables it."""
_TRIES = 3


class Run(Struct, frozen=True):
    """One run of the commands of a fix, with the policies whose finding prints these very commands."""

    shapes: tuple[str, ...]
    commands: tuple[str, ...]
    policies: tuple[str, ...]
    errors: str
    change: Change
    """What all commands did together."""
    closing: Mapping[str, int]
    """Of `policies` those whose finding was closed, each with the number of the command that closed it."""
    left: tuple[Finding, ...] = ()
    """Findings that share the cause of one of those, and were not closed."""
    unsaid: tuple[str, ...] = ()
    """Who was at work and lost access, though a fix does not say so."""
    not_whole: tuple[Finding, ...] = ()
    """Those of them whose cause shows this command, because a finding that prints it is at the head."""
    together: tuple[Finding, ...] = ()
    """Closed findings that share the cause of one of those, that one too."""


def of(family: str, audit: Audit) -> list[Printed]:
    """The findings that print a command of this family."""
    return [one for one in printed(audit) if next((each for each in SLICE if one.shape.startswith(each)), "") == family]


def elsewhere(audit: Audit, contoso: Audit) -> list[Printed]:
    """The findings of another tenant whose commands contoso does not print."""
    known = {shape for one in printed(contoso) for shape in one.shapes}
    return [one for one in printed(audit) if not known.issuperset(one.shapes)]


async def rehearse(stage: Stage, found: Collection[Printed], before: Audit) -> AsyncIterator[Run]:
    """The runs for findings: for each shape until every policy that prints it saw its own finding closed, or some failed."""
    for shape in dict.fromkeys(one.shape for one in found):
        tries: dict[str, int] = dict.fromkeys((one.finding["policy"] for one in found if one.shape == shape), 0)
        commands = _by_steps([one for one in found if one.shape == shape])
        while open_ := {policy for policy, tried in tries.items() if tried < _TRIES}:
            useful = {steps: len(open_ & {one.finding["policy"] for one in same}) for steps, same in commands.items()}
            steps = max(useful, key=lambda each: useful[each], default=())
            if not useful.get(steps):
                break
            run = await _run(stage, steps, commands.pop(steps), before)
            for policy in run.policies:
                done = policy in run.closing or policy in FIRST_STEPS or all(map(shows, steps))
                tries[policy] = _TRIES if done else tries[policy] + 1
            yield run


def _by_steps(found: Sequence[Printed]) -> dict[tuple[str, ...], list[Printed]]:
    """The findings by the commands that they print."""
    groups: dict[tuple[str, ...], list[Printed]] = {}
    for one in found:
        groups.setdefault(one.commands, []).append(one)
    return groups


async def half_done(stage: Stage, before: Audit) -> Run:
    """The second half of a fix, which is printed once the first is done: told from a snapshot of before."""
    stage.reset()
    one = next(each for each in printed(before) if each.finding["policy"] == HALF_DONE and len(each.commands) == 2)
    await stage.keep()
    await prepare(stage, one.commands[0], [HALF_DONE])
    ran = await stage.run(one.commands[0])
    assert ran.status == 0, ran.errors
    half = await stage.audit_since()
    same = [each for each in printed(half) if each.finding["id"] == one.finding["id"]]
    return await _carry_out(stage, same[0].commands, same, half, stage.audit_since)


async def _run(stage: Stage, steps: Sequence[str], same: Sequence[Printed], before: Audit) -> Run:
    stage.reset()
    return await _carry_out(stage, steps, same, before, stage.left)


async def _carry_out(
    stage: Stage, steps: Sequence[str], same: Sequence[Printed], before: Audit, look: Callable[[], Awaitable[Audit]]
) -> Run:
    policies = tuple(dict.fromkeys(one.finding["policy"] for one in same))
    commands: list[str] = []
    working = at_work(stage.simulator.estate, COLLECTED, stage.called)
    errors, after, closing = "", before, dict[str, int]()
    for number, step in enumerate(steps):
        commands.append(command := filled(step, stage.simulator.estate))
        await prepare(stage, command, policies)
        ran = await stage.run(command)
        if ran.status != 0:
            errors, after = ran.errors.strip(), before
            break
        after = after if shows(command) else await look()
        for one in same:
            if one.finding["id"] not in after:
                closing.setdefault(one.finding["policy"], number)
    change = compared(before, after)
    closed = {finding["id"] for finding in change.closed}
    causes = {_cause(one.finding) for one in same if one.finding["id"] in closed and one.finding["cause"]}
    left = tuple(each for id_, each in before.items() if id_ not in closed and each["cause"] and _cause(each) in causes)
    together = tuple(before[id_] for id_ in closed if before[id_]["cause"] and _cause(before[id_]) in causes)
    heads = tuple(each for each in left if each["cause"]["head"] in {one.finding["id"] for one in same})
    cut_off = unsaid(working, at_work(stage.simulator.estate, COLLECTED, stage.called), (one.finding for one in same))
    closing = {} if errors else closing
    return Run(same[0].shapes, tuple(commands), policies, errors, change, closing, left, tuple(cut_off), heads, together)


def _cause(finding: Finding) -> tuple[str, str]:
    """The kind of its cause, and the object that is acted upon; empty for a finding that shares no cause."""
    cause = finding["cause"] or {}
    return cause.get("kind", ""), cause.get("object", "")


def closes_a_network(command: str) -> bool:
    """Whether a command shuts out addresses."""
    return any(option in command for option in ("--default-action Deny", "--public-network-access Disabled"))


def shows(command: str) -> bool:
    """Whether a command only reads."""
    return command.startswith("az rest --url ") or any(f" {verb} " in command for verb in ("list", "list-versions", "show"))
