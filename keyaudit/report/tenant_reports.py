"""Several tenants in one report: one report after the other, and the combined verdict at the end."""

from collections.abc import Sequence
from typing import TextIO

from msgspec.structs import replace

from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.results.run import Report, conditions
from keyaudit.model.values.text import one_line
from keyaudit.report.formats import FORMATS
from keyaudit.report.gate import passed, render_gate
from keyaudit.report.lines import plural
from keyaudit.report.members import SCHEMA, exit_member, inert
from keyaudit.report.options import Options
from keyaudit.report.tabular import csv
from keyaudit.report.tenants import lines, matrix_members, worst_members


def render(name: str, reports: Sequence[Report], out: TextIO, options: Options) -> None:
    """Write the reports in the format of that name; `gate` is the gate's summary."""
    match name:
        case "json":
            _json(reports, out, options)
        case "csv":
            for number, report in enumerate(reports):
                csv.render(report, out, heading=number == 0, mark=options.bom and number == 0)
        case _:
            for number, report in enumerate(reports):
                out.write(f"=== tenant {_name(report)}\n")
                if name == "gate":
                    render_gate(report, out)
                else:
                    # Next commands take one tenant.
                    FORMATS[name](report, out, replace(options, sources=options.sources[number : number + 1]))
                out.write("\n")
            if name != "gate":
                out.writelines(f"{line}\n" for line in (*lines(reports, options.page), ""))
            out.writelines(f"{line}\n" for line in together(reports))


def _json(reports: Sequence[Report], out: TextIO, options: Options) -> None:
    """One object: a run for each tenant, then all of them side by side, and the combined verdict last."""
    out.write(f'{{\n"schema": {inert(SCHEMA)},\n"runs": [\n')
    for number, report in enumerate(reports):
        out.write(",\n" if number else "")
        FORMATS["json"](report, out, options)
    out.write(f'],\n"matrix": {inert(matrix_members(reports))},\n"worst": {inert(worst_members(reports))}')
    out.write(f',\n"verdict": {inert(verdict_of_all(reports))}\n}}\n')


def verdict_of_all(reports: Sequence[Report]) -> dict[str, object]:
    """The combined verdict for programs."""
    held = conditions(reports)
    verdicts = [report.verdict for report in reports]
    return {
        **exit_member(held[0], *verdicts),
        "conditions": [exit_member(code, *verdicts) for code in held],
        "complete": all(report.verdict.complete for report in reports),
    }


def together(reports: Sequence[Report]) -> list[str]:
    """The combined verdict for people."""
    held = conditions(reports)
    each = (f"  {_name(report)}: exit {report.verdict.exit:d}" for report in reports)
    meaning = passed(reports[0].verdict) if held[0] is Exit.CLEAN else MEANINGS[held[0]]
    first = f"=== {plural(len(reports), 'tenant')}, exit {held[0]:d}: {meaning}"
    return [first, *(f"    also {code:d}: {MEANINGS[code]}" for code in held[1:]), *each]


def _name(report: Report) -> str:
    run = report.run
    return one_line(f"{run.tenant_name} ({run.tenant_id})" if run.tenant_name else run.tenant_id)
