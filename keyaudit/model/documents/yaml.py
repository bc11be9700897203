"""Reads YAML as text with positions: no types, tags, aliases, merges or repeated keys.

It reads the events of libyaml's parser instead of PyYAML's nodes, because building nodes is recursive, so that a deeply nested
file could crash the process, and it follows aliases.
"""

import unicodedata
from collections.abc import Iterator, Mapping

import yaml

from keyaudit.model.documents.format import Format
from keyaudit.model.documents.nodes import Items, Members, Node, Scalar
from keyaudit.model.documents.problems import FormatError, shown

MAX_DEPTH = 64

# Refused also as escapes in quotes: NUL ends SQL text, and half a surrogate pair is not UTF-8.
_CONTROLS = frozenset({"Cc", "Cs"})


def read(text: str) -> Node:
    """The one document in `text`. Raises FormatError."""
    try:
        return _Composer(yaml.parse(text, Loader=yaml.CLoader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        # Within { } or [ ], placeholders and commas are YAML syntax.
        flow = "flow" in (error.context or "")
        remedy = "put text that contains , { } [ ] or : in quotes" if flow else ""
        raise FormatError(line, column, f"not YAML: {error.problem or error.context}", remedy) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        raise FormatError(line, column, f"not YAML: {error.reason}") from None


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
                    raise _error(event, "a second document in one file", "write one document in each file")
        if self._root is None:
            raise FormatError(1, 1, "the file is empty")
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
        raise FormatError(node.line, node.column, "a key that is not text")
    if node.text == "<<" and not node.quoted:
        raise FormatError(node.line, node.column, "a merge (<<)", "write the members out")
    if node.text in known:
        first = known[node.text]
        raise FormatError(node.line, node.column, f"{shown(node.text)} twice", f"it is on line {first.line} already")
    return node


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _forbidden(character: str) -> bool:
    return unicodedata.category(character) in _CONTROLS and character not in "\n\t"


def _error(event: yaml.Event, what: str, remedy: str = "") -> FormatError:
    return FormatError(*_place(event), what, remedy)


YAML = Format(
    parse=read,
    member="field",
    mapping="not a mapping; write {members}",
    items="not a list; write - before each item, or [...]",
    text="a list or mapping where a text belongs",
)
