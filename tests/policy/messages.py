"""Every message of every policy, as its examples that fail bring it up: one text that can be read in one sitting."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import duckdb

from keyaudit.model.results.findings import Outcome, Value
from keyaudit.model.schema.columns import Column, Type
from keyaudit.policy.definition import Policy
from keyaudit.policy.evaluation.binding import Bound, bind
from keyaudit.policy.evaluation.row_order import Evaluated, with_arms
from keyaudit.policy.examples.literals import written_out
from keyaudit.policy.examples.samples import NOW, sample
from keyaudit.policy.load import load
from keyaudit.policy.templates import Source, Template

DAY = 86_400


def every_message() -> str:
    """The text: each policy with its requirement, its problem, and the messages that its examples bring up."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        for bound in bind(load(), "default", {}):
            policy = bound.policy
            yield f"{policy.text.id} [{policy.text.severity}]"
            yield f"  requirement: {policy.text.title}"
            yield f"  problem:     {policy.text.problem}"
            for message in dict.fromkeys(template.fill(source) for template, source in messages(connection, bound)):
                yield f"    - {message}"


def messages(connection: duckdb.DuckDBPyConnection, bound: Bound) -> Iterator[tuple[Template, Source]]:
    """The template of each example that fails, with the values to fill it with."""
    policy = bound.policy
    rows = [sample(policy, example) for example in policy.examples if example.expect is Outcome.FAIL and not example.parameters]
    filled = [({**_stand_ins(policy), **each.values}, each.unknown) for each in rows]
    if not filled:
        return
    numbers = [len(policy.message_when)] * len(filled)
    if policy.message_when:
        rows_of = written_out(policy.table, filled)
        evaluated = Evaluated(
            relation=rows_of, table=policy.table, bounds=[bound], as_of=NOW, lacking=(), explained=True, small=True
        )
        relation = with_arms(evaluated, {0: bound})
        numbers = [number for (number,) in connection.execute(f"SELECT arm0 FROM {relation} ORDER BY position").fetchall()]
    for (values, unknown), number in zip(filled, numbers, strict=True):
        template = policy.message_when[number].message if number < len(policy.message_when) else policy.message
        yield template, _Example(bound, values, unknown)


class _Example:
    """An example's row as a template asks for it."""

    now = NOW

    def __init__(self, bound: Bound, values: dict[str, Value], unknown: Mapping[str, str]) -> None:
        self._bound, self._values, self._unknown = bound, values, unknown

    def parameter(self, name: str) -> str:
        return self._bound.shown(name, self._values)

    def setting(self, name: str) -> Collection[object]:
        value = self._bound.value(name)
        return value if isinstance(value, tuple) else ()

    def known(self, column: str) -> bool:
        return column not in self._unknown

    def value(self, column: str) -> Value:
        return self._values[column]

    def items(self, column: str) -> Sequence[str]:
        value = self._values[column]
        return value if isinstance(value, list) else ()


def _stand_ins(policy: Policy) -> dict[str, Value]:
    """A value for each column that the texts show and no example names."""
    texts = (policy.message, *(arm.message for arm in policy.message_when))
    named = [name for text in texts for name in text.names if name in policy.table.by_name]
    return {name: _stand_in(policy.table.by_name[name]) for name in (*named, *policy.columns_of_arms)}


def _stand_in(column: Column) -> Value:
    match column.type:
        case Type.TEXT:
            return f"<{column.name}>"
        case Type.TEXTS:
            return [f"<{column.name}>"]
        case Type.MAP:
            return {}
        case Type.COUNT:
            return (2, 2)
        case Type.BOOLEAN:
            return True
        case Type.TIME:
            return NOW - 30 * DAY
        case Type.DURATION:
            return 30 * DAY
        case Type.INTEGER:
            return 2
