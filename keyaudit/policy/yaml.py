"""Reads YAML as text with positions: no types, tags, aliases, merges or repeated keys.

It reads the events of libyaml's parser instead of PyYAML's nodes, because building nodes is recursive, so that a deeply nested
file could crash the process, and it follows aliases.
"""

import unicodedata
from collections.abc import Iterator, Mapping

import yaml

from keyaudit.policy.nodes import Items, Members, Node, Scalar
from keyaudit.policy.problems import FieldError, Problem, shown

MAX_SIZE = 1_000_000
"""The maximum size in bytes."""
MAX_DEPTH = 64

# Refused also as escapes in quotes: NUL ends SQL text, and half a surrogate pair is not UTF-8.
_CONTROLS = frozenset({"Cc", "Cs"})


class YamlError(FieldError):
    """Text outside the supported YAML subset, with its place (from 1)."""

    def __init__(self, line: int, column: int, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.line, self.column = line, column

    def problem(self, file: str) -> Problem:
        """The error as a problem of `file`."""
        return Problem(file=file, line=self.line, column=self.column, what=self.what, remedy=self.remedy)


def decode(data: bytes) -> str:
    """The text of a file. Raises YamlError unless it is UTF-8 of at most the maximum size."""
    if len(data) > MAX_SIZE:
        raise YamlError(0, 0, f"larger than {MAX_SIZE:,} bytes", "split it")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise YamlError(line, column, "not UTF-8", "save it as UTF-8") from None
    if text.startswith("\ufeff"):
        raise YamlError(1, 1, "begins with a byte order mark", "save it as UTF-8 without one")
    return text


def read(text: str) -> Node:
    """The one document in `text`. Raises YamlError."""
    try:
        return _Composer(yaml.parse(text, Loader=yaml.CLoader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        # Within { } or [ ], placeholders and commas are YAML syntax.
        flow = "flow" in (error.context or "")
        remedy = "put a text that holds , { } [ ] or : in quotes" if flow else ""
        raise YamlError(line, column, f"not YAML: {error.problem or error.context}", remedy) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        raise YamlError(line, column, f"not YAML: {error.reason}") from None


class _Composer:
    """Builds nodes from events with a stack of its own."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._open: list[tuple[Items | Members, Scalar | None]] = []
        self._root: Node | None = None

    def document(self) -> Node:
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.AliasEvent):
                raise _error(event, f"an alias (*{event.anchor})", "write the value out")
            if isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _error(event, "a second document in one file", "one policy is one file")
        if self._root is None:
            raise YamlError(1, 1, "the file is empty")
        return self._root

    def _node(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            raise _error(event, f"an anchor (&{event.anchor})", "write the value out where it is used")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _error(event, f"a tag ({tag})", "leave it out: every value is text, typed by its field")
        line, column = _place(event)
        if isinstance(event, yaml.ScalarEvent):
            if not event.value.isprintable() and any(map(_forbidden, event.value)):
                raise _error(event, "a control character in a text", "leave it out")
            self._add(Scalar(event.value, line, column, quoted=event.style not in (None, "")))
            return
        if len(self._open) >= MAX_DEPTH:
            raise _error(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            self._open.append((Items([], line, column), None))
        else:
            self._open.append((Members({}, {}, line, column), None))

    def _close(self) -> None:
        self._add(self._open.pop()[0])

    def _add(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        holder, key = self._open[-1]
        if isinstance(holder, Items):
            holder.items.append(node)
        elif key is None:
            self._open[-1] = (holder, _key(node, holder.keys))
        else:
            holder.members[key.text] = node
            holder.keys[key.text] = key
            self._open[-1] = (holder, None)


def _key(node: Node, known: Mapping[str, Scalar]) -> Scalar:
    if not isinstance(node, Scalar):
        raise YamlError(node.line, node.column, "a key that is not text")
    if node.text == "<<" and not node.quoted:
        raise YamlError(node.line, node.column, "a merge (<<)", "write the members out")
    if node.text in known:
        first = known[node.text]
        raise YamlError(node.line, node.column, f"{shown(node.text)} twice", f"it is on line {first.line} already")
    return node


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _forbidden(character: str) -> bool:
    return unicodedata.category(character) in _CONTROLS and character not in "\n\t"


def _error(event: yaml.Event, what: str, remedy: str = "") -> YamlError:
    return YamlError(*_place(event), what, remedy)
