"""CISA's Secure Cloud Business Applications baselines."""

from keyaudit.model.frameworks.framework import Framework

SCUBA = Framework(
    key="scuba",
    title="CISA SCuBA baselines for Microsoft 365",
    edition="of August 2026",
    source="cisagov/ScubaGear, commit 4d34e9a",
    profile="scuba",
    controls={
        "MS.AAD.4.1v1": "Logs of Entra ID are sent to the security operations center",
        "MS.AAD.5.1v1": "Only administrators can register applications",
        "MS.AAD.5.2v1": "User consent to applications is restricted",
        "MS.AAD.5.3v1": "Users can request consent from an administrator",
        "MS.AAD.5.5v1": "Client secrets cannot be added to applications",
        "MS.AAD.5.6v1": "Client secrets are valid for 180 days at most",
        "MS.AAD.5.7v1": "Certificates of applications are valid for 365 days at most",
        "MS.AAD.9.1v1": "Agents at risk are blocked",
        "MS.EXO.13.1v1": "Mailboxes are audited",
        "MS.POWERBI.5.1v1": "Datasets cannot be opened with resource keys",
        "MS.SECURITYSUITE.5.1v1": "The unified audit log records",
        "MS.SECURITYSUITE.5.2v1": "Audit logs can be searched for 3 months and retrieved for 12",
    },
    outside={
        "how users sign in, and their passwords": (
            "MS.AAD.1.1v1 MS.AAD.2.1v1 MS.AAD.2.2v1 MS.AAD.2.3v1 MS.AAD.3.1v1 MS.AAD.3.2v2 MS.AAD.3.3v2 MS.AAD.3.4v1"
            " MS.AAD.3.5v2 MS.AAD.3.6v1 MS.AAD.3.7v1 MS.AAD.3.8v1 MS.AAD.3.9v1 MS.AAD.6.1v1 MS.EXO.5.1v1"
        ),
        "roles of users": (
            "MS.AAD.7.1v1 MS.AAD.7.2v1 MS.AAD.7.3v1 MS.AAD.7.4v1 MS.AAD.7.5v1 MS.AAD.7.6v1 MS.AAD.7.7v1 MS.AAD.7.8v1"
            " MS.AAD.7.9v1"
        ),
        "guests and sharing with others": (
            "MS.AAD.8.1v1 MS.AAD.8.2v1 MS.AAD.8.3v1 MS.EXO.6.1v1 MS.EXO.6.2v1 MS.POWERBI.1.1v1 MS.POWERBI.2.1v1"
            " MS.POWERBI.3.1v1 MS.SHAREPOINT.1.1v1 MS.SHAREPOINT.1.2v1 MS.SHAREPOINT.1.3v1 MS.SHAREPOINT.2.1v1"
            " MS.SHAREPOINT.2.2v1 MS.SHAREPOINT.3.1v1 MS.SHAREPOINT.3.2v1 MS.SHAREPOINT.3.3v2"
        ),
        "protection of mail and files against attacks": (
            "MS.EXO.1.1v2 MS.EXO.2.2v3 MS.EXO.3.1v1 MS.EXO.4.1v1 MS.EXO.4.2v1 MS.EXO.4.3v1 MS.EXO.4.4v1 MS.EXO.7.1v1"
            " MS.SECURITYSUITE.1.1v1 MS.SECURITYSUITE.1.2v1 MS.SECURITYSUITE.1.3v1 MS.SECURITYSUITE.1.4v1"
            " MS.SECURITYSUITE.2.1v1 MS.SECURITYSUITE.2.2v1 MS.SECURITYSUITE.2.3v1 MS.SECURITYSUITE.2.4v1"
            " MS.SECURITYSUITE.6.1v1 MS.SECURITYSUITE.6.2v1 MS.SECURITYSUITE.7.1v1 MS.SECURITYSUITE.7.2v1"
            " MS.SECURITYSUITE.7.3v1 MS.SECURITYSUITE.8.1v1 MS.SECURITYSUITE.8.2v1"
        ),
        "protection and labels of data": (
            "MS.POWERBI.7.1v1 MS.SECURITYSUITE.3.1v1 MS.SECURITYSUITE.3.2v1 MS.SECURITYSUITE.3.3v1"
            " MS.SECURITYSUITE.3.4v1 MS.SECURITYSUITE.3.5v1"
        ),
        "alerts on attacks against users and mail": "MS.SECURITYSUITE.4.1v1 MS.SECURITYSUITE.4.2v1",
        "which service principals may call Power BI, and not their credentials": "MS.POWERBI.4.1v1 MS.POWERBI.4.2v1",
        "Power Platform, and scripts in Power BI": (
            "MS.POWERBI.6.1v1 MS.POWERPLATFORM.1.1v1 MS.POWERPLATFORM.1.2v1 MS.POWERPLATFORM.2.1v1"
            " MS.POWERPLATFORM.2.2v1 MS.POWERPLATFORM.3.1v1 MS.POWERPLATFORM.3.2v1 MS.POWERPLATFORM.4.1v1"
            " MS.POWERPLATFORM.5.1v1 MS.POWERPLATFORM.6.1v1"
        ),
        "meetings and channels of Teams": (
            "MS.TEAMS.1.1v1 MS.TEAMS.1.2v2 MS.TEAMS.1.3v1 MS.TEAMS.1.4v1 MS.TEAMS.1.5v1 MS.TEAMS.1.6v1 MS.TEAMS.1.7v2"
            " MS.TEAMS.2.1v2 MS.TEAMS.2.2v2 MS.TEAMS.2.3v2 MS.TEAMS.4.1v1 MS.TEAMS.5.1v2 MS.TEAMS.5.2v2 MS.TEAMS.5.3v2"
        ),
    },
)
