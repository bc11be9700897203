"""`keyaudit doctor config`: which settings are in force, and where each comes from."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit.cli.options import Choice, Live, flags
from keyaudit.cli.terminal.streams import printing
from keyaudit.model.errors import Exit

if TYPE_CHECKING:
    from keyaudit.cli.doctor.effective import EffectiveSetting


class As(StrEnum):
    """Formats of settings."""

    TEXT = "text"
    JSON = "json"


@flags(Live, Choice)
def config(
    live: Live,
    choice: Choice,
    *,
    output: Annotated[As, typer.Option("--output", "-o", help="Format on stdout.")] = As.TEXT,
) -> int:
    """Show each setting in force, and where it comes from.

    They are those of a run with the same flags. Nothing is read from a tenant.
    """
    from keyaudit.cli.doctor.effective import in_force
    from keyaudit.cli.output import options
    from keyaudit.report.members import SCHEMA, inert
    from keyaudit.report.tabular.grid import grid

    found = in_force(live, choice)
    with printing() as out:
        if output is As.JSON:
            document = {"schema": SCHEMA, "settings": [_member(each) for each in found]}
            out.write(inert(document) + "\n")
        else:
            rows = [_row(each) for each in found]
            out.writelines(f"{line}\n" for line in grid(("Setting", "Value", "From"), rows, options(out).width))
    return Exit.CLEAN


def _row(setting: "EffectiveSetting") -> tuple[str, str, str]:
    from keyaudit.model.values.text import one_line

    value = setting.value
    shown = setting.unset if value is None else ", ".join(value) if isinstance(value, list | tuple) else str(value)
    return one_line(setting.name), one_line(shown, 1_000), one_line(setting.place or setting.origin)


def _member(setting: "EffectiveSetting") -> dict[str, object]:
    return {"name": setting.name, "value": setting.value, "origin": setting.origin, "place": setting.place or None}
