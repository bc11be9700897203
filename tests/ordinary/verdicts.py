"""What keyaudit says of a footprint, and how that differs from what it should say."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from keyaudit.simulator.estate import Estate
from tests.ordinary.expected import NORMAL, Footprint
from tests.ordinary.objects import Objects

SEVERITIES = ("info", "low", "medium", "high", "critical")
Finding = dict[str, Any]


def of_objects(findings: Iterable[Finding], objects: Objects, names: Iterable[str]) -> list[Finding]:
    """The findings about the named objects."""
    prefixes = objects.prefixes(names)
    return [one for one in findings if _begins(one["subject"].lower(), prefixes)]


def _begins(subject: str, prefixes: Sequence[str]) -> bool:
    return any(subject == one or subject.startswith(f"{one}/") for one in prefixes)


def worst(findings: Iterable[Finding]) -> str:
    """The highest severity among those that fail; empty if none does."""
    return max((one["severity"] for one in findings if one["outcome"] == "fail"), key=SEVERITIES.index, default="")


def counts(findings: Iterable[Finding]) -> Counter[str]:
    """Failed findings by severity, and those that could not be evaluated."""
    return Counter(one["severity"] if one["outcome"] == "fail" else one["outcome"] for one in findings)


def of_footprint(footprint: Footprint, findings: Iterable[Finding], estate: Estate) -> list[str]:
    """How what is said of a footprint differs from what should be said; nothing if it does not."""
    objects = Objects(estate)
    found = of_objects(findings, objects, footprint.holds)
    least = "low" if footprint.severity == "low" else "medium"
    open_ones = [
        one
        for one in found
        if one["outcome"] == "fail"
        and SEVERITIES.index(one["severity"]) >= SEVERITIES.index("high" if one["policy"] in footprint.beside else least)
    ]
    wrong = [f"unknown: {one['policy']}" for one in found if one["outcome"] == "unknown"]
    wrong += [f"prints {one!r}" for one in footprint.never if one.lower() in _text(found).lower()]
    if footprint.says == NORMAL:
        return [*(f"{one['severity']}: {one['policy']}" for one in open_ones), *wrong]
    if [worst(same) for same in _by_cause(open_ones)] != [footprint.severity]:
        said = ", ".join(f"{one['severity']} {one['policy']}" for one in open_ones) or "nothing"
        return [f"one {footprint.severity} cause is wanted, not {said}", *wrong]
    thumbprints = objects.thumbprints(footprint.holds)
    for told in footprint.tells:
        wanted = thumbprints if told == "{thumbprint}" else {told}
        if not any(each.lower() in _text(open_ones).lower() for each in wanted):
            wrong.append(f"does not tell {told}")
    return wrong


def _by_cause(findings: Iterable[Finding]) -> list[list[Finding]]:
    """The findings that people read as one: those with one cause."""
    found: dict[str, list[Finding]] = {}
    for one in findings:
        found.setdefault(one["cause"]["head"] if one["cause"] else one["id"], []).append(one)
    return [*found.values()]


def of_abuse(footprint: Footprint, findings: Sequence[Finding], estate: Estate, bare: Sequence[Finding]) -> list[str]:
    """How what is said of an abused footprint differs; `bare` are the findings of the same tenant without footprints."""
    abuse = footprint.abuse
    if abuse is None:
        return []
    objects = Objects(estate)
    found = of_objects(findings, objects, abuse.at or footprint.holds)
    without = worst(of_objects(bare, objects, footprint.holds))
    said, wrong = worst(found), []
    for least, why in (("" if abuse.low else "medium", "is wanted"), (without, "without the footprint")):
        if least and (not said or SEVERITIES.index(said) < SEVERITIES.index(least)):
            wrong.append(f"{said or 'nothing'} is said, {least} {why}")
    wrong += [f"does not tell {one}" for one in abuse.hint if one.lower() not in _text(found).lower()]
    return wrong


def _text(findings: Iterable[Finding]) -> str:
    """What a person reads of the findings, without the names of the objects."""
    return json.dumps([[one["message"], one["fix"]] for one in findings], ensure_ascii=False).replace("\\\\", "\\")
