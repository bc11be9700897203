"""Frameworks that policies map to: each edition declared once, with its controls and short titles in our own words.

One file per framework, one line per control. They are declared in the model because both the policy loader, which checks
mappings, and reports, which list controls without a policy, need them.
"""

from keyaudit.model.frameworks.azure_policy import AZURE_POLICY
from keyaudit.model.frameworks.cis_azure import CIS_AZURE
from keyaudit.model.frameworks.cis_m365 import CIS_M365
from keyaudit.model.frameworks.dora import DORA
from keyaudit.model.frameworks.framework import Framework
from keyaudit.model.frameworks.iso_27001 import ISO_27001
from keyaudit.model.frameworks.mcsb import MCSB
from keyaudit.model.frameworks.mcsb_2 import MCSB_2
from keyaudit.model.frameworks.mitre_attack import MITRE_ATTACK
from keyaudit.model.frameworks.nist_800_53 import NIST_800_53
from keyaudit.model.frameworks.pci_dss import PCI_DSS
from keyaudit.model.frameworks.scuba import SCUBA
from keyaudit.model.frameworks.soc_2 import SOC_2

__all__ = ["FRAMEWORKS", "Framework"]

FRAMEWORKS: dict[str, Framework] = {
    each.key: each
    for each in (
        CIS_AZURE, CIS_M365, SCUBA, MCSB, MCSB_2, NIST_800_53, PCI_DSS, ISO_27001, SOC_2, DORA, MITRE_ATTACK,
        AZURE_POLICY,
    )
}  # fmt: skip
"""Frameworks by the key that policies use."""
