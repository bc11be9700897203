"""MITRE ATT&CK: techniques that a passed policy makes harder. It is a catalogue of attacks, not a standard to meet."""

import re

from keyaudit.model.frameworks.framework import Framework

MITRE_ATTACK = Framework(
    key="mitre-attack",
    title="MITRE ATT&CK, techniques that policies hinder",
    edition="Enterprise",
    source="what policies map to, by technique",
    controls={
        "T1078.004": "Valid accounts: cloud accounts",
        "T1098.001": "Account manipulation: additional cloud credentials",
        "T1098.003": "Account manipulation: additional cloud roles",
        "T1114.002": "Email collection: remote",
        "T1199": "Trusted relationship",
        "T1484.002": "Trust modification",
        "T1528": "Steal application access token",
        "T1550.001": "Application access token",
        "T1552.001": "Unsecured credentials: in files",
        "T1552.004": "Unsecured credentials: private keys",
        "T1552.005": "Unsecured credentials: instance metadata",
        "T1555.006": "Cloud secrets stores",
        "T1556.006": "Modify authentication: multi-factor authentication",
        "T1562.008": "Disable or modify cloud logs",
        "T1606": "Forge web credentials",
        "T1606.001": "Forge web credentials: web cookies",
        "T1606.002": "Forge web credentials: SAML tokens",
        "T1649": "Steal or forge authentication certificates",
    },
    form=re.compile(r"T\d{4}(?:\.\d{3})?", re.ASCII),
)
