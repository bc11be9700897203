"""The report by the controls of a framework, in every format: for people, programs and spreadsheets."""

import csv as csv_format
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TextIO

from msgspec import Struct, structs

from keyaudit.model import times
from keyaudit.model.findings import PolicyText
from keyaudit.model.frameworks import Framework
from keyaudit.model.run import Report
from keyaudit.model.text import one_line
from keyaudit.report.cells import guarded, tenant_cell
from keyaudit.report.controls import Control, State, controls
from keyaudit.report.grid import grid
from keyaudit.report.lines import Paint, joined, pad, paint, plural, wrap
from keyaudit.report.members import SCHEMA, begun, document, exits
from keyaudit.report.options import Options
from keyaudit.report.settings import settings_member
from keyaudit.report.summary import footer, header

COLUMNS = (
    "schema_version", "run_id", "assessed_at", "tool_version", "tenant_id", "tenant_name", "framework", "edition", "control_id",
    "control_title", "result", "failed", "excused", "unknown", "passed", "not_applicable", "policies", "not_judged",
)  # fmt: skip
"""This order is stable; new columns are added at the end."""

_WIDTH = 80
_HEADERS = ("Result", "Control", "Title", "Failed", "Waived", "Unknown", "Passed", "N/A", "Policies")
_COLOURS = {State.FAIL: Paint.ALARM, State.UNKNOWN: Paint.DOUBT, State.NOT_JUDGED: Paint.DOUBT, State.PASS: Paint.FINE}
_WORD = 14


class View(Struct, frozen=True):
    """The grouping. `policies`: all policies, selected or not."""

    framework: Framework
    policies: Sequence[PolicyText]

    def controls(self, report: Report) -> tuple[Control, ...]:
        """The controls of a run."""
        return controls(self.framework, report, self.policies)


def render_text(report: Report, view: View, out: TextIO, options: Options) -> None:
    """One control after another, then the summary of the report."""
    width = max(options.width or _WIDTH, 40)
    found = view.controls(report)
    out.write(joined([*_begin(report, view, width, options.colour), ""]))
    out.writelines(joined(_lines(each, width, options.colour)) for each in found)
    out.write(joined(["", *wrap(_counted(found), width), "", *footer(report, width, options.colour)]))


def render_table(report: Report, view: View, out: TextIO, options: Options) -> None:
    """A line for each control."""
    width = options.width or _WIDTH
    found = view.controls(report)
    rows = (
        (
            each.state.words,
            one_line(each.id),
            one_line(each.title),
            *(f"{count:,}" for count in (each.failed, each.excused, each.unknown, each.passed, each.not_applicable)),
            ", ".join((*each.policies, *(f"{name} (not evaluated)" for name in each.not_judged))),
        )
        for each in found
    )
    out.write(joined([*_begin(report, view, width, colour=False), ""]))
    out.writelines(f"{line}\n" for line in grid(_HEADERS, rows, options.width))
    out.write(joined(["", *wrap(_counted(found), width), "", *footer(report, width, colour=False)]))


def render_json(report: Report, view: View, out: TextIO, _options: Options) -> None:
    """One JSON object with the verdict last."""
    framework = view.framework
    members = {
        **begun(report.run),
        "framework": {
            "key": framework.key,
            "title": framework.title,
            "edition": framework.edition,
            "source": framework.source,
            "closed": framework.closed,
            "profile": framework.profile or None,
        },
    }
    found = view.controls(report)
    last = {
        "counts": {state: sum(each.state is state for each in found) for state in State},
        "settings": settings_member(report.settings),
        "verdict": exits(report.verdict),
    }
    document(out, members, {"controls": (_member(each) for each in found)}, last)


def render_csv(report: Report, view: View, out: TextIO, *, heading: bool = True) -> None:
    """One line per control. `out` must not translate line ends."""
    writer = csv_format.DictWriter(out, COLUMNS, lineterminator="\r\n")
    if heading:
        writer.writeheader()
    run = report.run
    common = {
        "schema_version": SCHEMA,
        "run_id": guarded(run.run_id),
        "assessed_at": times.iso_time(run.as_of),
        "tool_version": run.tool_version,
        "tenant_id": guarded(run.tenant_id),
        "tenant_name": tenant_cell(run),
        "framework": guarded(view.framework.key),
        "edition": guarded(view.framework.edition or None),
    }
    for each in view.controls(report):
        counts = {name: getattr(each, name) for name in ("failed", "excused", "unknown", "passed", "not_applicable")}
        writer.writerow(
            {
                **common,
                **counts,
                "control_id": guarded(each.id),
                "control_title": guarded(each.title or None),
                "result": each.state,
                "policies": guarded("|".join(each.policies) or None),
                "not_judged": guarded("|".join(each.not_judged) or None),
            }
        )


FORMATS: Mapping[str, Callable[[Report, View, TextIO, Options], None]] = {
    "text": render_text,
    "table": render_table,
    "json": render_json,
    "csv": lambda report, view, out, _: render_csv(report, view, out),
}


def _member(control: Control) -> dict[str, object]:
    found = structs.asdict(control)
    found["result"] = found.pop("state")
    return {**found, "policies": list(control.policies), "not_judged": list(control.not_judged)}


def _begin(report: Report, view: View, width: int, colour: bool) -> list[str]:
    framework = view.framework
    name = one_line(f"{framework.title} {framework.edition}".strip())
    scope = (
        "only the controls about keys, credentials and their logging."
        if framework.closed
        else "controls that policies map to. This is not the whole edition; other controls were not checked."
    )
    texts = [f"{name} ({framework.key}): {scope}", *([f"Source: {framework.source}."] if framework.source else [])]
    if framework.profile and report.settings.profile != framework.profile:
        judged = f"Evaluated with profile {report.settings.profile}"
        texts.append(f"{judged}, whose limits are not those of this edition: its own are profile {framework.profile}.")
    return [*header(report.run, report.verdict, width, colour), "", *(line for text in texts for line in wrap(text, width))]


def _lines(control: Control, width: int, colour: bool) -> Iterator[str]:
    word = control.state.words.upper()
    indent = " " * (_WORD + 2)
    first, *more = wrap(one_line(f"{control.id}  {control.title}".strip()), width, f"{pad(word, _WORD)}  ", indent + "  ")
    shade = _COLOURS.get(control.state)
    yield (paint(word, shade, colour) + first[len(word) :]) if shade else first
    yield from more
    for text in _told(control):
        yield from wrap(text, width, indent + "  ", indent + "    ")


def _told(control: Control) -> Iterator[str]:
    counts = {
        "failed": control.failed,
        "excused": control.excused,
        "unknown": control.unknown,
        "passed": control.passed,
        "not applicable": control.not_applicable,
    }
    if control.policies:
        said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "nothing to judge"
        yield f"{said}: {', '.join(control.policies)}"
    if control.not_judged:
        yield f"not evaluated: {', '.join(control.not_judged)}"


def _counted(found: Sequence[Control]) -> str:
    counts = Counter(each.state for each in found)
    return f"{plural(len(found), 'control')}: {', '.join(f'{counts[state]:,} {state.words}' for state in State)}."
