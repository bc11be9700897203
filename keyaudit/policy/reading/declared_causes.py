"""Reads the causes that a policy's file declares."""

from collections.abc import Callable, Mapping

from keyaudit.model.documents.nodes import Items, Members, Node
from keyaudit.model.documents.problems import nearest, shown
from keyaudit.model.documents.reader import Reader
from keyaudit.model.results.causes import KINDS, Declared
from keyaudit.model.schema.columns import Table, Type
from keyaudit.policy.conditions.narrowing import Condition
from keyaudit.policy.definition import CauseArm

FIELDS = ("kind", "object")
WHEN = "when"
_MAX_CAUSES = 8


def causes(
    reader: Reader, node: Node | None, table: Table, condition: Callable[[Node | None], Condition | None]
) -> tuple[CauseArm, ...]:
    """The causes in order. `condition` reads one, and adds its problems; other problems are added to the reader."""
    items = node.items if isinstance(node, Items) else [node] if node is not None else []
    if isinstance(node, Items) and not items:
        reader.problem(node, "no cause", "name at least one, or leave the field out")
    if len(items) > _MAX_CAUSES and node is not None:
        reader.problem(node, f"more than {_MAX_CAUSES} causes")
    found: list[CauseArm] = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, Members):
            reader.problem(item, "not a cause", "as in {kind: key-version, object: key_id}")
            continue
        reader.members(item, FIELDS, (WHEN,), "every cause has one")
        if WHEN not in item.members and number < len(items):
            reader.problem(item, "a cause without a condition must be the last one", "put it last")
        fields = item.members
        found.append(CauseArm(_kind(reader, fields), _object(reader, fields, table), condition(fields.get(WHEN))))
    return tuple(found)


def declared(arms: tuple[CauseArm, ...]) -> tuple[Declared, ...]:
    """The causes in words."""
    return tuple(Declared(arm.kind, arm.object, " ".join(arm.condition.text.split()) if arm.condition else "") for arm in arms)


def _kind(reader: Reader, fields: Mapping[str, Node]) -> str:
    kind = reader.text(fields.get("kind"))
    if kind and kind not in KINDS:
        reader.problem(fields["kind"], f"no such kind of cause: {shown(kind)}", nearest(kind, KINDS))
    return kind


def _object(reader: Reader, fields: Mapping[str, Node], table: Table) -> str:
    name = reader.text(fields.get("object"))
    column = table.by_name.get(name)
    if name and (column is None or column.type is not Type.TEXT):
        texts = [each.name for each in table.columns if each.type is Type.TEXT]
        reader.problem(fields["object"], f"{shown(name)} cannot be the object", nearest(name, texts))
    return name
