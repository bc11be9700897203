"""CISA's Secure Cloud Business Applications baselines."""

from keyaudit.model.frameworks.framework import Framework

SCUBA = Framework(
    key="scuba",
    title="CISA SCuBA baselines for Microsoft 365",
    edition="of August 2026",
    source="cisagov/ScubaGear, commit 4d34e9a",
    profile="scuba",
    controls={
        "MS.AAD.4.1v1": "Entra ID's logs go to the security operations centre",
        "MS.AAD.5.1v1": "Only administrators register applications",
        "MS.AAD.5.2v1": "Consent of users to applications is restricted",
        "MS.AAD.5.3v1": "Consent can be asked for from an administrator",
        "MS.AAD.5.5v1": "Passwords cannot be added to applications",
        "MS.AAD.5.6v1": "Applications' passwords last 180 days at most",
        "MS.AAD.5.7v1": "Applications' certificates last 365 days at most",
        "MS.EXO.13.1v1": "Mailboxes are audited",
        "MS.SECURITYSUITE.5.1v1": "The unified audit log records",
        "MS.SECURITYSUITE.5.2v1": "Audit logs can be searched for 3 months and retrieved for 12",
    },
)
