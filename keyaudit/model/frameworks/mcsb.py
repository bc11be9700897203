"""Microsoft cloud security benchmark."""

from keyaudit.model.frameworks.framework import Framework

MCSB = Framework(
    key="mcsb",
    title="Microsoft cloud security benchmark",
    edition="version 1",
    source="the mappings of Azure/azure-policy, commit f4a50ba",
    profile="mcsb",
    controls={
        "DP-6": "Keys are managed throughout their life cycle",
        "DP-7": "Certificates are managed throughout their life cycle",
        "DP-8": "Key and certificate stores are secure",
        "IM-1": "Identities are managed in one place",
        "IM-3": "Identities of applications are managed securely",
        "IM-8": "Credentials and secrets are not exposed",
        "LT-1": "Threats are detected",
        "LT-3": "Events are logged for investigations",
        "LT-4": "Network traffic is logged for investigations",
        "LT-5": "Logs are kept and analysed in one place",
        "LT-6": "Logs are kept long enough",
        "NS-2": "Cloud services are protected by network controls",
        "PA-1": "Highly privileged users are separate and limited",
        "PA-2": "No standing access for privileged accounts",
        "PA-7": "Administrators have least privilege",
    },
)
