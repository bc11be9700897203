"""A policy as loaded: its text, its checked conditions, and its own tests."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct, field

from keyaudit.model.documents.nodes import Node
from keyaudit.model.results.findings import Outcome, PolicyText
from keyaudit.model.results.fixes import COMMANDS, FIRST, LEADING
from keyaudit.model.schema.columns import Table
from keyaudit.model.severity import LEVELS, Opens, Severity
from keyaudit.model.tables import TABLES
from keyaudit.policy.applicability import needless
from keyaudit.policy.conditions.narrowing import Condition
from keyaudit.policy.conditions.parameters import Parameter
from keyaudit.policy.conditions.types import Every, Lookup, Term, columns_read, parameters_read, walk
from keyaudit.policy.controls import Part, columns_of
from keyaudit.policy.templates import Template, joined


def digest_of(parts: object) -> str:
    """A digest of plain values, in hex. The order of members counts."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


class Rung(Struct, frozen=True):
    """One step of `weakness_when`: the weakness if this condition is the first that is true; of a policy with a fixed severity,
    that severity.
    """

    weakness: str
    condition: Condition


class Fix(Struct, frozen=True):
    """How findings are fixed. False if there is nothing."""

    kinds: Mapping[str, Template] = field(default_factory=dict)
    """By kind. Of steps: the first command of each kind, and what is said of all steps before their commands."""
    steps: tuple[Mapping[str, Template], ...] = ()
    """In order, each by part of `model.fixes`; empty for a fix by kind."""

    def __bool__(self) -> bool:
        return bool(self.kinds)

    @classmethod
    def of(cls, steps: Sequence[Mapping[str, Template]]) -> "Fix":
        """A fix of steps."""
        commands = {kind: step[kind] for step in reversed(steps) for kind in COMMANDS if kind in step}
        words = ((f"{number}. ", step) for number, step in enumerate(steps, start=1))
        said = ((begin, part, step[part]) for begin, step in words for part in LEADING if part in step)
        text = joined((begin if part == FIRST else LEADING[part], template) for begin, part, template in said)
        return cls({FIRST: text, **commands}, tuple(steps))

    @property
    def templates(self) -> tuple[Template, ...]:
        """All that it says and prints."""
        return (*self.kinds.values(), *(template for step in self.steps for template in step.values()))

    @property
    def commands(self) -> str:
        """Its commands before values are filled in."""
        every = self.steps or (self.kinds,)
        return "\n".join(step[kind].readable for step in every for kind in COMMANDS if kind in step)


NO_FIX = Fix()


class Arm(Struct, frozen=True):
    """One step of `message_when`: the message if this condition is the first that is true."""

    condition: Condition
    message: Template
    how: Fix
    """What is done in this case; empty: the fix of the policy."""

    @property
    def fix(self) -> Mapping[str, Template]:
        """By kind."""
        return self.how.kinds


class CauseArm(Struct, frozen=True):
    """A cause of a policy's findings. `object`: the column that names the object to act upon. No condition: every row."""

    kind: str
    object: str
    condition: Condition | None


class Example(Struct, frozen=True):
    """One test of a policy: the changed columns of `given`, and the expected result."""

    why: str
    expect: Outcome
    weakness: str | None
    """The expected weakness, or fixed severity; None: not compared."""
    changes: Mapping[str, Node]
    parameters: Mapping[str, Node]
    """Parameters with other values in this example."""
    line: int
    column: int

    @property
    def shown(self) -> str:
        """Its columns as its file has them: "enabled false, key_ops [sign, verify]"."""
        return ", ".join(f"{name} {node}" for name, node in self.changes.items())


class Trees(Struct, frozen=True):
    """The conditions of a policy as typed trees: everything that decides an outcome except parameter values."""

    applies_to: Term
    violated_when: Term
    rungs: tuple[tuple[str, Term], ...]
    weakness: str
    """The weakness if no rung applies; in either place a fixed severity stands for itself."""
    opens: tuple[tuple[Opens, Term], ...] = ()
    """What a row opens: the first that applies, else little. Empty where no weakness is in play."""

    @property
    def all(self) -> tuple[Term, ...]:
        """Every condition of the policy itself, in the order of evaluation."""
        return (self.applies_to, self.violated_when, *(tree for _, tree in self.rungs))

    @property
    def top_severity(self) -> Severity:
        """The highest severity that a row can have."""
        most = self.opens[0][0].rank if self.opens else 0
        return max((LEVELS[each][most] for each in self.weaknesses), key=lambda level: level.rank)

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """Each that a row can have, the last one without a condition."""
        return (*(weakness for weakness, _ in self.rungs), self.weakness)


class Derived(Struct, frozen=True, kw_only=True):
    """What follows from a policy's conditions and texts, and the declaration of its table; kept with the compiled policies."""

    trees: Trees
    """Its conditions without their text."""
    columns_read: tuple[str, ...]
    """Every column that its conditions read, in the order of the text."""
    parameters_read: tuple[str, ...]
    """Every parameter that its conditions read, in the order of the text."""
    indexes: Mapping[str, str]
    """The column that a map or schedule is looked up by; left out if there are several."""
    operations: frozenset[str]
    """Every operation that must be assessed for its results."""
    names: frozenset[str]
    """Every column and parameter in its texts."""

    @classmethod
    def of(
        cls,
        table: Table,
        weakness: str,
        applies_to: Condition | None,
        violated_when: Condition,
        rungs: Sequence[Rung],
        *,
        opens: Sequence[tuple[Opens, Term]],
        texts: Iterable[Template],
    ) -> "Derived":
        """Of a policy over `table`. `weakness`: if no rung applies."""
        from keyaudit.inventory.reads import operations_of  # noqa: PLC0415 - slow to import, and compiled policies have the answer

        asked = applies_to.tree if applies_to else Every(())
        of_rungs = tuple((rung.weakness, rung.condition.tree) for rung in rungs)
        trees = Trees(asked, violated_when.tree, of_rungs, weakness, tuple(opens))
        columns = columns_read(*trees.all)
        operations = {operation for name in columns for operation in operations_of(table.name, name)}
        return cls(
            trees=trees,
            columns_read=columns,
            parameters_read=parameters_read(*trees.all),
            indexes=_indexes(trees),
            operations=frozenset(operations | set(table.listed_by)) - needless(trees.applies_to, table, columns),
            names=frozenset(name for text in texts for name in text.names),
        )


