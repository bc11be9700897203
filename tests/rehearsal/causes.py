"""Which findings one action on one object closes: what the policies declare, and what the rehearsal measured.

`causes.json` keeps, by kind of cause and commands, the policies of the findings that were closed together on one object, and of
those that were left. What a policy declares and neither a command nor the action itself has shown is in `UNSHARED`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from keyaudit.model.results.causes import KINDS
from keyaudit.policy.load import load
from tests.rehearsal.actions import ACTIONS
from tests.rehearsal.rehearse import Run
from tests.rehearsal.stage import ROOT, Audit, Finding, compared

FILE = ROOT / "tests" / "rehearsal" / "causes.json"

ITSELF = "the action, taken in the simulated tenant without a command"

Pair = tuple[str, str]
"""A kind of cause, and a policy that declares it."""

_ELSEWHERE = "the record comes from the keeper of the key, and is nothing in the tenant"
UNSHARED: Mapping[str, Mapping[str, str]] = {
    "account-keys": {
        "account-key-local-auth-enabled": "an account has one such finding, and those with dated keys have others"
    },
    "credential": {
        "sp-first-party-with-credential": "a Microsoft application with one credential has no other finding about it"
    },
    "custody-record": {"combo-federated-key-custody-unknown": _ELSEWHERE, "fed-domain-custody-unknown": _ELSEWHERE},
    "federated-credential": {
        "fed-fic-any-ref": "its subject has ids, and so none of the other findings",
        "fed-fic-foreign-repository": "it needs a list of repositories, which no rehearsal supplies",
    },
    "old-key-versions": {"use-key-idle": "no old version that nobody uses has another finding"},
    "secret-readers": {"kv-disk-key-readers": "no vault of the tenant has two such secrets"},
    "service-key": {
        "use-cmk-old-version": "a service that uses an old version names none, and so has none of the other findings",
        "use-cmk-unreadable": "the service says so itself, and the tenant has no other reason to",
    },
    "service-secret": {
        "use-secret-old-version": "no service of the tenant has both",
        "use-secret-unreadable": "no service of the tenant has both",
    },
    "vault-network": {"hsm-public-network": "it is the only finding about the network of an HSM"},
}
"""By kind of cause the policies that declare it and have no such finding beside another of their cause, with the reason."""


class Closed(Struct, frozen=True, order=True):
    """What the commands of one fix did to the findings of one kind of cause, in all runs."""

    kind: str
    commands: tuple[str, ...]
    """None: the action itself was taken in the tenant, on the object of every such cause."""
    together: tuple[str, ...]
    """The policies of findings of one object that one run closed, each with another."""
    alone: tuple[str, ...]
    """The policies of findings that a run closed and no other of their cause."""
    left: tuple[str, ...]
    """The policies of findings of the cause that a run left open."""


def measured(runs: Iterable[Run]) -> list[Closed]:
    """What these runs closed, by kind and commands."""
    found: dict[tuple[str, tuple[str, ...]], tuple[set[str], set[str], set[str]]] = {}
    for run in runs:
        objects: dict[tuple[str, str], list[str]] = {}
        for finding in run.together:
            objects.setdefault((finding["cause"]["kind"], finding["cause"]["object"]), []).append(finding["policy"])
        for (kind, _), closed in objects.items():
            together, alone, _ = found.setdefault((kind, run.shapes), (set(), set(), set()))
            (together if len(closed) > 1 else alone).update(closed)
        for finding in run.left:
            found[finding["cause"]["kind"], run.shapes][2].add(finding["policy"])
    return sorted(Closed(kind, shapes, *(tuple(sorted(each)) for each in parts)) for (kind, shapes), parts in found.items())


def closed_by_actions(before: Audit, after: Audit) -> list[Closed]:
    """What the actions of `actions` closed, where both were audited; a finding that became unknown is not closed."""
    gone = {each["id"] for each in compared(before, after).closed}
    objects: dict[tuple[str, str], list[Finding]] = {}
    for each in before.values():
        if each["cause"] and each["cause"]["kind"] in ACTIONS:
            objects.setdefault((each["cause"]["kind"], each["cause"]["object"]), []).append(each)
    found: dict[str, tuple[set[str], set[str], set[str]]] = {}
    for (kind, _), findings in objects.items():
        closed = {each["policy"] for each in findings if each["id"] in gone}
        together, alone, left = found.setdefault(kind, (set(), set(), set()))
        (together if sum(each["id"] in gone for each in findings) > 1 else alone).update(closed)
        left.update(each["policy"] for each in findings if each["id"] not in gone)
    return sorted(Closed(kind, (), *(tuple(sorted(each)) for each in parts)) for kind, parts in found.items())


def merged(found: Iterable[Closed]) -> list[Closed]:
    """One entry for each kind and commands, with what any tenant showed."""
    parts: dict[tuple[str, tuple[str, ...]], list[set[str]]] = {}
    for each in found:
        held = parts.setdefault((each.kind, each.commands), [set(), set(), set()])
        for some, more in zip(held, (each.together, each.alone, each.left), strict=True):
            some.update(more)
    return sorted(Closed(*of, *(tuple(sorted(each)) for each in some)) for of, some in parts.items())


def kept() -> list[Closed]:
    """What the file has."""
    return msgspec.json.decode(FILE.read_bytes(), type=list[Closed])


def written(found: Iterable[Closed]) -> str:
    """The file's text."""
    return msgspec.json.format(msgspec.json.encode(sorted(found)), indent=1).decode() + "\n"


def declared() -> set[Pair]:
    """Each kind of cause with each policy that declares it."""
    return {(cause.kind, policy.text.id) for policy in load() for cause in policy.text.causes}


def confirmed() -> set[Pair]:
    """Those that a command closed together with another finding of the same cause."""
    return {(each.kind, policy) for each in kept() for policy in each.together}


def shared(findings: Iterable[Finding]) -> set[Pair]:
    """Those of findings that share their cause with another."""
    return {(each["cause"]["kind"], each["policy"]) for each in findings if each["cause"]}


def table() -> Iterator[str]:
    """For each kind the action that closes it, the commands that did, and what they closed and left."""
    found: Mapping[str, list[Closed]] = {kind: [each for each in kept() if each.kind == kind] for kind in KINDS}
    for kind, runs in found.items():
        yield f"{kind}, of one {KINDS[kind].object}: {KINDS[kind].action}"
        for each in runs:
            yield from (f"  {'then ' if number else ''}{command}" for number, command in enumerate(each.commands or (ITSELF,)))
            yield from _policies("closed together", each.together)
            yield from _policies("closed alone", each.alone)
            yield from _policies("left", each.left)
        yield from (f"    not shown: {policy}, since {why}" for policy, why in sorted(UNSHARED.get(kind, {}).items()))
        yield ""


def _policies(what: str, policies: Sequence[str]) -> Iterator[str]:
    if policies:
        yield f"    {what}: {', '.join(policies)}"
