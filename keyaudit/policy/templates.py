"""Messages and fixes: text with placeholders, filled in with what a row holds, safely.

{name}                     a column or parameter
{name:never used}          the text after the colon stands for an absent value, or for an empty list
{since(created_on)}        how long ago, as a duration; {until(expires_on)}: how long from now
{between(starts_on, expires_on)}
{app_roles+directory_roles:nothing}      what several lists hold together
{missing(categories_sent, categories)}   what a list lacks of a parameter's items
{without(environments, production)}      the items of a list that a parameter does not have
{short(scope)}             the last part of an id
{tags[owner]:nobody}       an entry of a map
{users|user|users}         a noun that agrees with a number, or with the length of a list
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Protocol

from keyaudit.model.columns import Column
from keyaudit.model.findings import Value
from keyaudit.model.shell import powershell_quoted, shell_quoted
from keyaudit.model.text import listed, one_line
from keyaudit.model.times import duration_text, iso_date
from keyaudit.policy.problems import FieldError, nearest, shown
from keyaudit.policy.types import Kind

MAX_LENGTH = 2_000
NAME = "name"
"""The column that every table has; a thing without a name is shown by the last part of its id."""
UNKNOWN = "unknown"
"""What a text shows for a value that was not read."""

_NAME = r"[a-z_][a-z0-9_]*"
_LISTS = (Kind.TEXTS, Kind.MAP)
_FORMS: tuple[tuple[re.Pattern[str], Collection[Kind], str], ...] = tuple(
    (re.compile(pattern.replace("NAME", _NAME)), kinds, noun)
    for pattern, kinds, noun in (
        (r"(?P<span>since|until)\((?P<column>NAME)\)", (Kind.TIME,), "a time"),
        (r"(?P<span>between)\((?P<column>NAME), ?(?P<last>NAME)\)", (Kind.TIME,), "a time"),
        (r"(?P<joined>NAME(?:\+NAME)+)", (Kind.TEXTS,), "a list"),
        (r"(?P<compared>missing|without)\((?P<column>NAME), ?(?P<list>NAME)\)", (Kind.TEXTS,), "a list"),
        (r"(?P<short>short)\((?P<column>NAME)\)", (Kind.TEXT,), "a text"),
        (r"(?P<column>NAME)\[(?P<entry>[^\[\]]+)\]", (Kind.MAP,), "a map"),
        (r"(?P<column>NAME)\|(?P<one>[^|]+)\|(?P<many>[^|]+)", (Kind.INTEGER, Kind.COUNT, Kind.TEXTS), "a number or a list"),
    )
)
"""The placeholders that compute: their form, and the kinds of column that they take."""


class Source(Protocol):
    """Where a template's values come from."""

    now: int

    def parameter(self, name: str) -> str:
        """A parameter in words."""

    def setting(self, name: str) -> Collection[object]:
        """The items of a parameter that is a list."""

    def known(self, column: str) -> bool:
        """Whether the column has a value or is absent."""

    def value(self, column: str) -> Value:
        """The value of a known column; None: absent."""


