"""The command lines of README.md and of the topics of `keyaudit explain`, as a reader would type them.

A command line is an indented line, or a piece of text set as code, that begins with `keyaudit `. One that ends in `# in Azure`
needs a sign-in, a network or an earlier run, and one that ends in `# on a cluster` needs Spark: they are not run by the tests,
which see only that they would be understood.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from keyaudit.report.topics import FILES
from tests.docs import README, TOPICS

IN_AZURE, ON_CLUSTER = "# in Azure", "# on a cluster"

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(r"<!-- generated: .*?<!-- end -->", re.DOTALL)
_LINE = re.compile(r"^ {4,}(?:\S*/)?(keyaudit .+)$", re.MULTILINE)
_SPAN = re.compile(r"`(keyaudit [^`]+)`")


class Command(Struct, frozen=True):
    """One command line. `whole`: it is set as a line of its own, not named in passing."""

    text: str
    whole: bool

    @property
    def words(self) -> list[str]:
        """What comes after `keyaudit`."""
        return shlex.split(self.text, comments=True)[1:]

    @property
    def in_azure(self) -> bool:
        """It is marked as one that needs a tenant."""
        return self.text.endswith(IN_AZURE)

    @property
    def elsewhere(self) -> bool:
        """It is marked as one that the tests cannot run."""
        return self.text.endswith((IN_AZURE, ON_CLUSTER))


def documents() -> dict[str, str]:
    """The text of each file, by name."""
    files = {"README": README, **{name: TOPICS / f"{name}.md" for name in FILES}}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


def commands(text: str) -> Iterator[Command]:
    """The command lines of a document, in the order in which they are read."""
    prose = FENCED.sub("", _GENERATED.sub("", text))
    found = [(match.start(), Command(match[1], True)) for match in _LINE.finditer(prose)]
    found += [(match.start(), Command(" ".join(match[1].split()), False)) for match in _SPAN.finditer(prose)]
    yield from (command for _, command in sorted(found, key=lambda each: each[0]))


def fenced(text: str, language: str) -> list[str]:
    """What is set as a block of that language."""
    return [block for name, block in FENCED.findall(_GENERATED.sub("", text)) if name == language]


def save(path: Path, text: str) -> Path:
    """The text in a file, for readers that only read files."""
    path.write_text(text, encoding="utf-8")
    return path
