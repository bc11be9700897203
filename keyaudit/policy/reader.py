"""What readers of our YAML files have in common: they collect problems, each with its place, and go on."""

import stat
from collections.abc import Iterable
from pathlib import Path

from keyaudit.policy.nodes import Members, Node, Scalar
from keyaudit.policy.problems import PolicyError, Problem, nearest, shown
from keyaudit.policy.yaml import MAX_SIZE


def content(path: Path) -> bytes:
    """What a file holds, or one byte more than `yaml.decode` takes. Raises PolicyError for what is no file to be read."""
    file = str(path)
    try:
        # A pipe or device would never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise PolicyError([Problem(file=file, what="not a file")])
        with path.open("rb") as stream:
            return stream.read(MAX_SIZE + 1)
    except OSError as error:
        raise PolicyError([Problem(file=file, what=f"cannot be read: {error.strerror}")]) from None


class Reader:
    """Collects problems of one file as it goes; what it reads counts only while there are none."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def problem(self, at: Node, what: str, remedy: str = "") -> None:
        """Note what is wrong there."""
        self.problems.append(Problem(file=self.file, line=at.line, column=at.column, what=what, remedy=remedy))

    def members(self, node: Members, required: Iterable[str], optional: Iterable[str], needed: str) -> None:
        """Note every field that is not known, and every required one that is not there; `needed` says why it should be."""
        known = [*required, *optional]
        for name, key in node.keys.items():
            if name not in known:
                self.problem(key, f"no such field: {shown(name)}", nearest(name, known))
        for name in required:
            if name not in node.members:
                self.problem(node, f"no {name}", needed)

    def text(self, node: Node | None) -> str:
        """The text of a field on one line; empty where there is none, which is a problem unless the field is not there."""
        if node is None:
            return ""
        if not isinstance(node, Scalar):
            self.problem(node, "a list or mapping where a text belongs")
            return ""
        if not node.text.strip():
            self.problem(node, "an empty text")
        return " ".join(node.text.split())
