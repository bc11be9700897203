"""Policies with their parameters settled for one run, and the SQL that judges all those of a table in one pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from keyaudit.model.errors import UsageError
from keyaudit.model.findings import Value as Row
from keyaudit.model.times import iso_date
from keyaudit.model.waivers import Waiver
from keyaudit.policy import verdict, yaml
from keyaudit.policy.definition import Policy
from keyaudit.policy.parameters import OTHERWISE, PROFILES, Parameter, Single, Value, override
from keyaudit.policy.problems import FieldError, nearest, shown
from keyaudit.policy.syntax import condition
from keyaudit.policy.templates import show
from keyaudit.policy.types import columns_read


@dataclass(frozen=True, slots=True)
class Bound:
    """A policy and the values of its parameters."""

    policy: Policy
    values: Mapping[str, Value]
    waivers: tuple[Waiver, ...] = ()
    """Those that hold and name it, in the order of their file."""
    in_baseline: bool = False
    """The table `baseline` holds findings of it."""

    def causes(self, code: int) -> tuple[str, ...]:
        """The columns that can have made a verdict unknown: those of the conditions that came to nothing."""
        trees = self.policy.trees
        if code >= verdict.UNKNOWN_BOTH:
            return columns_read(trees.applies_to, trees.violated_when)
        if code >= verdict.UNKNOWN_APPLICATION:
            return columns_read(trees.applies_to)
        return columns_read(trees.violated_when) if code >= verdict.UNKNOWN_VIOLATION else ()

    def expected(self, row: Mapping[str, Row] | None = None) -> str:
        """The parameters that the conditions read, in words: "max_age 730 days"."""
        return ", ".join(f"{name} {self.shown(name, row)}" for name in self.policy.parameters_read)

    def shown(self, name: str, row: Mapping[str, Row] | None = None) -> str:
        """A parameter's value in words: of a map or schedule the row's entry, or all entries where the row has none."""
        parameter, value = self.policy.parameters[name], self.values[name]
        if not isinstance(value, Mapping):
            return show(list(value) if isinstance(value, tuple) else value, parameter.kind)
        entry = self._entry(name, value, row or {})
        if entry is not None:
            return show(entry, parameter.kind)
        return ", ".join(
            f"{iso_date(key) if isinstance(key, int) else key} {show(each, parameter.kind)}" for key, each in value.items()
        )

    def _entry(self, name: str, entries: Mapping[str | int, Single], row: Mapping[str, Row]) -> Single | None:
        index = row.get(self.policy.indexes.get(name, ""))
        if isinstance(index, str):
            return entries.get(index, entries.get(OTHERWISE))
        if isinstance(index, int):
            starts = sorted(key for key in entries if isinstance(key, int))
            return entries[max((start for start in starts if start <= index), default=starts[0])]
        return None


def bind(policies: Sequence[Policy], profile: str, overrides: Mapping[str, Mapping[str, str]]) -> tuple[Bound, ...]:
    """The policies under a profile, with single parameters overridden by policy id and name.

    An override is YAML text: `P365D`, `[a, b]`, `{sign: P365D, wrap: P730D}`.
    Raises UsageError for a profile, policy, parameter or value that cannot be.
    """
    if profile not in PROFILES:
        raise UsageError(f"profile {profile}", "no such profile", nearest(profile, PROFILES))
    known = {policy.text.id for policy in policies}
    for name in overrides:
        if name not in known:
            raise UsageError(f"parameters of {shown(name)}", "no such policy is selected", nearest(name, known))
    return tuple(_bind(policy, profile, overrides.get(policy.text.id, {})) for policy in policies)


def _bind(policy: Policy, profile: str, overrides: Mapping[str, str]) -> Bound:
    values = {name: parameter.value(profile) for name, parameter in policy.parameters.items()}
    for name, text in overrides.items():
        try:
            values[name] = changed(policy, {name: yaml.read(text)})[name]
        except FieldError as error:
            raise UsageError(f"parameter {name} of {policy.text.id}", error.what, error.remedy) from None
    return Bound(policy, values)


def changed(policy: Policy, nodes: Mapping[str, yaml.Node]) -> dict[str, Value]:
    """The values that `nodes` give to parameters; the policy's conditions are checked again with them. Raises FieldError."""
    parameters: dict[str, Parameter] = dict(policy.parameters)
    for name, node in nodes.items():
        if name not in parameters:
            raise FieldError(f"no such parameter: {shown(name)}", nearest(name, parameters))
        parameters[name] = override(parameters[name], node)
    present = policy.applies_to.facts.when_true if policy.applies_to else frozenset[str]()
    if policy.applies_to:
        condition(policy.applies_to.text, policy.table, parameters)
    for checked in (policy.violated_when, *(rung.condition for rung in policy.severity_when)):
        condition(checked.text, policy.table, parameters, present)
    return {name: parameters[name].value("default") for name in nodes}


def waived(bounds: Sequence[Bound], waivers: Sequence[Waiver]) -> tuple[Bound, ...]:
    """The policies, each with those of the waivers that name it."""
    return tuple(
        replace(bound, waivers=tuple(each for each in waivers if each.policy.matches(bound.policy.text.id))) for bound in bounds
    )


def by_table(bounds: Sequence[Bound]) -> dict[str, list[Bound]]:
    """The policies by the table that they judge, in the order given."""
    found: dict[str, list[Bound]] = {}
    for bound in bounds:
        found.setdefault(bound.policy.table.name, []).append(bound)
    return found
