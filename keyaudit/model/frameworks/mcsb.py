"""Microsoft cloud security benchmark."""

from keyaudit.model.frameworks.framework import Framework

MCSB = Framework(
    key="mcsb",
    title="Microsoft cloud security benchmark",
    edition="version 1",
    source="the mappings of Azure/azure-policy, commit f4a50ba",
    profile="mcsb",
    controls={
        "DP-6": "Keys are managed over their whole life",
        "DP-7": "Certificates are managed over their whole life",
        "DP-8": "What holds keys and certificates is secure",
        "IM-1": "Identities are managed in one place",
        "IM-3": "Identities of applications are managed securely",
        "IM-8": "Credentials and secrets are not exposed",
        "LT-1": "Threats are detected",
        "LT-3": "What an investigation needs is logged",
        "LT-4": "Networks are logged for an investigation",
        "LT-5": "Logs are kept and analysed in one place",
        "LT-6": "Logs are kept long enough",
        "NS-2": "Cloud services are closed off by network controls",
        "PA-1": "Highly privileged users are kept apart and few",
        "PA-2": "Privileges do not stand for ever",
        "PA-7": "Administration follows least privilege",
    },
)
