"""What a collection came to, for people: how much was read, and everything that was not."""

from typing import TextIO

from keyaudit.model.run import Run, Verdict
from keyaudit.model.shell import option
from keyaudit.model.tables import TABLES, filled
from keyaudit.model.text import one_line
from keyaudit.report.lines import plural, wrap
from keyaudit.report.missing import incomplete, unsafe
from keyaudit.report.summary import SIMULATED

_WIDTH = 80
_LONGEST = 4_096


def render(run: Run, verdict: Verdict, folder: str, out: TextIO, *, hints: bool) -> None:
    """Write the counts, the gaps, and, as a hint, how to judge what was collected."""
    lines = [SIMULATED] if run.simulated else []
    found = [(run.rows.get(name, 0), TABLES[name]) for name in filled(run.evidence)]
    counts = ", ".join(plural(count, table.noun, table.plural) for count, table in found)
    lines += wrap(f"Read of {one_line(run.tenant_name or run.tenant_id)}: {counts}.", _WIDTH)
    if run.filters.shown:
        lines += wrap(f"Not the whole tenant: {one_line('; '.join(run.filters.shown))}.", _WIDTH)
    for block in (incomplete(verdict, _WIDTH, colour=False), unsafe(verdict, _WIDTH, colour=False)):
        lines += ["", *block] if block else []
    if hints:
        lines += ["", f"Next: keyaudit report {option('--from', one_line(folder, _LONGEST))}"]
    out.writelines(f"{line}\n" for line in lines)
