"""The report by the controls of a framework, in every format: for people, programs and spreadsheets."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from msgspec import Struct

from keyaudit.model.frameworks import Framework
from keyaudit.model.frameworks.framework import ids
from keyaudit.model.results.run import Report
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.controls import Control, State, controls, mapped_frameworks
from keyaudit.report.findings import table
from keyaudit.report.findings.arrange import chosen
from keyaudit.report.findings.text import listing
from keyaudit.report.frameworks.control_findings import COLUMNS as FINDING_COLUMNS
from keyaudit.report.frameworks.control_findings import answering, records_of
from keyaudit.report.json import control_finding_member, control_member
from keyaudit.report.lines import Paint, joined, pad, paint, plural, wrap
from keyaudit.report.members import SCHEMA, begun, document, exits
from keyaudit.report.options import Options
from keyaudit.report.settings import settings_member
from keyaudit.report.summary import footer, header
from keyaudit.report.tabular import csv
from keyaudit.report.tabular.cells import marked
from keyaudit.report.tabular.grid import grid
from keyaudit.report.tabular.records import Record

COLUMNS = (
    "schema_version", "run_id", "assessed_at", "tool_version", "tenant_id", "tenant_name", "framework", "edition", "control_id",
    "control_title", "result", "failed", "excused", "unknown", "passed", "not_applicable", "policies", "not_judged", "profile",
)  # fmt: skip
"""This order is stable; new columns are added at the end."""
COUNTS = ("failed", "excused", "unknown", "passed", "not_applicable")

_WIDTH = 80
_HEADERS = ("Result", "Control", "Title", "Failed", "Waived", "Unknown", "Passed", "N/A", "Policies")
_COLOURS = {State.FAIL: Paint.ALARM, State.UNKNOWN: Paint.DOUBT, State.NOT_JUDGED: Paint.DOUBT, State.PASS: Paint.FINE}
_WORD = 14


class View(Struct, frozen=True):
    """The controls of a framework.

    `ids`: only these; empty: all. `listed`: with their findings.
    """

    framework: Framework
    ids: tuple[str, ...] = ()
    listed: bool = False

    def controls(self, report: Report) -> tuple[Control, ...]:
        """The controls of a run."""
        found = controls(self.framework, report)
        return tuple(each for each in found if each.id in self.ids) if self.ids else found

    def findings(self, report: Report, options: Options) -> Report:
        """The report with only the findings of these controls, restricted as requested."""
        found = answering(report, self.framework, frozenset(each.id for each in self.controls(report)))
        return chosen(found, options.least, options.top)


def render_text(report: Report, view: View, out: TextIO, options: Options) -> None:
    """One control after another, the findings if requested, then the summary of the report."""
    width = max(options.width or _WIDTH, 40)
    found = view.controls(report)
    out.write(joined([*_begin(report, view, width, options.colour), ""]))
    out.writelines(joined(_lines(each, width, options.colour)) for each in found)
    out.write(joined(["", *wrap(_counted(found), width), ""]))
    if view.listed:
        listing(view.findings(report, options), out, options)
    out.write(joined([*_of_run(report, view, width), *footer(report, width, options.colour)]))


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
    out.write(joined(["", *wrap(_counted(found), width), ""]))
    if view.listed:
        table.listing(view.findings(report, options), out, options)
    out.write(joined([*_of_run(report, view, width), *footer(report, width, colour=False)]))


def render_json(report: Report, view: View, out: TextIO, options: Options) -> None:
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
            "outside": [{"controls": list(ids(listed)), "why": why} for why, listed in framework.outside.items()],
            "profile": framework.profile or None,
        },
    }
    found = view.controls(report)
    last = {
        "counts": {state: sum(each.state is state for each in found) for state in State},
        "settings": settings_member(report.settings),
        "verdict": exits(report.verdict),
    }
    lists: dict[str, Iterable[object]] = {"controls": map(control_member, found)}
    if view.listed:
        profile = framework.profile_in(report.settings.profile)
        owned = view.findings(report, options).owned(options.passes)
        lists["findings"] = (control_finding_member(owner, finding, profile) for owner, finding in owned)
    document(out, members, lists, last)


def render_csv(report: Report, view: View, out: TextIO, options: Options) -> None:
    """One line per control or, if they are listed, per finding. `out` must not translate line ends."""
    if view.listed:
        found = records_of(view.findings(report, options), view.framework, passes=options.passes)
        csv.write(found, FINDING_COLUMNS, out, heading=options.heading)
    else:
        csv.write(control_records(report, view.framework, view.controls(report)), COLUMNS, out, heading=options.heading)


def control_records(report: Report, framework: Framework, found: Sequence[Control]) -> Iterator[Record]:
    """The controls as records; an absent value has no entry."""
    run = report.run
    common = {
        "schema_version": SCHEMA,
        "run_id": run.run_id,
        "assessed_at": times.iso_time(run.as_of),
        "tool_version": run.tool_version,
        "tenant_id": run.tenant_id,
        "tenant_name": marked(run),
        "framework": framework.key,
        "edition": framework.edition,
    }
    for each in found:
        record = {
            **common,
            **{name: str(getattr(each, name)) for name in COUNTS},
            "control_id": each.id,
            "control_title": each.title,
            "result": each.state,
            "policies": "|".join(each.policies),
            "not_judged": "|".join(each.not_judged),
            "profile": each.profile,
        }
        yield {name: text for name, text in record.items() if text}


def every_control(report: Report) -> Iterator[Record]:
    """The controls of every framework that a selected policy maps to, as records."""
    for framework in mapped_frameworks(report):
        yield from control_records(report, framework, controls(framework, report))


FORMATS: Mapping[str, Callable[[Report, View, TextIO, Options], None]] = {
    "text": render_text,
    "table": render_table,
    "json": render_json,
    "csv": render_csv,
}


def _begin(report: Report, view: View, width: int, colour: bool) -> list[str]:
    framework = view.framework
    name = one_line(f"{framework.title} {framework.edition}".strip())
    number = len(framework.controls)
    if framework.outside:
        total = number + sum(1 for listed in framework.outside.values() for _ in ids(listed))
        scope = (
            f"only controls for keys, credentials and their logging, {number} of {total}; -o json lists the others with"
            " the reasons."
        )
    elif framework.closed:
        scope = "controls about keys, credentials and their logging. The edition may have others, which were not checked."
    else:
        scope = "controls that policies map to. The edition has other controls, which were not checked."
    texts = [f"{name} ({framework.key}): {scope}", *([f"Source: {framework.source}."] if framework.source else [])]
    used = report.settings.profile
    texts.append(
        f"Evaluated with the limits of this framework: profile {framework.profile}."
        if framework.profile
        else f"It has no limits of its own; evaluated with the limits of the run: profile {used}."
    )
    return [*header(report.run, report.verdict, width, colour), "", *(line for text in texts for line in wrap(text, width))]


def _of_run(report: Report, view: View, width: int) -> list[str]:
    """The heading of the summary of the run, if it has other limits than the framework."""
    run = report.settings.profile
    if view.framework.profile_in(run) == run:
        return []
    return [*wrap(f"The whole run, evaluated with profile {run}:", width), ""]


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
        "waived": control.excused,
        "unknown": control.unknown,
        "passed": control.passed,
        "not applicable": control.not_applicable,
    }
    if control.policies:
        said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "nothing to evaluate"
        yield f"{said}: {', '.join(control.policies)}"
    if control.not_judged:
        yield f"not evaluated: {', '.join(control.not_judged)}"


def _counted(found: Sequence[Control]) -> str:
    counts = Counter(each.state for each in found)
    return f"{plural(len(found), 'control')}: {', '.join(f'{counts[state]:,} {state.words}' for state in State)}."
