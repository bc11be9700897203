"""The base of the YAML readers, which collect all problems with their places."""

from collections.abc import Iterable
from pathlib import Path

from keyaudit.inventory import input_file
from keyaudit.policy.nodes import Members, Node, Scalar
from keyaudit.policy.problems import PolicyError, Problem, nearest, shown
from keyaudit.policy.yaml import MAX_SIZE


def content(path: Path) -> bytes:
    """The content of a file, or one byte more than `yaml.decode` accepts. Raises PolicyError if it is not a readable file."""
    try:
        return input_file.read(path, MAX_SIZE)
    except input_file.UnreadableError as error:
        raise PolicyError([Problem(file=str(path), what=error.what)]) from None


class Reader:
    """Collects the problems of one file; its result is valid only if there are none."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def problem(self, at: Node, what: str, remedy: str = "") -> None:
        """Add a problem at this place."""
        self.problems.append(Problem(file=self.file, line=at.line, column=at.column, what=what, remedy=remedy))

    def members(self, node: Members, required: Iterable[str], optional: Iterable[str], needed: str) -> None:
        """Add a problem for every unknown field and every missing required one; `needed` says why it is required."""
        known = [*required, *optional]
        for name, key in node.keys.items():
            if name not in known:
                self.problem(key, f"no such field: {shown(name)}", nearest(name, known))
        for name in required:
            if name not in node.members:
                self.problem(node, f"no {name}", needed)

    def text(self, node: Node | None) -> str:
        """The text of a field on one line; empty if the field is missing. An empty text is a problem."""
        if node is None:
            return ""
        if not isinstance(node, Scalar):
            self.problem(node, "a list or mapping where a text belongs")
            return ""
        if not node.text.strip():
            self.problem(node, "an empty text")
        return " ".join(node.text.split())
