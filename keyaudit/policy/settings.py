"""Configured limits: for a policy everywhere, or for a class of resources by names and tags."""

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct, field, structs

from keyaudit.inventory.dialect import DuckDB
from keyaudit.model.documents.nodes import Node
from keyaudit.model.documents.problems import FieldError, nearest, shown
from keyaudit.model.errors import UsageError
from keyaudit.model.gating.waivers import Glob
from keyaudit.policy.conditions.sql import is_unknown, read
from keyaudit.policy.definition import Policy

TAGS = "tags"


class Given(Struct, frozen=True):
    """A parameter's value as written. `place` is `file:line`."""

    node: Node
    place: str


Overrides = Mapping[str, Mapping[str, str | Given]]
"""Values by policy and parameter; a text is YAML."""


class PolicyClass(Struct, frozen=True, kw_only=True):
    """A class of resources, for the named policies or, without names, for all policies of its table.

    A row belongs to the first matching class for the policy.
    """

    name: str
    place: str
    policies: tuple[str, ...] = ()
    """Ids or patterns over them."""
    table: str = ""
    resource: Glob | None = None
    """Patterns over the id, subject and name of a row; one match is enough."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tag values by lower-case name; all must match."""
    parameters: Mapping[str, Mapping[str, Given]] = field(default_factory=dict)
    not_applicable: tuple[str, ...] = ()
    """Ids of policies that do not apply to it."""
    reason: str = ""

    def is_for(self, policy: Policy) -> bool:
        """Whether it applies to this policy."""
        if self.table and self.table != policy.table.name:
            return False
        return not self.policies or any(fnmatchcase(policy.text.id, pattern) for pattern in self.policies)

    def columns(self, policy: Policy) -> tuple[str, ...]:
        """The columns that decide whether a row belongs to it, without ids, which are never unknown."""
        names = (*(("name",) if self.resource else ()), *((TAGS,) if self.tags else ()))
        return tuple(name for name in names if name in policy.table.by_name)

    def condition(self, policy: Policy, dialect: DuckDB) -> str:
        """SQL that is true for its rows, and NULL if unknown."""
        terms: list[str] = []
        if self.resource is not None:
            ids = dict.fromkeys(("id", policy.subject))
            looks = [dialect.like(dialect.lower(dialect.name(column)), self.resource.text) for column in ids]
            if "name" in policy.table.by_name:
                named = dialect.like(dialect.lower(read(dialect, "name")), self.resource.text)
                looks.append(_or_absent(dialect, "name", named) if policy.table.by_name["name"].absent else named)
            terms.append(f"({' OR '.join(looks)})")
        for name, value in self.tags.items():
            entry = dialect.entry(read(dialect, TAGS), dialect.text(name))
            terms.append(_or_absent(dialect, TAGS, f"{entry} = {dialect.text(value)}"))
        return f"({' AND '.join(terms)})"

    @property
    def match(self) -> str:
        """Its rows in words."""
        told = [f"resource {self.resource.text}"] if self.resource else []
        told += [f"tag {name}={value}" for name, value in self.tags.items()]
        return f"{' and '.join(told)}, for {', '.join(self.policies) or f'every policy over {self.table}'}"


def _or_absent(dialect: DuckDB, column: str, condition: str) -> str:
    """A condition that is false if the column, or the part that it reads, is absent; NULL if unknown."""
    return f"(CASE WHEN {is_unknown(dialect, column)} THEN NULL ELSE coalesce({condition}, FALSE) END)"


class Judging(Struct, frozen=True, kw_only=True):
    """The settings with which policies evaluate an inventory."""

    as_of: int
    profile: str = "default"
    overrides: Overrides = field(default_factory=dict)
    """Only of evaluated policies."""
    classes: tuple[PolicyClass, ...] = ()
    require: tuple[str, ...] = ()
    """The optional evidence (`model.evidence`) whose absence makes policies unknown."""
    for_controls: bool = False
    """Whether the results only answer the controls of the frameworks with this profile. Otherwise they are those of the run."""

    def for_policies(self, policies: Collection[Policy]) -> "Judging":
        """The same for some of the policies."""
        ids = {policy.text.id for policy in policies}
        return structs.replace(self, overrides={name: given for name, given in self.overrides.items() if name in ids})


def mistakes(overrides: Overrides, classes: tuple[PolicyClass, ...], known: Mapping[str, Policy]) -> Iterator[UsageError]:
    """An error with its place for each unknown policy, and for each class that cannot match anything."""
    for name, given in overrides.items():
        if name not in known:
            place = next((each.place for each in given.values() if isinstance(each, Given)), "")
            yield UsageError(place or f"parameters of {shown(name)}", f"no such policy: {shown(name)}", nearest(name, known))
    for each in classes:
        yield from _mistakes_of_class(each, known)


def _mistakes_of_class(each: PolicyClass, known: Mapping[str, Policy]) -> Iterator[UsageError]:
    what = f"class {shown(each.name)}"
    for pattern in each.policies:
        if not any(fnmatchcase(name, pattern) for name in known):
            yield UsageError(each.place, f"{what}: no policy matches {shown(pattern)}", nearest(pattern, known))
    for name in (*each.parameters, *each.not_applicable):
        place = next((given.place for given in each.parameters.get(name, {}).values()), each.place)
        if name not in known:
            yield UsageError(place, f"{what}: no such policy: {shown(name)}", nearest(name, known))
        elif not each.is_for(known[name]):
            remedy = "name it in the match" if each.policies else f"it is over {known[name].table.name}, not {each.table}"
            yield UsageError(place, f"{what} is not for {name}", remedy)
    for policy in known.values():
        if each.is_for(policy) and each.tags and TAGS not in policy.table.by_name:
            remedy = "match it by resource, or remove that policy"
            yield UsageError(each.place, f"{what}: a row of {policy.table.name} has no tags ({policy.text.id})", remedy)
    if not each.parameters and not each.not_applicable:
        yield UsageError(each.place, f"{what} changes nothing", "give it parameters, or policies that are not_applicable")


def placed(given: Given | None, policy: str, parameter: str, error: FieldError) -> UsageError:
    """The error at the place of the value, or at its name if it has none."""
    if given is None or not given.place:
        return UsageError(f"parameter {parameter} of {policy}", error.what, error.remedy)
    return UsageError(given.place, f"{policy}: {error.what}", error.remedy)
