"""Built-in definitions of Azure Policy about keys and credentials, with the parameters that they declare.

From https://github.com/Azure/azure-policy, built-in-policies/policyDefinitions.
"""

from collections.abc import Mapping

from msgspec import Struct


class Declared(Struct, frozen=True):
    """A definition's parameter. One that has a default may be left out."""

    type: str
    allowed: tuple[object, ...] = ()
    required: bool = True


_DENIES = Declared("String", ("Audit", "Deny", "Disabled"), required=False)
_AUDITS = Declared("String", ("Audit", "Disabled"), required=False)
_LOOKS = Declared("String", ("AuditIfNotExists", "Disabled"), required=False)
_RETENTION = Declared("String", required=False)
_DAYS = Declared("Integer")
_SIZE = Declared("Integer", (2048, 3072, 4096))
_CURVES = Declared("Array", ("P-256", "P-256K", "P-384", "P-521"), required=False)

DEFINITIONS: Mapping[str, Mapping[str, Declared]] = {
    "044985bb-afe1-42cd-8a36-9d5d42424537": {"effect": _DENIES},
    "0a075868-4c26-42ef-914c-5bc007359560": {"effect": _DENIES, "maximumValidityInMonths": Declared("Integer", required=False)},
    "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53": {"effect": _DENIES},
    "0e6763cc-5078-4e64-889d-ff4d9a839047": {"effect": _LOOKS},
    "12d4fa5e-1f9f-4c21-97a9-b99b3c6611b5": {"effect": _DENIES},
    "12ef42cb-9903-4e39-9c26-422d29570417": {
        "effect": _DENIES,
        "maximumPercentageLife": Declared("Integer"),
        "minimumDaysBeforeExpiry": _DAYS,
    },
    "152b15f7-8e1f-4c1f-ab71-8c010ba5dbc0": {"effect": _DENIES},
    "1d478a74-21ba-4b9f-9d8f-8e6fced0eec5": {"effect": _DENIES},
    "19ea9d63-adee-4431-a95e-1913c6c1c75f": {"effect": _DENIES},
    "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d": {"effect": _DENIES},
    "405c5871-3e91-4644-8a63-58e19d68ff5b": {"effect": _DENIES},
    "55615ac9-af46-4a59-874e-391cc3dfb490": {"effect": _DENIES},
    "587c79fe-dd04-4a5e-9d0b-f89598c7261b": {"effect": _DENIES},
    "5d4e3c65-4873-47be-94f3-6f8b953a3598": {"effect": _DENIES},
    "5ff38825-c5d8-47c5-b70e-069a21955146": {"effect": _DENIES, "minimumDaysBeforeExpiration": _DAYS},
    "71ef260a-8f18-47b7-abcb-62d0673d94dc": {"effect": _DENIES},
    "82067dbb-e53b-4e06-b631-546d197452d9": {"effect": _DENIES, "minimumRSAKeySize": _SIZE},
    "86810a98-8e91-4a44-8386-ec66d0de5d57": {
        "effect": _DENIES,
        "minimumRSAKeySize": Declared("Integer", _SIZE.allowed, required=False),
    },
    "98728c90-32c7-4049-8429-847dc0f4fe37": {"effect": _DENIES},
    "993c2fcd-2b29-49d2-9eb0-df2c3a730c32": {"effect": _DENIES},
    "a2a5b911-5617-447e-a49e-59dbe0e0434b": {"effect": _LOOKS, "requiredRetentionDays": _RETENTION},
    "a6abeaec-4d90-4a02-805f-6b26c4d3fbe9": {"effect": _DENIES},
    "ad27588c-0198-4c84-81ef-08efd0274653": {
        "effect": _DENIES,
        "minimumDaysBeforeExpiration": Declared("Integer", required=False),
    },
    "b08ab3ca-1062-4db3-8803-eec9cae605d6": {"effect": _DENIES},
    "c26e4b24-cf98-4c67-b48b-5a25c4c69eb9": {"effect": _DENIES, "maximumValidityInDays": _DAYS},
    "c39ba22d-4428-4149-b981-70acb31fc383": {"effect": _DENIES},
    "cee51871-e572-4576-855c-047c820360f0": {"effect": _DENIES, "minimumRSAKeySize": _SIZE},
    "cf820ca0-f99e-4f3e-84fb-66e913812d21": {"effect": _LOOKS, "requiredRetentionDays": _RETENTION},
    "cfb11c26-f069-4c14-8e36-56c394dae5af": {"effect": _DENIES},
    "d8cf8476-a2ec-4916-896e-992351803c44": {"effect": _AUDITS, "maximumDaysToRotate": _DAYS},
    "dc921057-6b28-4fbe-9b83-f7bec05db6c2": {"effect": _DENIES},
    "e58fd0c1-feac-4d12-92db-0a7e9421f53e": {"effect": _DENIES, "allowedECNames": _CURVES},
    "e8d99835-8a06-45ae-a8e0-87a91941ccfe": {"effect": _DENIES, "maximumValidityInDays": _DAYS},
    "f772fb64-8e40-40ad-87bc-7706e1949427": {"effect": _DENIES, "daysToExpire": _DAYS},
    "ff25f3c8-b739-4538-9d07-3d6d25cfb255": {"effect": _DENIES, "allowedECNames": _CURVES},
}
"""By id."""
