"""The topics of `keyaudit explain`: Markdown files, and texts generated from declarations."""

import re
from collections.abc import Iterator, Mapping
from importlib import resources

from keyaudit.model.errors import MEANINGS
from keyaudit.model.reasons import ADVICE
from keyaudit.report.changes import policy_changes
from keyaudit.report.lines import joined, wrap
from keyaudit.report.redact import LIMITS
from keyaudit.report.tabular import columns

FILES: Mapping[str, str] = {
    "admin": "a first audit: rights, findings, gaps, and how to fix both",
    "auditor": "evidence: what to ask for, whether it is complete, controls and exceptions",
    "pipeline": "a gate in GitHub Actions, Azure Pipelines or anywhere: sign-in, schedule",
    "plan": "a gate on a Terraform or OpenTofu plan, before anything is created",
    "policy-author": "write a policy: columns, condition, messages, examples",
    "policies": "every built-in policy, with severity and requirement",
    "permissions": "the rights that keyaudit needs, and the purpose of each",
    "answers": "the Azure responses that were observed, and those known from documentation",
    "shapes": "the file of doctor --shapes, which you can send so that keyaudit learns responses",
    "settings": "keyaudit.toml, and how to read a part of a tenant",
    "waivers": "exceptions with an owner, an approver and an end date",
    "baseline": "start a gate in a tenant with open findings",
    "evidence": "evidence that Azure's APIs do not return, and how to supply it",
    "rotation": "who uses which version of a key, the rotation order, and whether all users have moved",
    "usage": "who uses keys and reads mail, according to the logs",
    "incident": "one page about a stolen key: who used it, what they did, and a plan",
    "tickets": "a ticket for each finding, opened and closed by a webhook: ServiceNow, Jira, GitHub Issues, Azure Boards",
    "log-analytics": "findings in Log Analytics and Microsoft Sentinel",
    "versions": "compatibility between versions, and changed policies",
    "exports": "every file format, its purpose, and its requirements",
}
"""The topics with a file `NAME.md`, by name, with their subject."""

TOPICS: Mapping[str, str] = {
    **FILES,
    "commands": "every command with its flags",
    "columns": "the columns of findings in CSV and XLSX, with a query for Power BI and Excel",
    "gaps": "each reason for a gap, and what to do about it",
    "exit-codes": "what each exit code means",
    "redaction": "the data that --redact replaces, and what readers can still guess",
}

_WIDTH = 80
_MARKER = re.compile(r"^<!-- (?:generated: \S+|end) -->\n", re.MULTILINE)


def topic(name: str) -> str:
    """The text of one of TOPICS but commands, in lines of at most 80 columns except for command lines and file content."""
    if name == "columns":
        return joined(columns.lines())
    if name == "gaps":
        return joined(_gaps())
    if name == "exit-codes":
        return "".join(f"{int(code):>4}  {meaning}\n" for code, meaning in MEANINGS.items())
    if name == "redaction":
        return LIMITS
    text = _MARKER.sub("", resources.files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8"))
    return f"{text}\n{joined(policy_changes.lines())}" if name == "versions" else text


def overview() -> str:
    """All topics."""
    return joined(_overview())


def _gaps() -> Iterator[str]:
    yield from wrap("Each gap has one of these reasons:", _WIDTH)
    for reason, advice in ADVICE.items():
        yield ""
        yield from wrap(f"{reason}: {advice.meaning}", _WIDTH)
        yield from wrap(advice.remedy, _WIDTH, "  ", "  ")


def _overview() -> Iterator[str]:
    yield "keyaudit explain TOPIC prints one of these:"
    width = max(map(len, TOPICS)) + 2
    for name, about in TOPICS.items():
        yield from wrap(about, _WIDTH, f"  {name:<{width}}", " " * (width + 2))
    yield ""
    yield from wrap("keyaudit explain ID explains a policy or a finding; keyaudit policies list shows the policy ids.", _WIDTH)
