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
        "MS.EXO.13.1v1": "Mailboxes are audited",
        "MS.SECURITYSUITE.5.1v1": "The unified audit log records",
        "MS.SECURITYSUITE.5.2v1": "Audit logs can be searched for 3 months and retrieved for 12",
    },
)
