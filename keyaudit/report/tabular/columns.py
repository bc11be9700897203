"""The columns of findings in CSV and XLSX: their order, their types and what they mean."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from keyaudit.report.lines import wrap


class Type(StrEnum):
    """What a cell holds, unless it is empty."""

    TEXT = "text"
    TIME = "time"
    """ISO 8601 in UTC, such as 2026-11-26T13:30:00Z."""
    NUMBER = "number"
    """A whole number."""
    LOGICAL = "true or false"


DICTIONARY: Mapping[str, tuple[Type, str]] = {
    "schema_version": (Type.TEXT, "the version of this format"),
    "run_id": (Type.TEXT, "the run that read the tenant"),
    "assessed_at": (Type.TIME, "the moment that ages and ends are counted from"),
    "tool_version": (Type.TEXT, "the version of keyaudit"),
    "policy_pack": (Type.TEXT, "a digest of the evaluated policies"),
    "tenant_id": (Type.TEXT, "the tenant"),
    "tenant_name": (Type.TEXT, "its display name"),
    "subscription_id": (Type.TEXT, "the subscription of the resource"),
    "subscription_name": (Type.TEXT, "its display name"),
    "resource_group": (Type.TEXT, "the resource group of the resource"),
    "location": (Type.TEXT, "the Azure region"),
    "resource_type": (Type.TEXT, "the table of the inventory: key, credential, grant and so on"),
    "resource_id": (Type.TEXT, "the full id of the resource"),
    "resource_name": (Type.TEXT, "its name for people"),
    "credential_kind": (Type.TEXT, "key, secret, certificate and so on"),
    "credential_version": (Type.TEXT, "the version in the vault"),
    "custody": (Type.TEXT, "where the private key is: managed-hsm, vault-hsm, software, platform or external"),
    "algorithm": (Type.TEXT, "the algorithm, with its size or curve"),
    "key_size": (Type.NUMBER, "the size of the key in bits"),
    "created_at": (Type.TIME, "when it was created"),
    "activated_at": (Type.TIME, "from when it is valid"),
    "expires_at": (Type.TIME, "until when it is valid, or the end that the message counts down to"),
    "last_rotated_at": (Type.TIME, "when the current version was created"),
    "age_days": (Type.NUMBER, "whole days since it was created, or became valid"),
    "days_to_expiry": (Type.NUMBER, "whole days until expires_at; negative after it"),
    "enabled": (Type.LOGICAL, "whether it is enabled"),
    "lifecycle_state": (Type.TEXT, "the key state of NIST SP 800-57: pre-activation, active, suspended or deactivated"),
    "policy_id": (Type.TEXT, "the policy"),
    "policy_title": (Type.TEXT, "what the policy requires"),
    "control_refs": (Type.TEXT, "the controls that the finding counts for, as framework:control"),
    "status": (Type.TEXT, "pass, fail, waived, unknown, not-applicable, or not-judged for a policy that was not evaluated"),
    "severity": (Type.TEXT, "critical, high, medium, low or info"),
    "finding_id": (Type.TEXT, "the id of the finding, the same in every run"),
    "first_seen_at": (Type.TIME, "since when it is known, from a baseline or earlier snapshots"),
    "expected": (Type.TEXT, "what the policy accepts"),
    "actual": (Type.TEXT, "what was found"),
    "evidence": (Type.TEXT, "the columns that decide, as column=value"),
    "evidence_source": (Type.TEXT, "the address and version of the answer that was read"),
    "remediation_url": (Type.TEXT, "a page about the fix"),
    "owner": (Type.TEXT, "who owns the resource"),
    "owner_source": (Type.TEXT, "where the owner is recorded"),
    "waiver_id": (Type.TEXT, "the waiver that covers the finding"),
    "waiver_reason": (Type.TEXT, "its reason"),
    "waiver_owner": (Type.TEXT, "its owner"),
    "waiver_approved_by": (Type.TEXT, "its approver"),
    "waiver_expires_at": (Type.TIME, "its last second"),
    "coverage_note": (Type.TEXT, "each unknown column with the reason, as column:reason; * is all columns"),
    "score": (Type.NUMBER, "empty; an earlier version filled it"),
    "score_low": (Type.NUMBER, "empty; an earlier version filled it"),
    "score_band": (Type.TEXT, "empty; an earlier version filled it"),
    "score_arithmetic": (Type.TEXT, "empty; an earlier version filled it"),
    "score_reasons": (Type.TEXT, "empty; an earlier version filled it"),
    "control_refs_elsewhere": (Type.TEXT, "the controls that count the resource by other limits"),
    "client_id": (Type.TEXT, "the client id of the application"),
    "resource_environment": (Type.TEXT, "the environment: prod, test and so on"),
    "resource_tags": (Type.TEXT, "the tags"),
    "cause_id": (Type.TEXT, "findings with the same id are closed by one action"),
    "first_command": (Type.TEXT, "the command of the first step, unless it removes something"),
    "message_dates": (Type.TEXT, "the resource's dates in the message, as name=time"),
    "message_days": (Type.TEXT, "the resource's durations in the message, as name=days"),
    "weakness": (Type.TEXT, "what is weak: the first fact behind the severity"),
    "opens": (Type.TEXT, "what it opens: the second fact behind the severity"),
    "because": (Type.TEXT, "the columns that decide these two facts"),
}
"""The type and meaning of each column. This order is stable; new columns are added at the end."""

COLUMNS = tuple(DICTIONARY)
TIMES = frozenset(name for name, (type_, _) in DICTIONARY.items() if type_ is Type.TIME)
NUMBERS = frozenset(name for name, (type_, _) in DICTIONARY.items() if type_ is Type.NUMBER)

_POWER_QUERY = {Type.TIME: "type datetimezone", Type.NUMBER: "Int64.Type", Type.LOGICAL: "type logical"}


def lines() -> Iterator[str]:
    """The dictionary as a topic in Markdown, with a query that gives each column its type."""
    yield "# The columns of findings in CSV and XLSX"
    yield ""
    yield from wrap(
        "`keyaudit export csv=findings.csv` writes UTF-8 with one header row. Times are ISO 8601 in UTC, numbers are whole, "
        "and several values in a cell are separated by |. An empty cell is absent or unknown; coverage_note names the unknown "
        "ones. A text that a spreadsheet would execute begins with an apostrophe. New columns are added at the end, and none "
        "is removed, renamed or given another type.",
        80,
    )
    yield ""
    for name, (type_, meaning) in DICTIONARY.items():
        yield from wrap(f"`{name}` ({type_}): {meaning}", 80, "- ", "  ")
    yield from ("", "## Power BI and Excel", "", "A query for the advanced editor of Power Query; change the path:", "")
    yield from ("```powerquery", *query(), "```")


def query() -> Iterator[str]:
    """A query in Power Query's language M that reads the file, types its columns and keeps what fails."""
    typed = [f'{{"{name}", {_POWER_QUERY[type_]}}}' for name, (type_, _) in DICTIONARY.items() if type_ in _POWER_QUERY]
    yield from (
        "let",
        r'    Source = Csv.Document(File.Contents("C:\audit\findings.csv"), [Delimiter = ",", Encoding = 65001]),',
        "    Rows = Table.PromoteHeaders(Source, [PromoteAllScalars = true]),",
        '    Empty = Table.ReplaceValue(Rows, "", null, Replacer.ReplaceValue, Table.ColumnNames(Rows)),',
        "    Types = {",
        *(f"        {each}," for each in typed[:-1]),
        f"        {typed[-1]}",
        "    },",
        '    Typed = Table.TransformColumnTypes(Empty, Types, "en-US"),',
        '    Open = Table.SelectRows(Typed, each [status] = "fail")',
        "in",
        "    Open",
    )
