"""`keyaudit doctor`: what can be read of a tenant, and what is missing for the rest; settings in force; rights to grant."""

import secrets
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

from keyaudit.cli.doctor.configuration import config
from keyaudit.cli.doctor.rights import permissions
from keyaudit.cli.options import Live, Selection, Stored, flags
from keyaudit.cli.parameters import Command, Leading
from keyaudit.cli.terminal.streams import tell
from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import one_line

if TYPE_CHECKING:
    from keyaudit.collect.shapes import Recorder
    from keyaudit.model.results.run import Run

app = typer.Typer(cls=Leading, help="Show what can be read, what cannot, and what grants it.", rich_markup_mode=None)
app.command("config", cls=Command)(config)
app.command("permissions", cls=Command)(permissions)


class As(StrEnum):
    """Formats of an examination."""

    TEXT = "text"
    JSON = "json"


@app.command("doctor", cls=Command)
@flags(Live, Stored, Selection)
def doctor(
    live: Live,
    stored: Stored,
    selection: Selection,
    *,
    output: Annotated[As, typer.Option("--output", "-o", help="Format on stdout.")] = As.TEXT,
    shapes: Annotated[
        Path | None,
        typer.Option(
            "--shapes",
            metavar="FILE",
            help="Also write a new file with the shapes of Azure's responses: counts, types and lengths, without values, "
            "names or ids.",
        ),
    ] = None,
) -> int:
    """Show what can be read, what cannot, and what grants it.

    Lists the reason for each gap, the policies it affects, and the number of findings without an owner. It reads what a report
    would read and keeps nothing; with --from it explains the gaps of a snapshot. You can send the file of --shapes to
    the authors, so that keyaudit learns unrecorded responses; stderr shows its content before it is written.

    keyaudit doctor config shows the settings in force; keyaudit doctor permissions prints the least rights needed.
    """
    from keyaudit.cli.output import show
    from keyaudit.cli.settings.policy_selection import chosen, needed_by
    from keyaudit.cli.sources.judged import without_owner
    from keyaudit.cli.sources.source import snapshot, unmet
    from keyaudit.gate import assess
    from keyaudit.gate.access_models import with_access_models
    from keyaudit.inventory.reader import Connection
    from keyaudit.inventory.reads import operations
    from keyaudit.policy.evaluation.judge import not_judged
    from keyaudit.policy.evidence import supplied
    from keyaudit.policy.load import load
    from keyaudit.questions.doctor import FORMATS
    from keyaudit.questions.doctor.examine import examine

    recorder = _recorder(shapes, stored) if shapes is not None else None
    policies = chosen(load(besides=selection.policies), selection)
    some = selection.select or selection.ignore
    with snapshot(live, stored, observe=recorder) as (taken, as_of):
        if shapes is not None and recorder is not None:
            _write_shapes(shapes, recorder, taken.run)
        with taken.judging(as_of, reach_known=False, names=("vault",)) as connection:
            lacking = not_judged(policies, supplied(taken.run, policies, (), Connection(connection)))
        without = {each.policy.id for each in lacking}
        judged = [policy for policy in policies if policy.text.id not in without]
        needs = needed_by(judged)
        required = frozenset(needs) if some else operations().union(needs)
        run = structs.replace(taken.run, as_of=as_of)
        verdict = assess(run, taken.coverage, required, needed_by=needs, unmet=unmet(taken, live))
        verdict = structs.replace(verdict, not_judged=lacking)
        verdict = with_access_models(verdict, taken)
        with_none = without_owner(live, stored, selection, (taken, as_of))
        found = examine(run, verdict, required, [policy.text.id for policy in judged], needs, unowned=with_none)
        return show(FORMATS[output], found, verdict)


def _recorder(path: Path, stored: Stored) -> "Recorder":
    """A recorder for the file of --shapes, which must not exist yet."""
    from keyaudit.collect.shapes import Recorder

    if stored.from_:
        raise UsageError("--shapes", "a snapshot contains rows, not Azure's responses", "leave --from out")
    _check_new(path)
    return Recorder(secrets.token_bytes(32))


def _check_new(path: Path) -> None:
    from keyaudit.report.files import check

    check(path)
    if path.exists():
        raise UsageError(str(path), "already exists, and is not overwritten", "name a file that does not exist yet")


def _write_shapes(path: Path, recorder: "Recorder", run: "Run") -> None:
    from keyaudit.questions.doctor.shapes import screen, write
    from keyaudit.report.files import output_file

    found = recorder.shapes(simulated=run.simulated)
    tell(screen(found, one_line(str(path))))
    _check_new(path)
    with output_file(path) as out:
        write(found, out)
    tell(f"{path}: written")
