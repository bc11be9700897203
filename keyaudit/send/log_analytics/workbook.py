"""A workbook for Microsoft Sentinel or Azure Monitor over the table KeyAudit_CL, as its advanced editor takes it.

Shape: https://github.com/microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json. Each query begins with the
same statements: one row for each shipment and each record, however often they were stored, of shipments that came whole.
"""

from collections.abc import Sequence

from keyaudit.send.log_analytics.rows import TABLE

_MARKDOWN, _QUERY, _PARAMETERS = 1, 3, 9
_RANGE = "TimeRange"

SHIPMENTS = f"""let stored = {TABLE}
  | summarize arg_max(TimeGenerated, *) by shipment_id, record_number;
let verdicts = stored
  | where record_type == "verdict"
  | join kind=leftouter (
      stored | where record_type == "finding" | summarize stored_records = count() by shipment_id
    ) on shipment_id
  | extend stored_records = coalesce(stored_records, 0)
  | where stored_records >= records;
let newest = verdicts
  | sort by tenant_id asc, assessed_at desc, shipped_at desc
  | where row_number(1, tenant_id != prev(tenant_id)) == 1;
let findings = stored
  | where record_type == "finding"
  | join kind=inner (newest | project shipment_id) on shipment_id;
"""
"""What every query begins with: `newest` is the newest whole shipment of each tenant, `findings` are its records."""

_OPEN = """findings
  | where status == "fail"
"""

QUERIES: dict[str, str] = {
    "Verdict of the latest audit of each tenant": """newest
  | project tenant_name, assessed_at, verdict, complete, open_critical, open_high, open_medium, open_low, unknown_results,
      waived_results, policies_not_evaluated, reads_done, reads_required, simulated, tenant_id
  | sort by open_critical desc, open_high desc""",
    "Incomplete shipments": """stored
  | summarize arrived = countif(record_type == "finding"), expected = max(records), shipped_at = max(shipped_at)
      by shipment_id, tenant_id, tenant_name
  | where isnull(expected) or arrived < expected
  | sort by shipped_at desc""",
    "Open findings by severity": f"""{_OPEN}  | summarize findings = count() by severity""",
    "Open findings by owner": f"""{_OPEN}  | extend owner = iff(isempty(owner), "(no owner on record)", owner)
  | summarize findings = count(), critical = countif(severity == "critical"), high = countif(severity == "high") by owner
  | sort by critical desc, high desc, findings desc""",
    "Open findings, worst first": f"""{_OPEN}  | extend rank = indexof("low medium high critical", severity)
  | sort by rank desc, resource_id asc
  | project severity, opens, resource_name, actual, policy_id, owner, expires_at, resource_type, subscription_name, resource_id,
      tenant_name, finding_id""",
    "Unknown results, with reasons": """findings
  | where status == "unknown"
  | summarize results = count(), resources = dcount(resource_id) by policy_id, coverage_note, tenant_name
  | sort by results desc""",
    "Policies that were not evaluated": """findings
  | where status == "not-judged"
  | project policy_id, policy_title, severity, coverage_note, tenant_name
  | sort by policy_id asc""",
    "Waived findings": """findings
  | where status == "waived"
  | project waiver_expires_at, policy_id, resource_name, waiver_reason, waiver_owner, waiver_approved_by, tenant_name
  | sort by waiver_expires_at asc""",
    "Open findings over time": """verdicts
  | summarize arg_max(shipped_at, *) by tenant_id, run_id
  | project assessed_at, tenant_name, open_findings = open_critical + open_high + open_medium + open_low
  | sort by assessed_at asc""",
}
"""The queries by the titles of their parts, without what they all begin with."""

_SHOWN_AS = {"Open findings by severity": "piechart", "Open findings over time": "timechart"}
_TEXT = """## keyaudit

Findings of the latest complete shipment of each tenant. Shipments without a verdict row do not count. Unknown is not a pass:
unread data and policies that were not evaluated have separate lists.

Names, messages and tags come from the audited tenants: they are data, never instructions."""


def workbook() -> dict[str, object]:
    """The workbook, as JSON."""
    return {
        "version": "Notebook/1.0",
        "items": [
            {"type": _MARKDOWN, "content": {"json": _TEXT}, "name": "About"},
            _range(),
            *(_part(title, query) for title, query in QUERIES.items()),
        ],
        "fallbackResourceIds": [],
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }


def whole(query: str) -> str:
    """One of QUERIES, as it is run."""
    return f"{SHIPMENTS}{query}"


def _range() -> dict[str, object]:
    days = 24 * 60 * 60 * 1_000
    choices: Sequence[dict[str, int]] = [{"durationMs": count * days} for count in (7, 30, 90, 365)]
    parameter = {
        "id": "6f6b1c1e-5a55-4b0c-9a55-6b657961756d",
        "version": "KqlParameterItem/1.0",
        "name": _RANGE,
        "label": "Time range",
        "type": 4,
        "isRequired": True,
        "value": {"durationMs": 30 * days},
        "typeSettings": {"selectableValues": choices, "allowCustom": True},
    }
    content = {"version": "KqlParameterItem/1.0", "parameters": [parameter], "style": "pills", "queryType": 0}
    return {"type": _PARAMETERS, "content": content, "name": "Parameters"}


def _part(title: str, query: str) -> dict[str, object]:
    content = {
        "version": "KqlItem/1.0",
        "query": whole(query),
        "size": 0,
        "title": title,
        "noDataMessage": "None.",
        "timeContextFromParameter": _RANGE,
        "queryType": 0,
        "resourceType": "microsoft.operationalinsights/workspaces",
        "visualization": _SHOWN_AS.get(title, "table"),
        "showExportToExcel": True,
    }
    return {"type": _QUERY, "content": content, "name": title}
