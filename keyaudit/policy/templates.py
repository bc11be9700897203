"""Messages and fixes: text with placeholders, filled in safely with a row's values."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from msgspec import Struct

from keyaudit.model.results.findings import Value
from keyaudit.model.values.shell import appended, powershell_quoted, shell_quoted
from keyaudit.model.values.text import listed, one_line
from keyaudit.model.values.times import DAY, duration_text, iso_date, iso_time, set_duration_text
from keyaudit.policy.conditions.types import Kind

NAME = "name"
"""The name column of every table; a row without a name is shown by the last part of its id."""
UNKNOWN = "unknown"
"""The text for an unknown value."""


_SHOWN = 4
"""The items of combined lists that are shown, if they are many."""
_CENTURY, _AGES = 36_525 * DAY, "more than 100 years"
"""For a date such as the last day of the calendar: a number of days says nothing."""


class Source(Protocol):
    """The values for a template."""

    @property
    def now(self) -> int:
        """The time of evaluation."""

    def parameter(self, name: str) -> str:
        """A parameter in words."""

    def setting(self, name: str) -> Collection[object]:
        """The items of a parameter that is a list."""

    def known(self, column: str) -> bool:
        """Whether the column has a value or is absent."""

    def value(self, column: str) -> Value:
        """The value of a known column; None: absent."""

    def items(self, column: str) -> Sequence[str]:
        """The items that a list certainly has."""


class Placeholder(Struct, frozen=True):
    """One placeholder. `columns` is empty for a parameter; `text` replaces an absent or empty value."""

    name: str
    columns: tuple[str, ...] = ()
    kind: Kind = Kind.TEXT
    """The kind of its columns."""
    text: str = ""
    span: str = ""
    entry: str = ""
    noun: tuple[str, str] | None = None
    compared: str = ""
    """`missing` or `without`: how the list is compared with the parameter `other`."""
    other: str = ""
    short: bool = False
    segment: str = ""
    """The segment of a resource id, in lower case, before the part that is shown."""
    option: str = ""
    """An option of a command, which is left out with an absent value."""

    def argued(self, command: str, source: Source, quoted: Callable[[str], str]) -> str:
        """`command` with the option and its value after it, each word `quoted`.

        A value that could not be read stands as its column's name in capitals, for the reader to fill in.
        """
        if not source.known(self.columns[0]):
            return f"{command}{self.option} {self.columns[0].upper()}"
        words = self._words(source.value(self.columns[0]))
        if not words:
            return command.rstrip(" ")
        first, *more = (quoted(word) for word in words)
        return " ".join((appended(f"{command}{self.option} ", first), *more))

    def _words(self, value: Value) -> list[str]:
        match value:
            case None:
                return []
            case int() if self.kind is Kind.TIME:
                return [iso_time(value)]
            case Mapping():
                return [one_line(f"{name}={text}") for name, text in sorted(value.items())]
            case list():
                return [one_line(str(item)) for item in value]
            case _:
                return [one_line(str(value))]

    def fill(self, source: Source, limits: Collection[str] = ()) -> str:
        """Its text for a row; `limits` are the texts of the limits in the same sentence."""
        if not self.columns:
            return source.parameter(self.name)
        if len(self.columns) > 1 and not self.span:
            return self._joined(source)
        for column in self.columns:
            if not source.known(column):
                return self.noun[1] if self.noun else self._unread(source)
        values = [source.value(column) for column in self.columns]
        if None in values:
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
        return self._shown(values, source.now, limits)

    def _unread(self, source: Source) -> str:
        """In place of an unknown value: what is known of a list; for a name the text, if it stands for what has the name, as
        "the domain" does.
        """
        if self.kind is Kind.TEXTS and not self.compared:
            return self._joined(source)
        stands = self.name.endswith("_name") and self.text.startswith(("a ", "an ", "the "))
        return self.text if stands else UNKNOWN

    def _joined(self, source: Source) -> str:
        """The combined items of the lists, each once, those of the first list first; of many the first ones, and how many more.
        It says if one of the lists may have more. An absent list counts as empty.
        """
        items = [*dict.fromkeys(item for column in self.columns for item in source.items(column))]
        unread = not all(map(source.known, self.columns))
        if not items:
            return UNKNOWN if unread else self.text
        if len(items) > _SHOWN + 1:
            items = [*items[:_SHOWN], f"{len(items) - _SHOWN} more"]
        return one_line(listed([*items, *(["others that were not read"] if unread else [])]))

    def _shown(self, values: Sequence[Value], now: int, limits: Collection[str]) -> str:
        value = values[0]
        if self.segment:
            return one_line(_after(str(value), self.segment)) or self.text
        if self.short:
            return one_line(str(value).rstrip("/").rpartition("/")[2])
        if self.span:
            seconds = _seconds(self.span, values, now)
            return _AGES if seconds >= _CENTURY else duration_text(seconds, limits)
        if self.noun:
            return self.noun[0] if _is_one(value) else self.noun[1]
        if self.entry:
            return one_line(value[self.entry]) if isinstance(value, Mapping) and self.entry in value else self.text
        return self.text if self.text and value in ([], {}) else show(value, self.kind)

    def times(self, source: Source) -> Mapping[str, int]:
        """The times that it names, by column."""
        return dict(zip(self.columns, self._numbers(source), strict=False)) if self.kind is Kind.TIME else {}

    def seconds(self, source: Source) -> int | None:
        """The duration that it names; None: none."""
        if not (values := self._numbers(source)):
            return None
        return _seconds(self.span, values, source.now) if self.span else values[0] if self.kind is Kind.DURATION else None

    def _numbers(self, source: Source) -> Sequence[int]:
        """The values of its columns, if it is about times or a duration and all of them are there."""
        if (
            not self.columns
            or self.option
            or self.kind not in (Kind.TIME, Kind.DURATION)
            or not all(map(source.known, self.columns))
        ):
            return ()
        values = [value for value in map(source.value, self.columns) if isinstance(value, int)]
        return values if len(values) == len(self.columns) else ()

    @property
    def is_limit(self) -> bool:
        """Whether a measured duration may be compared with it: a parameter, or a duration that somebody set."""
        return not self.columns or (self.kind is Kind.DURATION and len(self.columns) == 1)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns and parameters that it uses."""
        return (*self.columns, *([self.other] if self.other else [])) or (self.name,)