@dataclass(frozen=True, slots=True)
class _Placeholder:
    """One placeholder. `columns` is empty for a parameter; `text`: what stands for an absent value."""

    name: str
    columns: tuple[Column, ...] = ()
    text: str = ""
    span: str = ""
    entry: str = ""
    noun: tuple[str, str] | None = None
    compared: str = ""
    """`missing` or `without`: how the list is compared with the parameter `other`."""
    other: str = ""
    short: bool = False

    def fill(self, source: Source) -> str:
        if not self.columns:
            return source.parameter(self.name)
        if len(self.columns) > 1 and not self.span:
            return self._joined(source)
        if not all(source.known(column.name) for column in self.columns):
            return self.noun[1] if self.noun else UNKNOWN
        values = [source.value(column.name) for column in self.columns]
        if any(value is None for value in values):
            return self.text or _instead(self.name, source)
        if self.compared:
            held = values[0] if isinstance(values[0], list) else []
            known = source.setting(self.other)
            left = (
                [item for item in known if item not in held]
                if self.compared == "missing"
                else [item for item in held if item not in known]
            )
            return one_line(listed([str(item) for item in left]))
        return self._shown(values, source.now)

    def _joined(self, source: Source) -> str:
        """What the lists hold together; that one of them was not read is said, and an absent one holds nothing."""
        items: list[str] = []
        unread = False
        for column in self.columns:
            value = source.value(column.name) if source.known(column.name) else None
            unread = unread or not source.known(column.name)
            items += value if isinstance(value, list) else []
        if not items:
            return UNKNOWN if unread else self.text
        return one_line(listed([*items, *(["others that were not read"] if unread else [])]))

    def _shown(self, values: Sequence[Value], now: int) -> str:
        value = values[0]
        if self.short:
            return one_line(str(value).rstrip("/").rpartition("/")[2])
        if self.span:
            return duration_text(_seconds(self.span, values, now))
        if self.noun:
            return self.noun[0] if _is_one(value) else self.noun[1]
        if self.entry:
            return one_line(value[self.entry]) if isinstance(value, Mapping) and self.entry in value else self.text
        return self.text if self.text and value in ([], {}) else show(value, Kind(self.columns[0].type.value))


class Template:
    """Text with placeholders. `names` are the columns and parameters that it uses, each once, in order."""

    __slots__ = ("_parts", "names", "text")

    def __init__(
        self, text: str, columns: Mapping[str, Column], parameters: Collection[str], present: Collection[str] = ()
    ) -> None:
        """`present`: the columns that cannot be absent where the text is shown.

        Raises FieldError for a placeholder that is not one, or that has no text for a value which may be absent or empty.
        """
        if len(text) > MAX_LENGTH:
            raise FieldError(f"a text of more than {MAX_LENGTH:,} characters, to be filled in for every finding", "shorten it")
        try:
            parts = list(Formatter().parse(text))
        except ValueError as error:
            raise FieldError(f"not a template: {error}", "write {{ and }} for braces") from None
        self.text = text
        found: list[tuple[str, _Placeholder | None]] = []
        for literal, inner, form, conversion in parts:
            if inner is None:
                found.append((literal, None))
                continue
            if conversion:
                raise FieldError(f"no such placeholder: {shown('{' + inner + '!' + conversion + '}')}", "leave ! out")
            found.append((literal, _placeholder(inner, form or "", columns, parameters, present)))
        self._parts = tuple(found)
        self.names = tuple(
            dict.fromkeys(
                name
                for _, each in found
                if each is not None
                for name in ([column.name for column in each.columns] + [each.other] * bool(each.other) or [each.name])
            )
        )

    def fill(self, source: Source, quoted: Callable[[str], str] = str) -> str:
        """The text with every placeholder filled in, each `quoted`."""
        return "".join(literal if each is None else literal + quoted(each.fill(source)) for literal, each in self._parts)


def _placeholder(
    inner: str, text: str, columns: Mapping[str, Column], parameters: Collection[str], present: Collection[str]
) -> _Placeholder:
    if inner in parameters and inner not in columns:
        if text:
            raise FieldError(f"{inner} is a parameter, which is never absent", "leave the text after : out")
        return _Placeholder(inner)
    found = _Placeholder(inner, (columns[inner],), text) if inner in columns else _computed(inner, text, columns, parameters)
    if not text and not found.noun and not found.compared:
        _require_text(found, present)
    return found


