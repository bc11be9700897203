"""The words that keyaudit does not use, with the words to use instead: `voice.md`'s table, in one place."""

import ast
import functools
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from keyaudit.cli.app import app
from keyaudit.cli.every_command import every_command
from keyaudit.report import topics
from keyaudit.report.topics import topic
from tests.docs import README, TOPICS

PACKAGE = README.parent / "keyaudit"
MESSAGES = README.parent / "tests" / "golden" / "messages.txt"
"""Title, problem and messages of every policy."""

COINED: dict[str, str] = {
    r"(un)?mend(s|ed|ing)?": "fix, fixed",
    r"remed(y|ied) it": "fix it",
    r"grav(er|est)|milder": "higher severity, severity lowered",
    r"(gone|went|goes) dark": "no longer readable",
    r"not judged|judged by|unjudged": "not evaluated, evaluated with",
    r"excused": "waived",
    r"blinds": "affects",
    r"crown key|clean bill|sleeps|riddles?": "(say what it is)",
    r"whoever|whatever": "the principal, users, workloads",
    r"(lives?|lies) (in|on|beside|below)|hangs? on": "is in, is stored in, is attached to",
    r"strangers?": "(say who: readers outside the organisation)",
    r"as Azure's": "in sync with Azure",
    r"is such as|that which|of which": "(write two sentences)",
    r"so far as": "(say what is known)",
    r"not so(?=\.|:|$)": "(name the problem)",
    r"a password that is live|live (passwords?|client secrets?|credentials?)": "active client secret",
    r"(?:^|(?<=\. ))(?-i:What(?:ever)?) [a-z ]{1,60} (?:is|are)": "(begin with the subject)",
    r"home foreign": "external tenant",
    r"cannot tell": "unknown",
    r"clock as": "in sync with",
    r"next signing certificate": "secondary signing certificate",
    r"runs? out|ran out": "expires",
    r"costs? (no|nothing|none)": "(say what still works)",
    r"is no answer": "(say what is unknown)",
    r"for good": "permanently",
    r"anew": "again",
}
"""Patterns of forbidden words, each with the words to use instead."""

# Output of reports, which the tests of formats check, and the text of a whole policy.
_SHOWN = re.compile(r"<!-- generated: (?:demo|hardened|policy-example) -->.*?<!-- end -->", re.DOTALL)
_TEMPLATE = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>", re.DOTALL)
"""The parts of a Jinja template that are not text."""
_STABLE = frozenset({"not judged"})
"""Values of machine-readable formats, which stay as they are."""
_CODE = re.compile(r"`[^`]*`|\bnoqa: [A-Z0-9, ]+ - ")
_FOUND = re.compile("|".join(rf"(?:(?<![\w-])(?:{pattern})(?![\w-]))" for pattern in COINED), re.IGNORECASE | re.MULTILINE)


def coined(text: str) -> list[str]:
    """The forbidden words in a text."""
    return [" ".join(match[0].split()) for match in _FOUND.finditer(text)]


@functools.cache
def said() -> tuple[tuple[str, str], ...]:
    """Texts that users read, with their places: policies, help, errors, reports, topics, README, changelog, templates."""
    return tuple(_said())


def _said() -> Iterator[tuple[str, str]]:
    yield "messages", MESSAGES.read_text(encoding="utf-8")
    for path in (README.parent / "policies").rglob("*.yaml"):
        yield path.name, path.read_text(encoding="utf-8")
    for path in (README, README.with_name("CHANGELOG.md"), *TOPICS.glob("*.md"), *(PACKAGE / "cli" / "templates").iterdir()):
        yield path.name, _SHOWN.sub("", path.read_text(encoding="utf-8"))
    for path in (PACKAGE / "report" / "html" / "templates").iterdir():
        yield path.name, _TEMPLATE.sub("", path.read_text(encoding="utf-8"))
    yield from ((name, topic(name)) for name in topics.TOPICS if name not in (*topics.FILES, "commands"))
    yield "commands", every_command(app())
    for path in _modules():
        if "simulator" not in path.parts:  # its names are those of a made-up tenant
            yield from _literals(path)


def written() -> Iterator[tuple[str, str]]:
    """Texts that developers read, with their places: docstrings and comments of keyaudit and its tests."""
    tests = (path for path in (README.parent / "tests").rglob("*.py") if path.name != "words.py")
    for path in (*_modules(), *tests):
        with path.open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.COMMENT or (
                    token.type == tokenize.STRING and token.string.startswith('"""') and "examples:" not in token.string
                ):
                    yield f"{path.relative_to(README.parent)}:{token.start[0]}", _CODE.sub("", token.string.strip('# "'))


def _modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _literals(path: Path) -> Iterator[tuple[str, str]]:
    """The string literals of a module, without docstrings."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    silent = {id(node.value) for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
    for node in nodes:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in silent:
            continue
        if " " in node.value and node.value not in _STABLE:
            yield f"{path.relative_to(README.parent)}:{node.lineno}", node.value
