"""A policy as loaded: its text, its checked conditions, and its own tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keyaudit.model.columns import Table
from keyaudit.model.findings import Outcome, PolicyText, Severity
from keyaudit.model.tables import operations_of
from keyaudit.policy.applicability import needless
from keyaudit.policy.parameters import Parameter
from keyaudit.policy.syntax import Condition
from keyaudit.policy.templates import Template
from keyaudit.policy.types import Every, Lookup, Term, columns_read, parameters_read, walk
from keyaudit.policy.yaml import Node


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of `severity_when`: the severity where the condition holds and no earlier one does."""

    severity: Severity
    condition: Condition


@dataclass(frozen=True, slots=True)
class Arm:
    """One step of `message_when`: the message where the condition holds and no earlier one does."""

    condition: Condition
    message: Template


@dataclass(frozen=True, slots=True)
class Example:
    """One test of a policy: the changed columns of `given`, and what must come out."""

    why: str
    expect: Outcome
    severity: Severity | None
    """What the severity must be; None: not compared."""
    changes: Mapping[str, Node]
    parameters: Mapping[str, Node]
    """Parameters that have other values in this example."""
    line: int
    column: int

    @property
    def shown(self) -> str:
        """Its columns as its file has them: "enabled false, key_ops [sign, verify]"."""
        return ", ".join(f"{name} {node}" for name, node in self.changes.items())


@dataclass(frozen=True, slots=True)
class Trees:
    """What a policy asks, as typed trees: all that decides an outcome, but for the parameters' values."""

    applies_to: Term
    violated_when: Term
    rungs: tuple[tuple[Severity, Term], ...]
    severity: Severity
    """Where no rung holds."""

    @property
    def all(self) -> tuple[Term, ...]:
        """Every condition, in the order in which they are judged."""
        return (self.applies_to, self.violated_when, *(tree for _, tree in self.rungs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy. `applies_to` is None where it applies to every row of its table."""

    text: PolicyText
    table: Table
    subject: str
    """The column that the finding is about."""
    applies_to: Condition | None
    violated_when: Condition
    severity_when: tuple[Rung, ...]
    parameters: Mapping[str, Parameter]
    message_when: tuple[Arm, ...]
    message: Template
    """Where no arm of `message_when` holds."""
    fix: Mapping[str, Template]
    given: Mapping[str, Node]
    examples: tuple[Example, ...]
    file: str
    """The file as errors name it."""
    source: str = field(repr=False)
    """The file's text."""
    trees: Trees = field(init=False)
    """Its conditions without their text."""
    columns_read: tuple[str, ...] = field(init=False)
    """Every column that its conditions read, in the order of the text."""
    parameters_read: tuple[str, ...] = field(init=False)
    """Every parameter that its conditions read, in the order of the text."""
    indexes: Mapping[str, str] = field(init=False)
    """The column that a map or schedule is looked up by; not there where it is looked up by several."""
    operations: frozenset[str] = field(init=False)
    """Every operation that must have been assessed for its answer to be trusted."""

    def __post_init__(self) -> None:
        applies_to = self.applies_to.tree if self.applies_to else Every(())
        rungs = tuple((rung.severity, rung.condition.tree) for rung in self.severity_when)
        trees = Trees(applies_to, self.violated_when.tree, rungs, self.text.severity)
        columns = columns_read(*trees.all)
        operations = {operation for name in columns for operation in operations_of(self.table.name, name)}
        object.__setattr__(self, "trees", trees)
        object.__setattr__(self, "columns_read", columns)
        object.__setattr__(self, "parameters_read", parameters_read(*trees.all))
        object.__setattr__(self, "indexes", _indexes(trees))
        unfit = needless(trees.applies_to, self.table, columns)
        object.__setattr__(self, "operations", frozenset(operations | set(self.table.listed_by)) - unfit)

    @property
    def columns_shown(self) -> frozenset[str]:
        """Every column that its conditions read or its texts name, and perhaps parameters of its own."""
        texts = (self.message, *(arm.message for arm in self.message_when), *self.fix.values())
        named = (name for text in texts for name in text.names)
        return frozenset((*self.columns_read, *self.columns_of_arms, *named))

    @property
    def columns_of_arms(self) -> tuple[str, ...]:
        """Every column that decides which message is shown."""
        return columns_read(*(arm.condition.tree for arm in self.message_when))

    @property
    def gravest(self) -> Severity:
        """The highest severity that it can have."""
        return max((self.text.severity, *(rung.severity for rung in self.severity_when)), key=lambda level: level.rank)


def _indexes(trees: Trees) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for tree in trees.all:
        for node in walk(tree):
            if isinstance(node, Lookup):
                found.setdefault(node.parameter, set()).add(node.index.column)
    return {parameter: columns.pop() for parameter, columns in found.items() if len(columns) == 1}