class Template(Struct, frozen=True, dict=True):
    """Text with placeholders, parsed by `policy.placeholders`."""

    text: str
    parts: tuple[tuple[str, Placeholder | None], ...]
    """The text before each placeholder, with the placeholder; None for the text after the last one."""

    @property
    def readable(self) -> str:
        """The text for people: placeholders as they are written, and braces once."""
        return self.text.replace("{{", "{").replace("}}", "}")

    @property
    def names(self) -> tuple[str, ...]:
        """The columns and parameters that it uses, each once, in order."""
        return tuple(dict.fromkeys(name for each in self._placeholders for name in each.names))

    @cached_property
    def _placeholders(self) -> tuple[Placeholder, ...]:
        return tuple(each for _, each in self.parts if each is not None)

    @cached_property
    def _spans(self) -> dict[int, tuple[int, ...]]:
        """The numbers of the placeholders that measure a duration, with those of the limits that it may be compared with."""
        limits = tuple(number for number, each in enumerate(self._placeholders) if each.is_limit)
        return {number: limits for number, each in enumerate(self._placeholders) if each.span}

    def fill(self, source: Source, quoted: Callable[[str], str] = str) -> str:
        """The text with every placeholder filled in, each `quoted`."""
        # A measured duration is compared with the limits beside it, so it comes last.
        texts = ["" if each.span or each.option else each.fill(source) for each in self._placeholders]
        for number, limits in self._spans.items():
            texts[number] = self._placeholders[number].fill(source, [texts[limit] for limit in limits])
        filled, left = "", iter(texts)
        for literal, each in self.parts:
            filled += literal
            if each is not None:
                text = next(left)
                filled = each.argued(filled, source, quoted) if each.option else appended(filled, quoted(text))
        return filled

    def times(self, source: Source) -> Mapping[str, int]:
        """The times that the text names, by column."""
        return {column: value for each in self._placeholders for column, value in each.times(source).items()}

    def durations(self, source: Source) -> Mapping[str, int]:
        """The durations that the text names, in seconds, by placeholder as it is written."""
        return {each.name: seconds for each in self._placeholders if (seconds := each.seconds(source)) is not None}


def joined(said: Iterable[tuple[str, Template]]) -> Template:
    """One text of several, in order, each after its beginning."""
    parts: list[tuple[str, Placeholder | None]] = []
    texts = []
    for begin, template in said:
        texts.append(f"{begin}{template.text}")
        parts += [(f" {begin}" if parts else begin, None), *template.parts]
    return Template(" ".join(texts), tuple(parts))


def _instead(name: str, source: Source) -> str:
    """The replacement of an absent value without a text: for a name, the last part of the id."""
    id_ = source.value("id") if name == NAME and source.known("id") else None
    return one_line(id_.rpartition("/")[2]) if isinstance(id_, str) else "not set"


def _seconds(span: str, values: Sequence[Value], now: int) -> int:
    first, last = values[0], values[-1]
    if not isinstance(first, int) or not isinstance(last, int):
        raise TypeError(f"{span}() takes times")
    match span:
        case "since":
            return max(now - first, 0)
        case "until":
            return max(first - now, 0)
        case _:
            return last - first


def _after(id_: str, segment: str) -> str:
    """The part of a resource id after this segment, in any case; empty if there is none."""
    parts = id_.split("/")
    names = [part.lower() for part in parts[:-1]]
    return parts[names.index(segment) + 1] if segment in names else ""


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
            return iso_date(value) if kind is Kind.TIME else set_duration_text(value) if kind is Kind.DURATION else str(value)
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
"""The kinds of fix, and how each quotes a value. The other parts of a step are words, as a text is."""


def filled(templates: Mapping[str, Template], source: Source) -> dict[str, str]:
    """The parts of a fix with a row's values, by kind or part of a step."""
    return {part: template.fill(source, QUOTING.get(part, str)) for part, template in templates.items()}
