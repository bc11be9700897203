"""The result of a collection for people: how much was read, and everything that was not."""

from collections.abc import Sequence
from typing import TextIO

from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.relying_parties import Unread
from keyaudit.model.results.run import Run, Verdict
from keyaudit.model.tables import TABLES, filled
from keyaudit.model.tables.usage import UNUSUAL_USE
from keyaudit.model.values.shell import option
from keyaudit.model.values.text import one_line
from keyaudit.report.lines import plural, wrap
from keyaudit.report.missing import incomplete, unsafe
from keyaudit.report.summary import SIMULATED, copied

_WIDTH = 80
_LONGEST = 4_096
_FILES = 20
"""The maximum number of files that are named; others are counted."""


def render(run: Run, verdict: Verdict, folder: str, out: TextIO, *, hints: bool, unread: Sequence[Unread] = ()) -> None:
    """Write the counts, the gaps, and, as a hint, how to evaluate the snapshot.

    `unread`: supplied files of relying parties that could not be read.
    """
    lines = [SIMULATED] if run.simulated else []
    found = [(run.rows.get(name, 0), TABLES[name]) for name in filled(run.evidence) if name != UNUSUAL_USE.name]
    # "0 applications" is said only where all of them were to be listed, and were.
    missed = {operation for gap in verdict.gaps for operation in gap.operations}
    found = [
        (count, table) for count, table in found if count or not (run.filters.shown or missed.intersection(table.listed_by))
    ]
    counts = ", ".join(plural(count, table.noun, table.plural) for count, table in found) or "nothing"
    lines += wrap(f"Read from {one_line(run.tenant_name or run.tenant_id)}: {counts}.", _WIDTH)
    if run.filters.shown:
        lines += wrap(f"Not the whole tenant: {one_line('; '.join(run.filters.shown))}.", _WIDTH)
    lines += [line for fact in copied(run) for line in wrap(f"{fact.capitalize()}.", _WIDTH)]
    if not verdict.expected:
        lines += wrap(f"{RELATIVE.capitalize()}.", _WIDTH)
    for block in (incomplete(verdict, _WIDTH, colour=False), unsafe(verdict, _WIDTH, colour=False)):
        lines += ["", *block] if block else []
    if unread:
        lines += ["", f"Not read from the relying parties: {plural(len(unread), 'file')}."]
        lines += [line for each in unread[:_FILES] for line in wrap(unread_file(each), _WIDTH, "  ", "    ")]
        lines += [f"  and {plural(len(unread) - _FILES, 'more file')}"] * (len(unread) > _FILES)
    if hints:
        lines += ["", f"Next: keyaudit report {option('--from', one_line(folder, _LONGEST))}"]
    out.writelines(f"{line}\n" for line in lines)


def unread_file(each: Unread) -> str:
    """ "appsettings.json:3  not read: not JSON"."""
    place = each.file if each.line is None else f"{each.file}:{each.line}"
    return f"{one_line(place, 1_024)}: not read: {one_line(each.what)}"
