"""Reads configuration files of all formats as a flat list of settings, each with its path and line."""

import re
from collections.abc import Iterable, Iterator

import yaml
from msgspec import Struct

from keyaudit.collect.relying_parties import jsonc
from keyaudit.collect.relying_parties.xml import Element, elements
from keyaudit.collect.supplied_file import UnreadError, text
from keyaudit.model.reasons import Reason

_DEEPEST = 64
_MOST = 100_000
"""The maximum number of settings of one file."""
_ODD = re.compile(r"[^a-z0-9]")
_LINE = re.compile(r"([^\s:=#!][^\s:=]*)\s*[:=]\s*(.*)")
_ESCAPED = re.compile(r"\\([:=#!\\])")
_SCALARS = (str, bool, int, float)

_NAMES = (
    re.compile(r"appsettings(\.[^/]+)?\.json"),
    re.compile(r"authsettings[^/]*\.json"),
    re.compile(r"local\.settings\.json"),
    re.compile(r"(web|app)(\.[^/]+)?\.config"),
    re.compile(r"(application|bootstrap)(-[^/]+)?\.(ya?ml|properties)"),
)


class FileSetting(Struct, frozen=True):
    """One setting. `path`: its names in lower case, letters and digits only; `shown`: the names in the file."""

    path: tuple[str, ...]
    value: str
    line: int
    shown: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last of its names that is not a number; for an item, that of its list."""
        return next((part for part in reversed(self.path) if not part.isdigit()), "")


def is_settings(name: str) -> bool:
    """Whether a file of that name may contain token validation settings."""
    return any(pattern.fullmatch(name.lower()) for pattern in _NAMES)


def settings(name: str, data: bytes) -> list[FileSetting]:
    """The settings of a file, whose format depends on its name. Raises UnreadError if it is not in that format."""
    ending = name.lower().rpartition(".")[2]
    if ending in ("config", "xml"):
        found = _of_xml(elements(data))
    elif ending in ("yml", "yaml"):
        found = _of_yaml(text(data))
    elif ending == "properties":
        found = _of_properties(text(data))
    else:
        found = _of_json(jsonc.parsed(text(data)), ())
    kept: list[FileSetting] = []
    for setting in found:
        if len(kept) == _MOST:
            raise UnreadError(Reason.TOO_LARGE, f"more than {_MOST:,} settings")
        kept.append(setting)
    return kept


def _setting(shown: Iterable[str], value: object, line: int) -> FileSetting:
    names = tuple(shown)
    told = str(value).lower() if isinstance(value, bool) else str(value)
    return FileSetting(tuple(_ODD.sub("", name.lower()) for name in names), told.strip(), line, names)


def _parts(name: str, dots: bool = False) -> list[str]:
    """The parts of a hierarchical name: `AzureAd:TenantId`, `AzureAd__TenantId`."""
    return [part for part in re.split(r":|__|\." if dots else r":|__", name) if part]


def _of_json(found: jsonc.Value, path: tuple[str, ...]) -> Iterator[FileSetting]:
    match found.value:
        case dict() as members:
            named, value = members.get("name"), members.get("value")
            # Exported app settings: a list of names and values.
            if named and value and isinstance(named.value, str) and isinstance(value.value, _SCALARS):
                yield _setting((*path, *_parts(named.value)), value.value, named.line)
            for name, member in members.items():
                yield from _of_json(member, (*path, *_parts(name)))
        case list() as items:
            for number, item in enumerate(items):
                yield from _of_json(item, (*path, str(number)))
        case str() | bool() | int() | float() as value:
            yield _setting(path, value, found.line)


def _of_xml(found: Iterable[Element]) -> Iterator[FileSetting]:
    for element in found:
        key, value = element.attributes.get("key"), element.attributes.get("value")
        if element.name == "add" and key and value is not None:
            yield _setting((*element.path[:-1], *_parts(key)), value, element.line)
        else:
            for name, told in element.attributes.items():
                yield _setting((*element.path, name), told, element.line)


def _of_properties(content: str) -> Iterator[FileSetting]:
    for number, line in enumerate(content.splitlines(), 1):
        found = _LINE.fullmatch(line.strip())
        if found:
            yield _setting(_parts(found[1], dots=True), _ESCAPED.sub(r"\1", found[2]), number)


def _of_yaml(content: str) -> Iterator[FileSetting]:
    # Events instead of nodes, because nodes are built recursively and follow aliases.
    try:
        yield from _events(yaml.parse(content, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadError(Reason.BAD_BODY, "not YAML", mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise UnreadError(Reason.BAD_BODY, "not YAML") from error


def _events(events: Iterator[yaml.Event]) -> Iterator[FileSetting]:
    open_: list[_Open] = []
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise UnreadError(Reason.BAD_BODY, "YAML with an alias, which is not followed", line)
        if isinstance(event, yaml.CollectionStartEvent):
            if len(open_) == _DEEPEST:
                raise UnreadError(Reason.BAD_BODY, "nested too deeply", line)
            path = open_[-1].here() if open_ else ()
            open_.append(_Open(path, isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.CollectionEndEvent):
            open_.pop()
            if open_:
                open_[-1].done()
        elif isinstance(event, yaml.ScalarEvent) and open_:
            if open_[-1].mapping and open_[-1].key is None:
                open_[-1].key = event.value
            else:
                yield _setting(open_[-1].here(), event.value, line)
                open_[-1].done()


class _Open(Struct):
    """An open mapping or list. A mapping's `key` is set until its value is complete."""

    path: tuple[str, ...]
    mapping: bool
    key: str | None = None
    count: int = 0

    def here(self) -> tuple[str, ...]:
        """The path of the next value."""
        return (*self.path, *(_parts(self.key or "", dots=True) if self.mapping else (str(self.count),)))

    def done(self) -> None:
        """Record that the value is complete."""
        self.key = None
        self.count += 1
