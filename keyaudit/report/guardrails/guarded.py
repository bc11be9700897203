"""What guardrails are made from, and what they come to: a document, and which policies it does and does not stand for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from keyaudit.model.evidence import LOGS
from keyaudit.model.findings import PolicyText
from keyaudit.model.operations import OPERATIONS, Rights
from keyaudit.model.tables import TABLES
from keyaudit.model.text import one_line

Limit: TypeAlias = str | int | tuple[str, ...] | Mapping[str | int, str | int]
"""A parameter's value: durations in seconds; a map or schedule by its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One policy with the limits that hold for it. `classes`: things of whom it asks something else, by name."""

    text: PolicyText
    limits: Mapping[str, Limit]
    shown: Mapping[str, str]
    """The limits in words."""
    durations: frozenset[str]
    """Which of the limits are durations."""
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """Guardrails of one kind. Every policy is in `covered` or in `left`."""

    kind: str
    document: Mapping[str, object]
    deploy: tuple[str, ...]
    """Commands that put the document into force, in their order. `{file}` is where it is."""
    covered: Mapping[str, tuple[str, ...]]
    """By policy: what in the document stands for it."""
    partly: Mapping[str, str]
    """Of those: in what the document differs from the policy."""
    left: Mapping[str, str]
    """The other policies, each with why."""


def named(asked: Asked, kind: str) -> Mapping[str, str]:
    """The guardrails of a kind that the policy names, each with the parameter that is its limit, or `ENABLED`."""
    return asked.text.guardrails.get(kind, {})


def least(asked: Sequence[Asked], kind: str) -> dict[str, int]:
    """By guardrail of a kind, the least limit that a policy sets for it; those without one are not there."""
    found: dict[str, int] = {}
    for each in asked:
        for name, parameter in named(each, kind).items():
            limit = each.limits.get(parameter)
            if isinstance(limit, int):
                found[name] = min(limit, found.get(name, limit))
    return found


def standing(asked: Sequence[Asked], kind: str, on: Collection[str]) -> dict[str, tuple[str, ...]]:
    """By policy, what it names of the guardrails that are on; policies that name none of them are not there."""
    found = {each.text.id: tuple(name for name in named(each, kind) if name in on) for each in asked}
    return {policy: names for policy, names in found.items() if names}


def in_entra(text: PolicyText) -> bool:
    """Whether what the policy judges is listed by Microsoft Graph, and so is out of Azure's sight."""
    rights = [OPERATIONS[operation].right.rights for operation in TABLES[text.table].listed_by]
    return next((each for each in rights if each is not Rights.NONE), Rights.NONE) is Rights.GRAPH


def unsupplied(text: PolicyText) -> str:
    """Why nothing stands for a policy that rests on evidence beside Azure's answers; empty where it rests on none."""
    if LOGS in text.needs:
        return "judged by logs together with the inventory or a baseline"
    return f"judged by {' and '.join(text.needs)}, which Azure does not hold" if text.needs else ""


def classes(asked: Asked) -> str:
    """What a document with one limit for all leaves out; empty where nothing has limits of its own."""
    return f"leaves out the limits of {', '.join(map(one_line, asked.classes))}" if asked.classes else ""
