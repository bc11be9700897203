"""The settings of a run in words: everything that changes or leaves out a result."""

from collections.abc import Mapping

from keyaudit.model.results.run import Report
from keyaudit.model.results.settings import ClassInForce, InForce, Limit
from keyaudit.model.values.text import one_line
from keyaudit.report.lines import plural, wrap


def settings(report: Report, width: int) -> list[str]:
    """The settings in lines of that width; empty if every policy uses its defaults."""
    return [line for said in setting_lines(report.settings) for line in wrap(said, width, rest="    ")]


def setting_lines(settled: InForce) -> list[str]:
    """A sentence for each setting, safe for one line."""
    lines = [f"profile {settled.profile}"] if settled.profile != "default" else []
    lines += [f"required: {', '.join(settled.require)}"] if settled.require else []
    lines += [_limit(each) for each in settled.limits]
    for each in settled.classes:
        lines += _class(each)
    return lines


def lines_of(settled: InForce, policy: str) -> list[str]:
    """The sentences that concern a policy, or the whole run."""
    lines = setting_lines(InForce(profile=settled.profile, require=settled.require))
    lines += [_limit(each) for each in settled.limits if each.policy == policy]
    for each in settled.classes:
        name = f"class {one_line(each.name)}"
        lines += [f"{name}: {_limit(limit)}" for limit in each.limits if limit.policy == policy]
        lines += [f"{name}: {policy} is not applicable ({one_line(each.place)})"] if policy in each.not_applicable else []
    return lines


def settings_member(settled: InForce) -> dict[str, object]:
    """The same as JSON."""
    return {
        "profile": settled.profile,
        "require": list(settled.require),
        "parameters": [_limit_member(each) for each in settled.limits],
        "classes": [
            {
                "name": each.name,
                "match": each.match,
                "reason": each.reason,
                "place": each.place,
                "rows": each.rows,
                "parameters": [_limit_member(limit) for limit in each.limits],
                "not_applicable": list(each.not_applicable),
                "left_out": each.left_out,
            }
            for each in settled.classes
        ],
    }


def _limit(limit: Limit) -> str:
    return f"{limit.policy}: {limit.parameter} {one_line(limit.value)} ({one_line(limit.place)})"


def _class(each: ClassInForce) -> list[str]:
    name = f"class {one_line(each.name)}"
    why = f": {one_line(each.reason)}" if each.reason else ""
    rows = plural(each.rows, "row") if each.rows else "no row in this run"
    lines = [f"{name} ({one_line(each.place)}): {one_line(each.match)}; {rows}{why}"]
    lines += [f"{name}: {_limit(limit)}" for limit in each.limits]
    if each.not_applicable:
        names, results = ", ".join(each.not_applicable), plural(each.left_out, "result")
        lines.append(f"{name}: not applicable: {names}; {results} left out")
    return lines


def _limit_member(limit: Limit) -> Mapping[str, object]:
    return {"policy": limit.policy, "parameter": limit.parameter, "value": limit.value, "place": limit.place}
