"""`keyaudit report --framework`: the report by the controls of a framework."""

import re
from collections.abc import Sequence
from typing import TextIO

from msgspec.structs import replace

from keyaudit.audit import Detail
from keyaudit.cli.options import Choice, Format, Live, Redaction, Shown, Stored
from keyaudit.cli.output import Outputs, Target, options, shown_outputs, write
from keyaudit.cli.sources.judged import all_judged
from keyaudit.cli.terminal.streams import printing
from keyaudit.model.documents.problems import nearest, shown
from keyaudit.model.errors import PRECEDENCE, Exit, OutputError, UsageError
from keyaudit.model.frameworks import FRAMEWORKS, Framework
from keyaudit.model.results.run import Report, conditions
from keyaudit.model.severity import Severity
from keyaudit.policy.load import Policy, load
from keyaudit.report.files import as_text, output_bytes
from keyaudit.report.frameworks.by_control import FORMATS, View
from keyaudit.report.members import SCHEMA, inert
from keyaudit.report.options import Options
from keyaudit.report.resource import SHOWN
from keyaudit.report.tenant_reports import together, verdict_of_all


def report_by(
    name: str,
    live: Live,
    stored: Stored,
    choice: Choice,
    shown_: Shown,
    *,
    ids: Sequence[str],
    full: bool,
    severity: Severity | None,
    top: int | None,
) -> int:
    """Print the result of each control, or of those with these `ids`, by the limits of the framework; `full`: with findings.

    `severity` and `top` restrict the findings. The files of --export are written as well: CSV and JSON as printed, every other
    format about the whole run.
    """
    listed = full or shown_.passes or severity is not None or top is not None
    by = _view(name, ids, load(besides=choice.policies), listed=listed)
    if choice.profile and by.framework.profile not in ("", choice.profile):
        what = f"{by.framework.key} is evaluated with its own limits, profile {by.framework.profile}"
        raise UsageError("--framework, --profile", what, "leave --profile out")
    to = shown_outputs(shown_, Redaction())
    how = Options(passes=shown_.passes, least=severity or Severity.INFO, top=top)
    with all_judged(live, stored, choice, detail=_needed(to, by)) as reports:
        failure = _write(reports, to.files, by, how)
        with printing() as out:
            printed = options(out)
            _render(reports, shown_.output or Format.TEXT, by, out, replace(how, width=printed.width, colour=printed.colour))
        if failure:
            raise failure
        return _exit(reports, by)


def _needed(to: Outputs, by: View) -> Detail:
    if not by.listed and not to.files:
        return Detail(whole_rows=False, shown=SHOWN, explained=False)
    return to.detail(lines=True)


def _view(name: str, ids: Sequence[str], policies: Sequence[Policy], *, listed: bool) -> View:
    """A declared framework, or one that only the organisation's own policies refer to."""
    mapped = {key: controls for policy in policies for key, controls in policy.text.frameworks.items()}
    key = name.lower()
    framework = FRAMEWORKS.get(key)
    if framework is None:
        if key not in mapped:
            known = (*FRAMEWORKS, *mapped)
            what = f"no such framework: {shown(name)}"
            raise UsageError("--framework", what, nearest(name, known) or f"one of {', '.join(known)}")
        framework = Framework(key=key, title=key, edition="", source="", controls={}, form=re.compile(".+"))
    return View(framework, tuple(_control(each, framework, policies) for each in ids), listed)


def _control(name: str, framework: Framework, policies: Sequence[Policy]) -> str:
    """The id of a control of the framework, in its own spelling. Raises UsageError if it has none of that name."""
    spelled = {id_.lower(): id_ for id_ in _controls(framework.key, policies)}
    if name.lower() in spelled:
        return spelled[name.lower()]
    others = [key for key in FRAMEWORKS if name.lower() in map(str.lower, _controls(key, policies))]
    what = f"{framework.key} has no control {shown(name)}"
    if others:
        raise UsageError("--control", what, f"it is a control of {' and '.join(others)}")
    near = nearest(name, [*spelled.values()])
    raise UsageError("--control", what, near or f"keyaudit report --framework {framework.key} lists its controls")


def _controls(key: str, policies: Sequence[Policy]) -> dict[str, None]:
    """The controls of a framework: the declared ones, and those that policies map to."""
    declared = FRAMEWORKS[key].controls if key in FRAMEWORKS else {}
    return dict.fromkeys((*declared, *(id_ for policy in policies for id_ in policy.text.frameworks.get(key, ()))))


def _write(reports: Sequence[Report], files: Sequence[Target], by: View, how: Options) -> OutputError | None:
    failure = write(reports, [target for target in files if target.format not in FORMATS], Options(passes=how.passes))
    for target in files:
        if target.format in FORMATS:
            try:
                with output_bytes(target.path) as out, as_text(out) as text:
                    _render(reports, Format(target.format), by, text, how)
            except OutputError as error:
                failure = failure or error
    return failure


def _exit(reports: Sequence[Report], by: View) -> Exit:
    """The exit code of the run, and incomplete if a result by the limits of the framework is unknown."""
    held = set(conditions(reports))
    if not all(report.under(by.framework.profile_in(report.settings.profile)).complete for report in reports):
        held.add(Exit.INCOMPLETE)
    return next(code for code in PRECEDENCE if code in held)


def _render(reports: Sequence[Report], form: Format, by: View, out: TextIO, how: Options) -> None:
    if len(reports) == 1:
        FORMATS[form](reports[0], by, out, how)
    elif form is Format.CSV:
        for number, report in enumerate(reports):
            FORMATS[form](report, by, out, replace(how, heading=number == 0))
    elif form is Format.JSON:
        out.write(f'{{\n"schema": {inert(SCHEMA)},\n"runs": [\n')
        for number, report in enumerate(reports):
            out.write(",\n" if number else "")
            FORMATS[form](report, by, out, how)
        out.write(f'],\n"verdict": {inert(verdict_of_all(reports))}\n}}\n')
    else:
        for report in reports:
            FORMATS[form](report, by, out, how)
            out.write("\n")
        out.writelines(f"{line}\n" for line in together(reports))
