"""Inputs and results of guardrails: a document, and the policies that it covers and does not cover."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from keyaudit.model.evidence import LOGS
from keyaudit.model.operations import OPERATIONS, Rights
from keyaudit.model.results.findings import PolicyText
from keyaudit.model.tables import TABLES
from keyaudit.model.values.text import one_line

Limit: TypeAlias = str | int | tuple[str, ...] | Mapping[str | int, str | int]
"""A parameter's value: durations in seconds; a map or schedule by its keys."""


class Asked(Struct, frozen=True, kw_only=True):
    """One policy with its limits. `classes`: names of classes with other limits."""

    text: PolicyText
    limits: Mapping[str, Limit]
    shown: Mapping[str, str]
    """The limits in words."""
    durations: frozenset[str]
    """Which of the limits are durations."""
    classes: tuple[str, ...] = ()


REVIEW = "Review it, then deploy it:"


class Guarded(Struct, frozen=True, kw_only=True):
    """The guardrails of one kind. Every policy is in `covered` or in `left`."""

    kind: str
    document: Mapping[str, object]
    deploy: tuple[str, ...]
    """The deployment commands, in order. `{file}` is the document's path."""
    covered: Mapping[str, tuple[str, ...]]
    """By policy: the parts of the document that cover it."""
    partly: Mapping[str, str]
    """By covered policy: the differences of the document."""
    left: Mapping[str, str]
    """The other policies, each with the reason."""
    lead: tuple[str, ...] = (REVIEW,)
    """The paragraphs before the commands."""


def named(asked: Asked, kind: str) -> Mapping[str, str]:
    """The guardrails of a kind that the policy names, each with its limit parameter, or `ENABLED`."""
    return asked.text.guardrails.get(kind, {})


def least(asked: Sequence[Asked], kind: str) -> dict[str, int]:
    """By guardrail of a kind, the lowest limit of the policies; guardrails without a limit are left out."""
    found: dict[str, int] = {}
    for each in asked:
        for name, parameter in named(each, kind).items():
            limit = each.limits.get(parameter)
            if isinstance(limit, int):
                found[name] = min(limit, found.get(name, limit))
    return found


def standing(asked: Sequence[Asked], kind: str, on: Collection[str]) -> dict[str, tuple[str, ...]]:
    """By policy, the enabled guardrails that it names; policies without any are left out."""
    found = {each.text.id: tuple(name for name in named(each, kind) if name in on) for each in asked}
    return {policy: names for policy, names in found.items() if names}


def in_entra(text: PolicyText) -> bool:
    """Whether the policy evaluates objects of Microsoft Graph, which Azure Policy cannot see."""
    rights = [OPERATIONS[operation].right.rights for operation in TABLES[text.table].listed_by]
    return next((each for each in rights if each is not Rights.NONE), Rights.NONE) is Rights.GRAPH


def unsupplied(text: PolicyText) -> str:
    """Why nothing covers a policy that depends on supplied evidence; empty for other policies."""
    if LOGS in text.needs:
        return "evaluated from logs together with the inventory or a baseline"
    return f"evaluated from {' and '.join(text.needs)}, which Azure does not provide" if text.needs else ""


def classes(asked: Asked) -> str:
    """The note on classes with limits of their own; empty if there are none."""
    return f"omits the limits of {', '.join(map(one_line, asked.classes))}" if asked.classes else ""
