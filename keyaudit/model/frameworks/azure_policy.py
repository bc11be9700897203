"""Azure Policy: built-in definitions of the same meaning, by their whole id."""

import re

from keyaudit.model.frameworks.framework import Framework

AZURE_POLICY = Framework(
    key="azure-policy",
    title="Azure Policy, built-in definitions of the same meaning",
    edition="built-in",
    source="the definitions that policies map to; Azure/azure-policy, commit f4a50ba",
    controls={
        "0a075868-4c26-42ef-914c-5bc007359560": "Certificates have a maximum validity period",
        "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53": "Vaults have deletion protection",
        "12d4fa5e-1f9f-4c21-97a9-b99b3c6611b5": "Vaults are under Azure RBAC",
        "12ef42cb-9903-4e39-9c26-422d29570417": "Certificates have a lifetime action",
        "152b15f7-8e1f-4c1f-ab71-8c010ba5dbc0": "Keys have an expiry",
        "19ea9d63-adee-4431-a95e-1913c6c1c75f": "Managed HSMs are closed to public networks",
        "1d478a74-21ba-4b9f-9d8f-8e6fced0eec5": "Keys of Managed HSMs have an expiry",
        "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d": "Vaults have soft delete",
        "405c5871-3e91-4644-8a63-58e19d68ff5b": "Vaults are closed to public networks",
        "55615ac9-af46-4a59-874e-391cc3dfb490": "Vaults have a firewall",
        "587c79fe-dd04-4a5e-9d0b-f89598c7261b": "Keys are in an HSM",
        "5ff38825-c5d8-47c5-b70e-069a21955146": "Keys have a minimum number of days left",
        "82067dbb-e53b-4e06-b631-546d197452d9": "RSA keys have a minimum size",
        "86810a98-8e91-4a44-8386-ec66d0de5d57": "RSA keys of Managed HSMs have a minimum size",
        "98728c90-32c7-4049-8429-847dc0f4fe37": "Secrets have an expiry",
        "a2a5b911-5617-447e-a49e-59dbe0e0434b": "Managed HSMs log",
        "a6abeaec-4d90-4a02-805f-6b26c4d3fbe9": "Vaults use private links",
        "ad27588c-0198-4c84-81ef-08efd0274653": "Keys of Managed HSMs have a minimum number of days left",
        "c26e4b24-cf98-4c67-b48b-5a25c4c69eb9": "Keys are active for a maximum number of days",
        "c39ba22d-4428-4149-b981-70acb31fc383": "Managed HSMs have purge protection",
        "cee51871-e572-4576-855c-047c820360f0": "RSA certificates have a minimum key size",
        "cf820ca0-f99e-4f3e-84fb-66e913812d21": "Vaults log",
        "d8cf8476-a2ec-4916-896e-992351803c44": "Keys have a rotation policy",
        "e58fd0c1-feac-4d12-92db-0a7e9421f53e": "Elliptic-curve keys of Managed HSMs are on accepted curves",
        "e8d99835-8a06-45ae-a8e0-87a91941ccfe": "Secrets are active for a maximum number of days",
        "f772fb64-8e40-40ad-87bc-7706e1949427": "Certificates have a minimum number of days left",
        "ff25f3c8-b739-4538-9d07-3d6d25cfb255": "Elliptic-curve keys are on accepted curves",
    },
    form=re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII),
)
