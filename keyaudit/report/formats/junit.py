"""The findings as JUnit XML, for the test results of a pipeline: a suite for each policy, a case for each evaluated row.

A pass is a plain case, a failure is `failure`, a waived failure is `skipped`, and an unknown result is an `error`, which no
pipeline counts as passed. A case is named after its resource, with a digest of the resource's id, so that names are unique. A
policy that was not evaluated is a suite with one skipped case that says what it needs. A suite's properties have its settings,
and the waivers for its policy that have expired, expire soon or cover nothing.
"""

import hashlib
import re
from collections.abc import Mapping
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from xml.sax.saxutils import escape, quoteattr

from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.results.findings import Finding, Outcome, PolicyText, Tally
from keyaudit.model.results.fixes import parts
from keyaudit.model.results.run import NotJudged, Report
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.missing import waivers_to_fix
from keyaudit.report.resource import label
from keyaudit.report.settings import lines_of
from keyaudit.report.summary import SIMULATED, message

_IN_MEMORY = 1_000_000
"""The size of a suite in bytes above which it is stored on disk, because findings are ordered by resource."""
_COPIED = 1 << 20
# https://www.w3.org/TR/xml/#charsets
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(report: Report, out: BinaryIO) -> None:
    """Write the XML."""
    verdict = report.verdict
    totals = {
        "tests": sum(tally.rows for tally in report.tallies) + len(verdict.not_judged),
        "failures": sum(map(sum, (verdict.failed.values(), verdict.known.values()))),
        "errors": sum(verdict.unknown.values()),
    }
    with ExitStack() as stack:
        suites = {
            tally.policy.id: cast(BinaryIO, stack.enter_context(SpooledTemporaryFile(_IN_MEMORY))) for tally in report.tallies
        }
        for finding in report.findings(True):
            suites[finding.policy.id].write(_case(finding).encode())
        out.write(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites{_attributes({"name": "keyaudit", **totals})}>\n'.encode()
        )
        for tally in report.tallies:
            out.write(_begun(report, tally).encode())
            spooled = suites[tally.policy.id]
            spooled.seek(0)
            while part := spooled.read(_COPIED):
                out.write(part)
            out.write(b"</testsuite>\n")
        out.writelines(_not_judged(report, each).encode() for each in verdict.not_judged)
        out.write(b"</testsuites>\n")


def _begun(report: Report, tally: Tally) -> str:
    failures = sum(map(sum, (tally.failed.values(), tally.known.values())))
    counts = {
        "tests": tally.rows,
        "failures": failures,
        "errors": sum(tally.unknown.values()),
        "skipped": sum(tally.waived.values()),
    }
    return _suite(report, tally.policy, counts)


def _suite(report: Report, policy: PolicyText, counts: Mapping[str, int]) -> str:
    run = report.run
    properties = {
        "problem": policy.problem,
        "title": policy.title,
        "severity": policy.severity,
        "tenant": run.tenant_id,
        "run": run.run_id,
        **({"notice": SIMULATED} if run.simulated else {}),
        **({} if report.verdict.expected else {"completeness": RELATIVE}),
    }
    waivers = [("waiver", line) for use, line in waivers_to_fix(report) if use.waiver.policy.matches(policy.id)]
    said = [*properties.items(), *(("setting", line) for line in lines_of(report.settings, policy.id)), *waivers]
    written = "".join(f"<property{_attributes({'name': name, 'value': value})}/>" for name, value in said)
    attributes = {"name": policy.id, **counts, "time": "0", "timestamp": times.iso_time(run.as_of).removesuffix("Z")}
    return f"<testsuite{_attributes(attributes)}>\n<properties>{written}</properties>\n"


def _case(finding: Finding) -> str:
    facts = Facts.of(finding)
    # If two cases have the same name, a reader may keep only the first, and show a pass instead of a failure.
    row = hashlib.sha256((facts.text("id") or finding.subject).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    attributes = {"classname": finding.policy.id, "name": f"{label(facts)} #{row}", "time": "0"}
    if finding.outcome is Outcome.PASS:
        return f"<testcase{_attributes(attributes)}/>\n"
    kind = {Outcome.FAIL: "failure", Outcome.WAIVED: "skipped", Outcome.UNKNOWN: "error"}[finding.outcome]
    said = {"message": f"{finding.policy.problem}: {message(finding)}", "type": finding.severity}
    details = (f"{name}: {_text(value)}" for name, value in _details(finding).items() if value)
    body = "" if kind == "skipped" else "\n".join(details)
    return f"<testcase{_attributes(attributes)}><{kind}{_attributes(said)}>{body}</{kind}></testcase>\n"


def _details(finding: Finding) -> dict[str, str]:
    return {
        "finding": finding.id,
        "severity": finding.severity,
        "subject": finding.subject,
        "expected": finding.expected,
        **{part.heading.lower(): "\n".join(part.lines) for part in parts(finding.fix, finding.steps)},
    }


def _not_judged(report: Report, each: NotJudged) -> str:
    said = {"message": f"{each.policy.problem}: not evaluated: needs {', '.join(each.needs)}", "type": "not-judged"}
    case = {"classname": each.policy.id, "name": "not evaluated", "time": "0"}
    begun = _suite(report, each.policy, {"tests": 1, "failures": 0, "errors": 0, "skipped": 1})
    return f"{begun}<testcase{_attributes(case)}><skipped{_attributes(said)}/></testcase>\n</testsuite>\n"


def _attributes(values: Mapping[str, object]) -> str:
    return "".join(f" {name}={quoteattr(_safe(str(value)))}" for name, value in values.items())


def _text(text: str) -> str:
    return escape(_safe(text))


def _safe(text: str) -> str:
    """One line of valid XML characters."""
    return _NO_XML.sub(lambda odd: f"\\u{ord(odd[0]):04x}", one_line(text, 2_000))
