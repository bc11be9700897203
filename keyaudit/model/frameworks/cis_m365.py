"""CIS Microsoft 365 Foundations Benchmark."""

from keyaudit.model.frameworks.framework import Framework

CIS_M365 = Framework(
    key="cis-m365-7",
    title="CIS Microsoft 365 Foundations Benchmark",
    edition="7.0",
    source="the listing of prowler-cloud/prowler, prowler/compliance/m365/cis_7.0_m365.json",
    profile="cis-m365-7",
    controls={
        "3.1.1": "The unified audit log records, and can be searched",
        "5.1.2.2": "Users cannot register applications",
        "5.1.5.1": "Users cannot consent to applications",
        "5.1.5.2": "Consent can be asked for from an administrator",
        "5.1.5.3": "Passwords cannot be added to applications",
        "5.1.5.4": "Applications' passwords last 180 days at most",
        "5.1.5.5": "Applications' passwords are made by the service",
        "5.1.5.6": "Applications' certificates last 180 days at most",
        "6.1.1": "Auditing of mailboxes is not off for the organisation",
        "6.1.2": "Mailboxes record the actions that matter",
        "6.1.3": "Nobody bypasses auditing of mailboxes",
    },
)