class Policy(Struct, frozen=True, kw_only=True):
    """One policy. `applies_to` is None if it applies to every row of its table."""

    text: PolicyText
    derived: Derived
    subject: str
    """The column of the finding's subject."""
    applies_to: Condition | None
    violated_when: Condition
    weakness_when: tuple[Rung, ...]
    parameters: Mapping[str, Parameter]
    message_when: tuple[Arm, ...]
    message: Template
    """The message if no arm of `message_when` applies."""
    how: Fix
    given: Mapping[str, Node]
    examples: tuple[Example, ...]
    causes: tuple[CauseArm, ...] = ()
    """The causes of its findings: the first whose condition is certainly true; without one, each is a cause by itself."""
    parts: tuple[Part, ...] = ()
    """The controls that are about a part of it, in the order of the text."""
    profiles: Mapping[str, str] = field(default_factory=dict)
    """By framework that it maps to, the profile with the limits of that framework; frameworks without one are left out."""
    file: str
    """The file name for errors."""
    source: str
    """The file's text."""

    @property
    def fix(self) -> Mapping[str, Template]:
        """The fix by kind."""
        return self.how.kinds

    @property
    def table(self) -> Table:
        """The table that it evaluates."""
        return TABLES[self.text.table]

    @property
    def trees(self) -> Trees:
        """Its conditions without their text."""
        return self.derived.trees

    @property
    def rule_parts(self) -> Mapping[str, object]:
        """All that decides its findings and their severities, in plain values: no texts, and the limits of every profile."""
        asked = self.applies_to.text if self.applies_to else ""
        return {
            "resources": [self.text.table, self.subject, self.text.needs],
            "severity": [self.trees.weakness, *(TABLES[self.text.table].opens.items() if self.trees.opens else ())],
            "cases": [(rung.weakness, _plain(rung.condition.text)) for rung in self.weakness_when],
            "condition": [_plain(asked), _plain(self.violated_when.text)],
            "limits": sorted((name, sorted(parameter.profiles.items())) for name, parameter in self.parameters.items()),
        }

    @property
    def rule(self) -> str:
        """A digest of `rule_parts`."""
        return digest_of(list(self.rule_parts.items()))

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Every column that its conditions read, in the order of the text."""
        return self.derived.columns_read

    @property
    def parameters_read(self) -> tuple[str, ...]:
        """Every parameter that its conditions read, in the order of the text."""
        return self.derived.parameters_read

    @property
    def indexes(self) -> Mapping[str, str]:
        """The column that a map or schedule is looked up by; not there where it is looked up by several."""
        return self.derived.indexes

    @property
    def operations(self) -> frozenset[str]:
        """Every operation that must have been assessed for its answer to be trusted."""
        return self.derived.operations

    @property
    def columns_shown(self) -> frozenset[str]:
        """Every column in its conditions or texts, and possibly parameters."""
        decide = (*self.columns_of_arms, *self.columns_of_causes, *self.columns_of_opens)
        return self.derived.names.union(self.columns_read, columns_of(self.parts), decide)

    @property
    def columns_of_messages(self) -> frozenset[str]:
        """Every column that its messages show or depend on, and possibly parameters."""
        texts = (self.message, *(arm.message for arm in self.message_when))
        return frozenset((self.subject, *self.indexes.values(), *(name for text in texts for name in text.names)))

    @property
    def columns_of_arms(self) -> tuple[str, ...]:
        """Every column that decides the message."""
        return columns_read(*(arm.condition.tree for arm in self.message_when))

    @property
    def columns_of_causes(self) -> tuple[str, ...]:
        """Every column that decides the cause, and those that name its object."""
        decide = columns_read(*(arm.condition.tree for arm in self.causes if arm.condition))
        return (*decide, *(arm.object for arm in self.causes))

    @property
    def columns_of_weakness(self) -> tuple[str, ...]:
        """Every column that decides what is weak in a row."""
        return columns_read(*(tree for _, tree in self.trees.rungs))

    @property
    def columns_of_opens(self) -> tuple[str, ...]:
        """Every column that decides what a row opens."""
        return columns_read(*(tree for _, tree in self.trees.opens))

    @property
    def commands(self) -> tuple[str, ...]:
        """For each of `message_when` and then for `message`, the commands of its fix before values are filled in."""
        return (*((arm.how or self.how).commands for arm in self.message_when), self.how.commands)

    @property
    def top_severity(self) -> Severity:
        """The highest severity that it can have."""
        return self.trees.top_severity


def _plain(text: str) -> str:
    """A condition on one line."""
    return " ".join(text.split())


def _indexes(trees: Trees) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for tree in trees.all:
        for node in walk(tree):
            if isinstance(node, Lookup):
                found.setdefault(node.parameter, set()).add(node.index.column)
    return {parameter: columns.pop() for parameter, columns in found.items() if len(columns) == 1}
