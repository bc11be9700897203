"""Alert rules on logs, as Kusto queries over a Log Analytics workspace.

The queries use the tables and events by which keyaudit recognises alert rules. They contain no text from a tenant.
"""

from collections.abc import Mapping

from msgspec import Struct

# Key Vault's log is in one of two tables, depending on the diagnostic setting; Managed HSM uses the older one. A table or
# column that a workspace does not have yet counts as empty.
# https://learn.microsoft.com/azure/azure-monitor/reference/tables/azkvauditlogs
_KEY_VAULT = """\
union isfuzzy=true
  (AZKVAuditLogs
  | project TimeGenerated, OperationName, Uri = RequestUri, Status = toint(HttpStatusCode), Address = CallerIpAddress,
      AppId = tostring(Identity.claim.appid), ObjectId = tostring(Identity.claim.oid), Resource = _ResourceId),
  (AzureDiagnostics
  | where ResourceProvider =~ "MICROSOFT.KEYVAULT"
  | project TimeGenerated, OperationName, Uri = tostring(column_ifexists("requestUri_s", "")),
      Status = toint(column_ifexists("httpStatusCode_d", real(null))),
      Address = tostring(column_ifexists("CallerIPAddress", "")),
      AppId = tostring(column_ifexists("identity_claim_appid_g", "")),
      ObjectId = tostring(column_ifexists("identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g", "")),
      Resource = _ResourceId)"""

# Event names vary in hyphens, dashes, spaces and a final full stop; all variants match.
_AUDIT = r"""AuditLogs
| extend Event = replace_regex(tolower(OperationName), @"\s*[\x{2010}-\x{2015}\x{2212}-]\s*", " - ")
| extend Event = trim(@"[\s.]+", Event)"""
_WHO = "TimeGenerated, Event, Result, InitiatedBy, TargetResources, CorrelationId"


class Rule(Struct, frozen=True, kw_only=True):
    """One rule. `every`: its frequency; `over`: its window, which is longer for late logs."""

    title: str
    query: str
    """With `{limit}` for a policy's limit, if the rule has one."""
    severity: int
    """Azure Monitor's: 0 is critical, 4 verbose."""
    every: str = "PT15M"
    over: str = "PT1H"
    differs: str = ""
    """Its differences from the policies in both directions, beginning with a verb."""


RULES: Mapping[str, Rule] = {
    "key-vault": Rule(
        title="A key was backed up, released, imported, rotated or deleted",
        query=_KEY_VAULT
        + """
| where OperationName in ("KeyBackup", "KeyRelease", "KeyRestore", "KeyImport", "KeyDelete", "KeyPurge", "KeyRecover",
    "KeyRotate", "KeyRotationPolicySet", "CertificateImport") or OperationName startswith "SecurityDomain"
| where isnull(Status) or Status < 400
| project TimeGenerated, OperationName, Resource, Uri, AppId, ObjectId, Address""",
        severity=1,
    ),
    "application-credentials": Rule(
        title="An application or service principal got a credential",
        query=_AUDIT
        + f"""
| where Event in ("add service principal credentials", "update application - certificates and secrets management")
    or (Event == "update application" and tostring(TargetResources) has "FederatedIdentityCredentials")
    or (Event == "add service principal" and tostring(TargetResources) has_any ("KeyIdentifier", "KeyId"))
| project {_WHO}""",
        severity=1,
    ),
    "federation": Rule(
        title="A domain was federated, or its federation changed",
        query=_AUDIT
        + f"""
| where Event in ("set federation settings on domain", "set domain authentication")
| project {_WHO}""",
        severity=0,
    ),
    "diagnostic-settings": Rule(
        title="An Azure log is no longer exported",
        query="""\
AzureActivity
| where OperationNameValue endswith "/diagnosticSettings/delete"
| where ActivityStatusValue in~ ("Success", "Succeeded")
| project TimeGenerated, OperationNameValue, Caller, CallerIpAddress, _ResourceId, CorrelationId""",
        severity=1,
        differs="reports removed settings, not settings that were never created",
    ),
    "unified-audit": Rule(
        title="The unified audit log was switched off",
        query="""\
OfficeActivity
| where trim(@"[\\s.]+", Operation) =~ "Set-AdminAuditLogConfig"
| where Parameters has "UnifiedAuditLogIngestionEnabled" and Parameters has "False"
| project TimeGenerated, Operation, UserId, ClientIP, Parameters""",
        severity=0,
        differs="reports the day on which it is switched off, not that it is off",
    ),
    "shared-signing-key": Rule(
        title="More applications than allowed signed with one key",
        query=_KEY_VAULT
        + """
| where OperationName == "KeySign" and isnotempty(AppId) and (isnull(Status) or Status < 400)
| extend Key = extract(@"/keys/([^/?]+)", 1, Uri)
| summarize AppIds = make_set(AppId) by Resource, Key
| where array_length(AppIds) > {limit}""",
        severity=2,
        every="P1D",
        over="P1D",
        differs="evaluates one day at a time",
    ),
    "mail-by-one-application": Rule(
        title="One application read many mailboxes",
        query="""\
OfficeActivity
| where trim(@"[\\s.]+", Operation) =~ "MailItemsAccessed"
| extend Application = coalesce(tostring(column_ifexists("ClientAppId", "")), tostring(column_ifexists("AppId", "")),
    tostring(column_ifexists("ClientInfoString", "")))
| summarize Mailboxes = make_set(MailboxOwnerUPN) by Application
| where array_length(Mailboxes) > 50""",
        severity=2,
        every="P1D",
        over="P1D",
        differs="reports only an application that read more than 50 mailboxes in a day, whether it is known or not",
    ),
}
"""Rules by their name in `keyaudit.model.guardrails`."""