def _computed(inner: str, text: str, columns: Mapping[str, Column], parameters: Collection[str]) -> _Placeholder:
    for pattern, kinds, noun in _FORMS:
        match = pattern.fullmatch(inner)
        if match is None:
            continue
        given = {name: value for name, value in match.groupdict().items() if value is not None}
        names = (
            given["joined"].split("+")
            if "joined" in given
            else [given["column"], *([given["last"]] if "last" in given else [])]
        )
        other = given.get("list", "")
        if other and other not in parameters:
            raise FieldError(f"no such parameter: {shown(other)}", nearest(other, list(parameters)))
        read = tuple(_column(name, columns, parameters) for name in names)
        for column in read:
            if Kind(column.type.value) not in kinds:
                raise FieldError(f"{shown('{' + inner + '}')}: {column.name} is not {noun}")
        return _Placeholder(
            inner,
            read,
            text,
            span=given.get("span", ""),
            entry=given.get("entry", "").lower(),
            noun=(given["one"], given["many"]) if "one" in given else None,
            compared=given.get("compared", ""),
            other=other,
            short="short" in given,
        )
    what = f"no such column or parameter: {shown('{' + inner + '}')}"
    raise FieldError(what, nearest(inner, [*columns, *parameters]))


def _instead(name: str, source: Source) -> str:
    """What stands for an absent value that has no text: the last part of the id for a name."""
    id_ = source.value("id") if name == NAME and source.known("id") else None
    return one_line(id_.rpartition("/")[2]) if isinstance(id_, str) else "not set"


def _column(name: str, columns: Mapping[str, Column], parameters: Collection[str]) -> Column:
    if name in parameters and name not in columns:
        raise FieldError(f"{name} is a parameter, not a column", "write {" + name + "}")
    if name not in columns:
        raise FieldError(f"no such column: {shown(name)}", nearest(name, list(columns)))
    return columns[name]


def _require_text(found: _Placeholder, present: Collection[str]) -> None:
    """A value that may be absent or empty needs a text, or a finding would print a hole."""
    place = shown("{" + found.name + "}")
    for column in found.columns:
        if column.name not in {*present, NAME} and (column.absent or column.only is not None):
            means = column.absent or "of another kind of row"
            remedy = "give a text for that, as in {last_used_on:never used}, or a message of its own in message_when"
            raise FieldError(f"{place}: {column.name} may be absent ({means})", remedy)
        if found.entry:
            raise FieldError(f"{place}: there may be no such entry", "give a text for that, as in {tags[owner]:nobody}")
        if Kind(column.type.value) in _LISTS:
            raise FieldError(f"{place}: {column.name} may be empty", "give a text for that, as in {allows:nothing}")


def _seconds(span: str, values: Sequence[Value], now: int) -> int:
    first, last = (int(values[0]), int(values[-1])) if all(isinstance(each, int) for each in values) else (0, 0)  # type: ignore[arg-type]
    match span:
        case "since":
            return max(now - first, 0)
        case "until":
            return max(first - now, 0)
        case _:
            return last - first


def _is_one(value: Value) -> bool:
    if isinstance(value, tuple):
        return value in ((1, 1), (1, None))
    return value == 1 if isinstance(value, int) else isinstance(value, Sequence) and len(value) == 1


def show(value: Value, kind: Kind) -> str:  # noqa: PLR0911 - one line a type
    """A value for people, on one line: times as dates, durations in days, absent and empty as "none"."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case int():
            return iso_date(value) if kind is Kind.TIME else duration_text(value) if kind is Kind.DURATION else str(value)
        case str():
            return one_line(value)
        case tuple() if kind is Kind.COUNT:
            return _bounds(value)
        case Mapping():
            return one_line(", ".join(f"{name}={text}" for name, text in sorted(value.items()))) or "none"
        case Sequence():
            return one_line(listed([str(item) for item in value])) or "none"


def _bounds(bounds: tuple[int, int | None]) -> str:
    least, most = bounds
    if most is None:
        return f"at least {least}"
    return str(least) if least == most else f"{least} to {most}"


QUOTING: dict[str, Callable[[str], str]] = {"cli": shell_quoted, "powershell": powershell_quoted, "text": str}
"""The kinds of fix, and how each quotes a value."""
