"""Regulation (EU) 2022/2554, DORA."""

import re

from keyaudit.model.frameworks.framework import Framework

DORA = Framework(
    key="dora",
    title="Regulation (EU) 2022/2554, DORA",
    edition="2022",
    source="what policies map to, by article; key expiry and rotation by the mapping of Azure/azure-policy, commit f4a50ba",
    controls={
        "9.3": "Protection and prevention: means to keep data secure",
        "9.4": "Protection and prevention: policies, access and keys",
        "28": "Third-party risk: general principles",
    },
    form=re.compile(r"[1-9]\d?(?:\.\d{1,2})?", re.ASCII),
)
