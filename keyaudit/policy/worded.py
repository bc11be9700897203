"""Reads the conditions of a policy file, its messages, and its fixes."""

from collections.abc import Iterator, Mapping, Sequence

from keyaudit.model.columns import Table
from keyaudit.model.documents.nodes import Members, Node, Scalar
from keyaudit.model.documents.problems import FieldError, Problem, nearest, shown
from keyaudit.model.documents.reader import Reader
from keyaudit.model.documents.yaml import YAML
from keyaudit.model.fixes import FIRST, takes_away
from keyaudit.policy.definition import Arm
from keyaudit.policy.narrowing import Condition
from keyaudit.policy.parameters import Parameter
from keyaudit.policy.placeholders import template
from keyaudit.policy.syntax import condition
from keyaudit.policy.templates import QUOTING, Template
from keyaudit.policy.types import Every

_MAX_ARMS = 8


class Worded(Reader):
    """The reader of what is asked of a row, said of it, and done about it."""

    def __init__(self, file: str, source: str) -> None:
        super().__init__(file, YAML)
        self._lines = source.split("\n")

    def condition(
        self, node: Node | None, table: Table, parameters: Mapping[str, Parameter], present: frozenset[str] = frozenset()
    ) -> Condition | None:
        """The checked condition, where these columns are `present`; None if there is none, or a problem."""
        if node is None:
            return None
        text = self.text(node)
        if not text or not isinstance(node, Scalar):
            return None
        try:
            return condition(node.text, table, parameters, present)
        except FieldError as error:
            self.problems.append(self._quoted(node, error))
            return None

    def _quoted(self, node: Scalar, error: FieldError) -> Problem:
        """The problem with the condition below it, and its exact place if the text is on one line."""
        text = node.text.replace("\n", " ").strip()
        column = node.column
        at = max(error.at, 0)
        for start in (node.column - 1, node.column):
            if self._lines[node.line - 1].startswith(text, start):
                column = start + 1 + at
                break
        quote, caret = (text, error.at) if text.isprintable() else ("", -1)
        return Problem(
            file=self.file, line=node.line, column=column, what=error.what, remedy=error.remedy, quote=quote, caret=caret
        )

    def arms(
        self,
        node: Node | None,
        table: Table,
        parameters: Mapping[str, Parameter],
        present: frozenset[str],
        text: Template | None,
    ) -> tuple[list[Arm], frozenset[str]]:
        """The messages with a condition, and the columns that are present if none of these conditions is true.

        `text`: that of the policy's fix.
        """
        arms: list[Arm] = []
        for item in self.items(node):
            if not isinstance(item, Members) or set(item.members) - {"fix"} != {"when", "message"}:
                self.problem(item, "not one message with its condition", "as in - {when: created_on is None, message: ...}")
                continue
            checked = self.condition(item.members["when"], table, parameters, present)
            here = present | (checked.facts.when_true if checked else frozenset())
            message = self.template(item.members["message"], table, parameters, here)
            fix = self.fix(item.members.get("fix"), table, parameters, here, text)
            if checked and message:
                arms.append(Arm(checked, message, fix))
                present |= checked.facts.when_false
        if node is not None and len(arms) > _MAX_ARMS:
            self.problem(node, f"more than {_MAX_ARMS} messages")
        return arms, present

    def fixes(
        self,
        node: Node | None,
        table: Table,
        parameters: Mapping[str, Parameter],
        present: frozenset[str],
        text: Template | None,
    ) -> list[tuple[Condition, dict[str, Template]]]:
        """The fixes with a condition; `text` as in `_arms`."""
        found = []
        for item in self.items(node):
            if not isinstance(item, Members) or set(item.members) != {"when", "fix"}:
                self.problem(item, "not one fix with its condition", 'as in - {when: kind == "password", fix: {cli: ...}}')
                continue
            checked = self.condition(item.members["when"], table, parameters, present)
            here = present | (checked.facts.when_true if checked else frozenset())
            fix = self.fix(item.members["fix"], table, parameters, here, text)
            if checked:
                found.append((checked, fix))
                present |= checked.facts.when_false
        if node is not None and len(found) > _MAX_ARMS:
            self.problem(node, f"more than {_MAX_ARMS} fixes")
        return found

    def template(
        self, node: Node | None, table: Table, parameters: Mapping[str, Parameter], present: frozenset[str]
    ) -> Template | None:
        """The text with its fields; None if there is none, or a problem."""
        text = self.text(node)
        if node is None or not text:
            return None
        try:
            return template(text, table.by_name, parameters, present)
        except FieldError as error:
            self.problem(node, error.what, error.remedy)
            return None

    def fix(
        self,
        node: Node | None,
        table: Table,
        parameters: Mapping[str, Parameter],
        present: frozenset[str],
        text: Template | None = None,
    ) -> dict[str, Template]:
        """A fix by kind, with `text` unless it has a text of its own."""
        found: dict[str, Template] = {}
        if node is not None and not isinstance(node, Members):
            self.problem(node, "fix is not a mapping", f"by kind: {', '.join(QUOTING)}")
            return found
        if node is not None and not node.members:
            self.problem(node, "no remedy in fix", "say how to fix it")
        for kind, value in self.entries(node).items():
            if kind not in QUOTING:
                self.problem(value, f"no such kind of fix: {shown(kind)}", nearest(kind, QUOTING))
            template = self.template(value, table, parameters, present)
            if template is not None:
                found[kind] = template
                if takes_away(template.readable) and text is None and FIRST not in self.entries(node):
                    self.problem(value, "takes something away, and no text says what has to be done before", "add a text")
        return {FIRST: text, **found} if found and text else found


def with_fixes(
    arms: Sequence[Arm], message: Template, fixes: Sequence[tuple[Condition, Mapping[str, Template]]]
) -> Iterator[Arm]:
    """The messages with their own fix, or with the fix whose condition holds, too. The last message is without condition."""
    for arm in arms:
        if not arm.fix:
            yield from (Arm(_both(arm.condition, condition), arm.message, fix) for condition, fix in fixes)
        yield arm
    yield from (Arm(condition, message, fix) for condition, fix in fixes)


def _both(first: Condition, later: Condition) -> Condition:
    tree = Every((first.tree, later.tree))
    return Condition(f"({first.text}) and ({later.text})", tree, first.facts.and_(later.facts))
