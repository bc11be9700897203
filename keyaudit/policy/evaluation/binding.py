"""Binds policies to the parameters of one run: from the policy itself, a profile, a settings file, and classes."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from keyaudit.model.documents.nodes import Node
from keyaudit.model.documents.problems import FieldError, nearest, shown
from keyaudit.model.errors import UsageError
from keyaudit.model.gating.waivers import Waiver
from keyaudit.model.results.findings import Tally
from keyaudit.model.results.findings import Value as Row
from keyaudit.model.values.times import iso_date
from keyaudit.policy.conditions.parameters import OTHERWISE, PROFILES, Parameter, Single, Value, override
from keyaudit.policy.conditions.types import columns_read
from keyaudit.policy.definition import Policy
from keyaudit.policy.evaluation import verdict
from keyaudit.policy.settings import Given, Judging, Overrides, PolicyClass, placed
from keyaudit.policy.templates import show

DEFAULT = "the policy's default"


class BoundClass(Struct, frozen=True):
    """A class for one policy. `values`: the parameters that it sets for that policy."""

    declared: PolicyClass
    values: Mapping[str, Value]
    applies: bool
    """Whether the policy applies to the class."""


class Bound(Struct, frozen=True):
    """A policy and the values of its parameters."""

    policy: Policy
    values: Mapping[str, Value]
    waivers: tuple[Waiver, ...] = ()
    """The valid waivers that name it, in file order."""
    in_baseline: bool = False
    """Whether the table `baseline` has findings of it."""
    unknown_in_baseline: bool = False
    """Whether the table `baseline` has unknown results of it."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """The origin of each parameter's value: `DEFAULT`, "profile NAME", or `file:line`."""
    classes: tuple[BoundClass, ...] = ()
    """The classes for it, numbered from 1; a row belongs to the first that it matches, or to 0. Empty if no class changes
    anything for this policy.
    """
    profile: str = "default"
    overridden: frozenset[str] = frozenset()
    """The parameters that are set for every profile."""
    elsewhere: frozenset[str] = frozenset()
    """The frameworks whose controls another evaluation answers, by other limits."""

    def differs(self, profile: str) -> bool:
        """Whether its limits under another profile are not the same."""
        return any(
            parameter.value(profile) != parameter.value(self.profile)
            for name, parameter in self.policy.parameters.items()
            if name not in self.overridden
        )

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Every column that decides an outcome: of the conditions, then of the classes."""
        return tuple(dict.fromkeys((*self.policy.columns_read, *self.columns_of_classes)))

    @property
    def columns_of_classes(self) -> tuple[str, ...]:
        """The columns that decide the class of a row."""
        return tuple(dict.fromkeys(name for each in self.classes for name in each.declared.columns(self.policy)))

    @property
    def operations(self) -> frozenset[str]:
        """Every operation that must be assessed for its results."""
        if not self.classes:
            return self.policy.operations
        from keyaudit.inventory.reads import operations_of  # noqa: PLC0415 - heavy, and few runs have classes

        table = self.policy.table.name
        return self.policy.operations.union(*(operations_of(table, name) for name in self.columns_of_classes))

    def causes(self, code: int) -> tuple[str, ...]:
        """The columns that can have made a verdict unknown: of the unknown conditions, and of the classes."""
        trees = self.policy.trees
        if code >= verdict.UNKNOWN_BOTH:
            asked = columns_read(trees.applies_to, trees.violated_when)
        elif code >= verdict.UNKNOWN_APPLICATION:
            asked = columns_read(trees.applies_to)
        else:
            asked = columns_read(trees.violated_when) if code >= verdict.UNKNOWN_VIOLATION else ()
        return tuple(dict.fromkeys((*asked, *self.columns_of_classes))) if asked else ()

    def expected(self, row: Mapping[str, Row] | None = None, in_class: int | None = 0) -> str:
        """The parameters that the conditions read, in words, with their class: "max_age 730 days"."""
        told = ", ".join(f"{name} {self.shown(name, row, in_class)}" for name in self.policy.parameters_read)
        return f"{told} (class {self.classes[in_class - 1].declared.name})" if told and in_class else told

    def shown(self, name: str, row: Mapping[str, Row] | None = None, in_class: int | None = 0) -> str:
        """A parameter's value in words: for a map or schedule the row's entry, or all entries if the row has none.

        `in_class` is the number of the row's class; if None (unknown), all possible values are given.
        """
        if in_class is None:
            every = (self.shown(name, row, number) for number in range(len(self.classes) + 1))
            return " or ".join(dict.fromkeys(every))
        return self.worded(name, self.value(name, in_class), row)

    def value(self, name: str, in_class: int | None = 0) -> Value:
        """A parameter's value for the rows of a class; the policy's own if the class is unknown."""
        own = self.classes[in_class - 1].values if in_class else {}
        return own.get(name, self.values[name])

    def worded(self, name: str, value: Value, row: Mapping[str, Row] | None = None) -> str:
        """A value of the parameter in words."""
        parameter = self.policy.parameters[name]
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


def bind(
    policies: Sequence[Policy], profile: str, overrides: Overrides, classes: Sequence[PolicyClass] = ()
) -> tuple[Bound, ...]:
    """The policies under a profile, with parameters overridden by policy id and name, and for classes.

    An override is YAML text (`P365D`, `[a, b]`, `{sign: P365D, wrap: P730D}`), or a node of a file with its place. Settings of
    classes for other policies are ignored. Raises UsageError for an invalid profile, policy, parameter or value.
    """
    if profile not in PROFILES:
        raise UsageError(f"profile {profile}", "no such profile", nearest(profile, PROFILES))
    known = {policy.text.id for policy in policies}
    for name in overrides:
        if name not in known:
            raise UsageError(f"parameters of {shown(name)}", "no such policy is selected", nearest(name, known))
    return tuple(_bind(policy, profile, overrides.get(policy.text.id, {}), classes) for policy in policies)


def _bind(policy: Policy, profile: str, overrides: Mapping[str, str | Given], classes: Sequence[PolicyClass]) -> Bound:
    values = {name: parameter.value(profile) for name, parameter in policy.parameters.items()}
    origins = {
        name: f"profile {profile}" if profile in parameter.profiles else DEFAULT
        for name, parameter in policy.parameters.items()
    }
    values |= _settled(policy, overrides)
    origins |= {name: given.place for name, given in overrides.items() if isinstance(given, Given)}
    bound = [
        BoundClass(each, _settled(policy, each.parameters.get(policy.text.id, {})), policy.text.id not in each.not_applicable)
        for each in classes
        if each.is_for(policy)
    ]
    changing = any(each.values or not each.applies for each in bound)
    return Bound(
        policy,
        values,
        origins=origins,
        classes=tuple(bound) if changing else (),
        profile=profile,
        overridden=frozenset(overrides),
    )


def for_run(bound: Bound) -> Bound:
    """The policy, for the findings of a run: frameworks with other limits are answered elsewhere."""
    other = {name for name, profile in bound.policy.profiles.items() if bound.differs(profile)}
    return replace(bound, elsewhere=frozenset(other)) if other else bound


def for_controls(bound: Bound) -> Bound:
    """The policy, for the controls of the frameworks with its profile: all others are answered elsewhere."""
    mapped = bound.policy.text.frameworks
    other = {name for name in mapped if bound.policy.profiles.get(name) != bound.profile}
    return replace(bound, elsewhere=frozenset(other))


def differing(policies: Sequence[Policy], profile: str, judging: Judging) -> tuple[Policy, ...]:
    """The policies that map to a framework with that profile, and whose limits under it are not those of the run."""
    bounds = bind(policies, judging.profile, judging.overrides, judging.classes)
    return tuple(each.policy for each in bounds if profile in each.policy.profiles.values() and each.differs(profile))


def answered_apart(policies: Sequence[Policy], tallies: Sequence[Tally]) -> tuple[Policy, ...]:
    """The policies with a control whose answer for a row may not be that of the policy, though the control is about the row."""
    counts = {tally.policy.id: tally.controls for tally in tallies}
    return tuple(
        policy
        for policy in policies
        if any(
            part.violated_when or counts[policy.text.id][part.key].unknown for part in policy.parts if policy.text.id in counts
        )
    )


def _settled(policy: Policy, given: Mapping[str, str | Given]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, each in given.items():
        try:
            node = each.node if isinstance(each, Given) else _node(each)
            found |= changed(policy, {name: node})
        except FieldError as error:
            raise placed(each if isinstance(each, Given) else None, policy.text.id, name, error) from None
    return found


def _node(text: str) -> Node:
    from keyaudit.model.documents import yaml  # noqa: PLC0415 - slow to import, and few runs override values

    return yaml.read(text)


def changed(policy: Policy, nodes: Mapping[str, Node]) -> dict[str, Value]:
    """The parameter values in `nodes`; the policy's conditions are checked again with them. Raises FieldError."""
    from keyaudit.policy.conditions.syntax import condition  # noqa: PLC0415 - heavy, and few runs have values of their own

    parameters: dict[str, Parameter] = dict(policy.parameters)
    for name, node in nodes.items():
        if name not in parameters:
            raise FieldError(f"no such parameter: {shown(name)}", nearest(name, parameters))
        parameters[name] = override(parameters[name], node)
    present = policy.applies_to.facts.when_true if policy.applies_to else frozenset[str]()
    if policy.applies_to:
        condition(policy.applies_to.text, policy.table, parameters)
    for checked in (policy.violated_when, *(rung.condition for rung in policy.weakness_when)):
        condition(checked.text, policy.table, parameters, present)
    for checked in (each for part in policy.parts for each in (part.where, part.violated_when) if each is not None):
        condition(checked.text, policy.table, parameters, present)
    return {name: parameters[name].value("default") for name in nodes}


def waived(bounds: Sequence[Bound], waivers: Sequence[Waiver]) -> tuple[Bound, ...]:
    """The policies, each with the waivers that name it."""
    return tuple(
        replace(bound, waivers=tuple(each for each in waivers if each.policy.matches(bound.policy.text.id))) for bound in bounds
    )


def by_table(bounds: Sequence[Bound]) -> dict[str, list[Bound]]:
    """The policies by table, in the given order."""
    found: dict[str, list[Bound]] = {}
    for bound in bounds:
        found.setdefault(bound.policy.table.name, []).append(bound)
    return found
