"""A second reading of conditions: plain Python over the standard library's ast, to hold the SQL against.

It shares nothing with keyaudit.policy but the text of conditions and the values of parameters. None is unknown.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DAY = 86_400


@dataclass(frozen=True)
class Interpreter:
    """Evaluates conditions on one row. `fold`: the mistake that unknown is false, for the control."""

    row: Mapping[str, Any]
    unknown: Mapping[str, str]
    parameters: Mapping[str, Any]
    now: int
    fold: bool = False

    def holds(self, text: str) -> bool | None:
        """Whether a condition holds; None: unknown."""
        answer = self._evaluate(ast.parse(" ".join(text.split()), mode="eval").body)
        assert answer is None or isinstance(answer, bool)
        return False if answer is None and self.fold else answer

    def _evaluate(self, node: ast.expr) -> Any:
        return getattr(self, f"_{type(node).__name__.lower()}")(node)

    def _boolop(self, node: ast.BoolOp) -> bool | None:
        answers = [self._evaluate(value) for value in node.values]
        decisive = isinstance(node.op, ast.Or)
        if decisive in answers:
            return decisive
        return None if None in answers else not decisive

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        value = self._evaluate(node.operand)
        if isinstance(node.op, ast.USub):
            return -value
        return None if value is None else not value

    def _compare(self, node: ast.Compare) -> bool | None:
        sides = [node.left, *node.comparators]
        answers = [self._pair(left, op, right) for left, op, right in zip(sides, node.ops, node.comparators, strict=False)]
        return False if False in answers else None if None in answers else True

    def _pair(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> bool | None:
        if isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) and (self._absent(left) or self._absent(right)):
            # What is absent equals nothing, and is in no list.
            return isinstance(op, ast.NotEq | ast.NotIn)
        match op:
            case ast.Is():
                return self._is_none(left)
            case ast.IsNot():
                answer = self._is_none(left)
                return None if answer is None else not answer
            case ast.In():
                return self._member(left, right)
            case ast.NotIn():
                answer = self._member(left, right)
                return None if answer is None else not answer
        return compared(self._evaluate(left), op, self._evaluate(right))

    def _member(self, left: ast.expr, right: ast.expr) -> bool | None:
        items, more = self._so_far(right)
        answer = member(self._evaluate(left), items)
        return None if more and not answer else answer

    def _absent(self, node: ast.expr) -> bool:
        """A column, or an entry of a map written out, that is known not to be there."""
        name = node.value if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) else node
        return isinstance(name, ast.Name) and name.id in self.row and self._is_none(node) is True

    def _is_none(self, node: ast.expr) -> bool | None:
        name = node.value if isinstance(node, ast.Subscript) else node
        assert isinstance(name, ast.Name)
        # A list with a known item is not absent.
        if name.id in self.unknown:
            return False if isinstance(self.row[name.id], list) else None
        return self._evaluate(node) is None

    def _name(self, node: ast.Name) -> Any:
        if node.id == "now":
            return self.now
        if node.id not in self.row:
            return self.parameters[node.id]
        value = self.row[node.id]
        return None if node.id in self.unknown and not isinstance(value, tuple) else value

    def _so_far(self, node: ast.expr) -> tuple[Any, bool]:
        """A value, of an unknown list the items that are known, and whether there may be others."""
        if isinstance(node, ast.Name) and node.id in self.unknown and isinstance(self.row[node.id], list):
            return self.row[node.id], True
        return self._evaluate(node), False

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _list(self, node: ast.List) -> list[Any]:
        return [self._evaluate(item) for item in node.elts]

    def _subscript(self, node: ast.Subscript) -> Any:
        holder, key = self._evaluate(node.value), self._evaluate(node.slice)
        if isinstance(node.slice, ast.Constant):
            return (holder or {}).get(key)
        if key is None:
            return None
        if isinstance(key, str):
            return holder.get(key, holder.get("otherwise"))
        return holder[max([start for start in holder if start <= key], default=min(holder))]

    def _binop(self, node: ast.BinOp) -> int | None:
        left, right = self._evaluate(node.left), self._evaluate(node.right)
        if left is None or right is None:
            return None
        total: int = left + right if isinstance(node.op, ast.Add) else left - right
        return total

    def _call(self, node: ast.Call) -> Any:
        assert isinstance(node.func, ast.Name)
        arguments = [self._evaluate(argument) for argument in node.args]
        if node.func.id == "days":
            return arguments[0] * DAY
        (first, more_first), (second, more_second) = map(self._so_far, node.args)
        answer = self._called(node.func.id, first, second)
        turns_true, turns_false = more_first, more_second
        if node.func.id == "overlaps":
            # Nothing overlaps with an empty list.
            turns_true, turns_false = (more_first and second != []) or (more_second and first != []), False
        return None if (turns_true and answer is False) or (turns_false and answer) else answer

    @staticmethod
    def _called(name: str, first: Any, second: Any) -> bool | None:
        if name == "overlaps" and [] in (first, second):
            return False
        if name == "covers" and second == []:
            return True
        return None if first is None or second is None else _FUNCTIONS[name](first, second)


_FUNCTIONS: dict[str, Callable[[Any, Any], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda text, part: part in text,
    "matches": lambda text, pattern: re.fullmatch(pattern, text, re.ASCII) is not None,
    "overlaps": lambda first, second: bool(set(first) & set(second)),
    "covers": lambda first, second: set(second) <= set(first),
}


def member(item: Any, items: Sequence[Any] | None) -> bool | None:
    """`item in items`."""
    if items is not None and len(items) == 0:
        return False
    return None if item is None or items is None else item in items


def compared(left: Any, op: ast.cmpop, right: Any) -> bool | None:
    """`left op right`; a count is a pair of bounds, and stands for every number between them."""
    if left is None or right is None:
        return None
    if isinstance(left, tuple) or isinstance(right, tuple):
        answers = {_plainly(one, op, other) for one in _samples(left, right) for other in _samples(right, left)}
        return answers.pop() if len(answers) == 1 else None
    return _plainly(left, op, right)


def _samples(value: Any, other: Any) -> list[int]:
    if not isinstance(value, tuple):
        return [value]
    least, most = value
    # What is below, at and above the limit is enough to see whether the answer can change.
    numbers = [least, most if most is not None else max(least, other) + 2, other - 1, other, other + 1]
    return [number for number in numbers if least <= number and (most is None or number <= most)]


def _plainly(left: Any, op: ast.cmpop, right: Any) -> bool:
    signs: dict[type[ast.cmpop], bool] = {
        ast.Eq: left == right,
        ast.NotEq: left != right,
        ast.Lt: not isinstance(left, str) and left < right,
        ast.LtE: not isinstance(left, str) and left <= right,
        ast.Gt: not isinstance(left, str) and left > right,
        ast.GtE: not isinstance(left, str) and left >= right,
    }
    return signs[type(op)]
