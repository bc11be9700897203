"""ISO/IEC 27001."""

from keyaudit.model.frameworks.framework import Framework

ISO_27001 = Framework(
    key="iso-27001",
    title="ISO/IEC 27001, Annex A",
    edition="2022",
    source="the listing of prowler-cloud/prowler, prowler/compliance/azure/iso27001_2022_azure.json",
    controls={
        "A.5.15": "Access is governed",
        "A.5.17": "Authentication information is managed",
        "A.5.19": "Security in supplier relationships is managed",
        "A.8.2": "Privileged access is restricted",
        "A.8.15": "Activity is logged",
        "A.8.16": "Systems are monitored",
        "A.8.24": "Use of cryptography and keys is governed",
    },
)
