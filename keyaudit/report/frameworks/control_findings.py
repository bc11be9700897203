"""The findings that answer the controls of frameworks, each evaluated with the limits of its framework."""

from collections.abc import Iterator
from itertools import chain

from msgspec.structs import replace

from keyaudit.model.frameworks import Framework
from keyaudit.model.results.causes import Causes
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding
from keyaudit.model.results.run import Report
from keyaudit.report.controls import profiles
from keyaudit.report.findings.arrange import by_thing, flat
from keyaudit.report.judgement import SCORE_COLUMNS
from keyaudit.report.tabular import records

COLUMNS = (*(name for name in records.COLUMNS if name not in {"control_refs_elsewhere", *SCORE_COLUMNS}), "profile")
"""The columns of a file of these findings: those of findings, then the profile that they were evaluated with."""


def records_of_profiles(report: Report) -> Iterator[records.Record]:
    """What is evaluated only for controls, passes too, as records: every result by limits other than those of the run, or by a
    condition of the control itself.
    """
    for profile, found in _of_profiles(report):
        for record in records.of_findings(report, found):
            yield {**record, "profile": profile}


def count_of_profiles(report: Report) -> int:
    """The number of these records."""
    return sum(1 for _, found in _of_profiles(report) for _ in found)


def _of_profiles(report: Report) -> Iterator[tuple[str, Iterator[tuple[Owner, Finding]]]]:
    yield report.settings.profile, report.apart(True)
    for profile in profiles(report):
        yield profile, report.under(profile).owned(True)


def records_of(report: Report, framework: Framework, *, passes: bool) -> Iterator[records.Record]:
    """The findings of a report by `answering`, as records."""
    profile = framework.profile_in(report.settings.profile)
    return ({**record, "profile": profile} for record in records.of_findings(report, report.owned(passes)))


def answering(report: Report, framework: Framework, ids: frozenset[str]) -> Report:
    """The report with only the findings that these controls of the framework count; its own counts stay those of the run."""
    own = report.under(framework.profile_in(report.settings.profile))

    def owned(passes: bool) -> Iterator[tuple[Owner, Finding]]:
        # A control counts findings, and the head of a cause may be of a policy that another control counts.
        counted = [
            (
                (owner, finding.by_itself())
                for owner, finding in found
                if not ids.isdisjoint(finding.frameworks.get(framework.key, ()))
            )
            for found in (report.owned(passes), report.apart(passes), own.owned(passes))
        ]
        return chain(*counted)

    found = replace(report, causes=Causes, owned=owned, findings=lambda passes: (finding for _, finding in owned(passes)))
    # The findings on a resource together, and then the resources by severity.
    return by_thing(flat(found, "resource"), "severity")
