"""`keyaudit report --framework`: the report by the controls of a framework."""

import dataclasses
import re
from collections.abc import Sequence
from typing import TextIO

from keyaudit.cli.judged import all_judged
from keyaudit.cli.options import Choice, Format, Live, Shown, Stored
from keyaudit.cli.output import options
from keyaudit.cli.streams import printing
from keyaudit.model.errors import UsageError
from keyaudit.model.frameworks import FRAMEWORKS, Framework
from keyaudit.model.run import Report, conditions
from keyaudit.policy.load import Policy, load
from keyaudit.policy.problems import nearest, shown
from keyaudit.report.by_control import FORMATS, View, render_csv
from keyaudit.report.members import SCHEMA, inert
from keyaudit.report.options import Options
from keyaudit.report.several import together, verdict_of_all


def report_by(name: str, live: Live, stored: Stored, choice: Choice, shown_: Shown) -> int:
    """Evaluate with the framework's own limits, unless --profile is given, and print the result of each control."""
    by = _view(name, shown_, load(besides=choice.policies))
    own = dataclasses.replace(choice, profile=choice.profile or by.framework.profile or None)
    with all_judged(live, stored, own) as reports:
        return _deliver(reports, shown_, by)


def _view(name: str, shown_: Shown, policies: Sequence[Policy]) -> View:
    """A declared framework, or one that only the organisation's own policies refer to."""
    if shown_.export:
        raise UsageError("--framework, --export", "cannot be combined", "redirect stdout, as in -o csv > controls.csv")
    texts = [policy.text for policy in policies]
    named = {key for text in texts for key in text.frameworks}
    key = name.lower()
    if key in FRAMEWORKS:
        return View(FRAMEWORKS[key], texts)
    if key not in named:
        known = (*FRAMEWORKS, *named)
        raise UsageError(
            "--framework", f"no such framework: {shown(name)}", nearest(name, known) or f"one of {', '.join(known)}"
        )
    own = Framework(key=key, title=key, edition="", source="", controls={}, form=re.compile(".+"))
    return View(own, texts)


def _deliver(reports: Sequence[Report], shown_: Shown, by: View) -> int:
    with printing() as out:
        _render(reports, shown_.output or Format.TEXT, by, out, options(out))
    return conditions(reports)[0]


def _render(reports: Sequence[Report], form: Format, by: View, out: TextIO, how: Options) -> None:
    if len(reports) == 1:
        FORMATS[form](reports[0], by, out, how)
    elif form is Format.CSV:
        for number, report in enumerate(reports):
            render_csv(report, by, out, heading=number == 0)
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
