"""Microsoft cloud security benchmark, version 2.

The groups of Azure Policy's initiative e3ec7e09-768c-4b64-882c-fcada3772047 are still called Azure_Security_Benchmark_v3.0_DP-6
and so on; controls have the last part of these names.
"""

from keyaudit.model.frameworks.framework import Framework

MCSB_2 = Framework(
    key="mcsb-2",
    title="Microsoft cloud security benchmark",
    edition="version 2 (preview)",
    source="the initiative e3ec7e09-768c-4b64-882c-fcada3772047, version 1.3.0, of Azure/azure-policy",
    profile="mcsb",
    controls={
        "DP-5": "Data at rest is encrypted with customer-managed keys where required",
        "DP-6": "Keys and secrets are managed throughout their life cycle",
        "DP-7": "Certificates are managed throughout their life cycle",
        "DP-8": "Key and certificate stores are secure",
        "IM-3": "Identities of applications are managed securely",
        "LT-3": "Events are logged for investigations",
        "PA-7": "Administrators have least privilege",
    },
)
