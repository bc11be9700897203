"""Display options, and the signature of all renderers."""

from collections.abc import Callable
from typing import TextIO, TypeVar

from msgspec import Struct

from keyaudit.model.severity import Severity

T = TypeVar("T")

PAGE = 80
"""The width of text without a terminal."""
_NARROWEST = 40


class Options(Struct, frozen=True, kw_only=True):
    """Display options. `width` is the terminal's; None without a terminal."""

    passes: bool = False
    width: int | None = None
    colour: bool = False
    bom: bool = False
    """Begin CSV with a byte order mark."""
    heading: bool = True
    """Whether CSV has column names."""
    hints: bool = True
    """Whether to print next commands."""
    sources: tuple[str, ...] = ()
    """The flags that selected each tenant, for next commands: `--demo`, or `--from DIR`."""
    part: str = ""
    """The flags that chose a part of the tenant, for next commands that take them."""
    choice: str = ""
    """The flags that selected policies, limits and waivers, for next commands that evaluate."""
    group: str = "resource"
    """For text: the grouping, or none."""
    sort: str = "severity"
    columns: tuple[str, ...] = ()
    """For a table: the columns, if not the default ones."""
    full: bool = True
    """For text: every finding instead of the first screen."""
    fixes: bool = False
    """For text by resource: how each finding is fixed."""
    least: Severity = Severity.INFO
    """The lowest listed severity."""
    top: int | None = None
    """The maximum number of listed findings."""

    @property
    def page(self) -> int:
        """The width of text for people."""
        return max(self.width or PAGE, _NARROWEST)


Render = Callable[[T, TextIO, Options], None]
"""Writes a result in one format."""


def plain(render: Callable[[T, TextIO], None]) -> Render[T]:
    """The format for programs, which no display option changes."""
    return lambda found, out, _: render(found, out)
