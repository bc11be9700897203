"""The columns of tables of Log Analytics that keyaudit queries, as Microsoft published them, with place and date.

The tables change: of the sign-in tables an older list is here beside the newest, since a workspace may have either.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

REFERENCE = "https://learn.microsoft.com/azure/azure-monitor/reference/tables/"


class Published(Struct, frozen=True):
    """One list of a table's columns, as far as its names matter here. `date`: of the page."""

    date: str
    columns: frozenset[str]


def _list(date: str, text: str) -> Published:
    return Published(date, frozenset(text.split()))


PUBLISHED: Mapping[str, Sequence[Published]] = {
    "AZKVAuditLogs": (
        _list(
            "2023-06-08",
            """AddressAuthorizationType Algorithm AppliedAssignmentId CallerIpAddress ClientInfo CorrelationId DurationMs
            EnabledForDeployment EnabledForDiskEncryption EnabledForTemplateDeployment EnablePurgeProtection
            EnableRbacAuthorization EnableSoftDelete HsmPoolResourceId HttpStatusCode Id Identity IsAccessPolicyMatch
            IsAddressAuthorized IsRbacAuthorized Nsp OperationName Properties RequestUri ResultDescription ResultSignature
            ResultType SoftDeleteRetentionInDays SourceSystem SubnetId TenantId TimeGenerated Tlsversion TrustedService Type
            _BilledSize _IsBillable _ResourceId _SubscriptionId""",
        ),
    ),
    "AzureDiagnostics": (
        _list(
            "2021-03-29",
            """Category CorrelationId OperationName Resource ResourceGroup ResourceId ResourceProvider ResourceType
            ResultDescription ResultType SourceSystem SubscriptionId TenantId TimeGenerated Type _ResourceId
            _SubscriptionId""",
        ),
    ),
    "OfficeActivity": (
        _list(
            "2026",
            """AADTarget Activity Actor ActorContextId ActorIpAddress AffectedItems AppAccessContext AppId Application
            ApplicationId ClientAppId ClientIP ClientInfoString ClientMachineName ClientProcessName ClientVersion
            Client_IPAddress ExtendedProperties ExternalAccess Folder Folders Item Logon_Type MailboxGuid MailboxOwnerSid
            MailboxOwnerUPN ModifiedProperties OfficeId OfficeObjectId OfficeTenantId OfficeWorkload Operation
            OperationProperties OrganizationId OrganizationName Parameters RecordType ResultReasonType ResultStatus
            SourceRecordId SourceSystem Start_Time TenantId TimeGenerated Type UserAgent UserId UserKey UserType""",
        ),
    ),
    "AADServicePrincipalSignInLogs": (
        _list(
            "2026-03-11",
            """AADTenantId Agent AppId AppOwnerTenantId AuthenticationContextClassReferences AuthenticationProcessingDetails
            AutonomousSystemNumber Category ClientCredentialType ConditionalAccessAudiences ConditionalAccessPolicies
            ConditionalAccessStatus CorrelationId CreatedDateTime DurationMs FederatedCredentialId IPAddress Id Identity Level
            Location LocationDetails NetworkLocationDetails OperationName OperationVersion ResourceDisplayName ResourceGroup
            ResourceIdentity ResourceOwnerTenantId ResourceServicePrincipalId ResultDescription ResultSignature ResultType
            ServicePrincipalCredentialKeyId ServicePrincipalCredentialThumbprint ServicePrincipalId ServicePrincipalName
            SessionId SourceSystem TenantId TimeGenerated Type UniqueTokenIdentifier UserAgent _BilledSize _IsBillable""",
        ),
    ),
    "AADManagedIdentitySignInLogs": (
        _list(
            "2024-07-30",
            """AppId AuthenticationContextClassReferences AuthenticationProcessingDetails Category ConditionalAccessPolicies
            ConditionalAccessStatus CorrelationId DurationMs FederatedCredentialId IPAddress Id Identity Level Location
            LocationDetails OperationName OperationVersion ResourceDisplayName ResourceGroup ResourceIdentity
            ResourceServicePrincipalId ResultDescription ResultSignature ResultType ServicePrincipalCredentialKeyId
            ServicePrincipalCredentialThumbprint ServicePrincipalId ServicePrincipalName SourceSystem TenantId TimeGenerated
            Type UniqueTokenIdentifier _BilledSize _IsBillable""",
        ),
    ),
    "SigninLogs": (
        _list(
            "2020-03-16",
            """AADTenantId AppDisplayName AppId Category ClientAppUsed ConditionalAccessPolicies ConditionalAccessStatus
            CorrelationId CreatedDateTime DeviceDetail DurationMs IPAddress Id Identity IsRisky Level Location LocationDetails
            OperationName OperationVersion OriginalRequestId Resource ResourceDisplayName ResourceGroup ResourceId
            ResourceProvider ResultDescription ResultSignature ResultType RiskDetail RiskEventTypes RiskLevelAggregated
            RiskLevelDuringSignIn RiskState SourceSystem Status TimeGenerated Type UserDisplayName UserId UserPrincipalName""",
        ),
    ),
    "AuditLogs": (
        _list(
            "2022-11-03",
            """AADOperationType AADTenantId ActivityDateTime ActivityDisplayName AdditionalDetails Category CorrelationId
            DurationMs Id Identity InitiatedBy Level Location LoggedByService OperationName OperationVersion Resource
            ResourceGroup ResourceId ResourceProvider Result ResultDescription ResultReason ResultSignature ResultType
            SourceSystem TargetResources TimeGenerated Type""",
        ),
    ),
    "AzureActivity": (
        _list(
            "2020-10-26",
            """ActivityStatus ActivityStatusValue ActivitySubstatus ActivitySubstatusValue Authorization Authorization_d Caller
            CallerIpAddress Category CategoryValue Claims Claims_d CorrelationId EventDataId EventSubmissionTimestamp
            HTTPRequest Hierarchy Level OperationId OperationName OperationNameValue Properties Properties_d Resource
            ResourceGroup ResourceId ResourceProvider ResourceProviderValue SourceSystem SubscriptionId TenantId TimeGenerated
            Type _ResourceId _SubscriptionId""",
        ),
    ),
}
"""By table, each at `REFERENCE` and the name in lower case."""
