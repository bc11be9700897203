"""PCI DSS. Requirements 3.6 and 3.7 apply to keys that protect stored account data; no API shows which keys do."""

from keyaudit.model.frameworks.framework import Framework

PCI_DSS = Framework(
    key="pci-dss-4",
    title="PCI DSS, if in scope",
    edition="4.0.1",
    source="PCI DSS v4.0.1; 3.6 and 3.7 apply only to keys that protect stored account data",
    profile="pci",
    # 8.6.3 is about passwords, 3.7.4 asks for a process that changes keys and not for an automatic one, and 3.7.5 lets keys be
    # kept that only decrypt.
    exempts=frozenset({"keyaudit:non-credential", "keyaudit:rotator", "keyaudit:archive"}),
    controls={
        "3.6.1": "Procedures protect keys",
        "3.6.1.2": "Secret and private keys are stored in an accepted form",
        "3.6.1.3": "As few custodians as possible have access to keys",
        "3.6.1.4": "Keys are in as few places as possible",
        "3.7.1": "Generated keys are strong",
        "3.7.2": "Keys are distributed securely",
        "3.7.3": "Keys are stored securely",
        "3.7.4": "Keys are changed at the end of their cryptoperiod",
        "3.7.5": "Expired or weakened keys are retired or replaced",
        "3.7.6": "Manual key operations need split knowledge and dual control",
        "3.7.7": "Keys cannot be substituted unnoticed",
        "3.7.8": "Custodians acknowledge their duties",
        "3.7.9": "Customers are told how to handle shared keys",
        "7.2": "Access is granted by need to know",
        "7.2.4": "Access of users is reviewed",
        "7.2.5": "Accounts of applications and systems have least privilege",
        "7.2.5.1": "Access of applications and systems is reviewed",
        "8.6.3": "Secrets of applications and systems are protected and changed",
        "10.2.1": "Audit logs are on",
        "10.4.1": "Audit logs are reviewed each day",
        "10.4.1.1": "Audit logs are reviewed by automated means",
        "10.5.1": "Audit logs are kept for 12 months, 3 of them immediately available",
    },
)
