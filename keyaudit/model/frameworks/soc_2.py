"""SOC 2: the trust services criteria."""

from keyaudit.model.frameworks.framework import Framework

SOC_2 = Framework(
    key="soc-2",
    title="SOC 2, trust services criteria",
    edition="2017",
    source="the mappings of Azure/azure-policy, commit f4a50ba",
    controls={
        "CC6.1": "Logical access to protected assets is restricted",
        "CC6.2": "Credentials are issued to authorised users, and removed",
        "CC7.2": "Anomalies are monitored",
    },
)
