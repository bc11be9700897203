"""Messages and fixes: text with `{columns}` and `{parameters}`, filled in with what a row holds, safely."""

from collections.abc import Callable, Collection, Mapping, Sequence
from string import Formatter

from msgspec import Struct

from keyaudit.model.findings import Value
from keyaudit.model.shell import appended, powershell_quoted, shell_quoted
from keyaudit.model.text import one_line
from keyaudit.model.times import duration_text, iso_date
from keyaudit.policy.problems import FieldError, nearest, shown
from keyaudit.policy.types import Kind

MAX_LENGTH = 2_000


class Template(Struct, frozen=True):
    """Text with placeholders. `names` are those it uses, each once, in order."""

    text: str
    parts: tuple[tuple[str, str | None], ...]
    """What stands before each placeholder, with its name; None after the last one."""
    names: tuple[str, ...]

    @classmethod
    def of(cls, text: str, known: Collection[str]) -> "Template":
        """Raises FieldError where a placeholder is neither a column nor a parameter. `{{` and `}}` are braces."""
        if len(text) > MAX_LENGTH:
            raise FieldError(f"a text of more than {MAX_LENGTH:,} characters, to be filled in for every finding", "shorten it")
        try:
            parts = list(Formatter().parse(text))
        except ValueError as error:
            raise FieldError(f"not a template: {error}", "write {{ and }} for braces") from None
        for _, name, form, conversion in parts:
            if name is None:
                continue
            if form or conversion or name not in known:
                raise FieldError(f"no such column or parameter: {shown('{' + name + '}')}", nearest(name, known))
        names = dict.fromkeys(name for _, name, _, _ in parts if name is not None)
        return cls(text, tuple((literal, name) for literal, name, _, _ in parts), tuple(names))

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with a value for each of `names`."""
        filled = ""
        for literal, name in self.parts:
            filled += literal
            if name is not None:
                filled = appended(filled, values[name])
        return filled


def show(value: Value, kind: Kind) -> str:  # noqa: PLR0911 - one line a type
    """A value for people, on one line: times as dates, durations in days, absent as "none"."""
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
            return one_line(", ".join(str(item) for item in value)) or "none"


def _bounds(bounds: tuple[int, int | None]) -> str:
    least, most = bounds
    if most is None:
        return f"at least {least}"
    return str(least) if least == most else f"{least} to {most}"


QUOTING: dict[str, Callable[[str], str]] = {"cli": shell_quoted, "powershell": powershell_quoted, "text": str}
"""The kinds of fix, and how each quotes a value."""
