"""Built-in definitions of Azure Policy: their parameters, effects, and differences from policies.

Parameters, effects and rules are those of https://github.com/Azure/azure-policy, built-in-policies/policyDefinitions.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field


class Effect(StrEnum):
    """The effect parameters of the initiative, one for each set of allowed effects."""

    DENIES = "effect"
    AUDITS = "auditEffect"
    LOOKS = "existenceEffect"


EFFECTS: Mapping[Effect, tuple[str, ...]] = {
    Effect.DENIES: ("Audit", "Deny", "Disabled"),
    Effect.AUDITS: ("Audit", "Disabled"),
    Effect.LOOKS: ("AuditIfNotExists", "Disabled"),
}
"""The allowed values of each, the default first."""


class Unit(StrEnum):
    """The unit of a definition."""

    DAYS = "days"
    NUMBER = "number"
    NAMES = "names"


class Takes(Struct, frozen=True):
    """A definition's parameter: the policy's limit for it, and its allowed values, if restricted."""

    limit: str
    unit: Unit
    allowed: tuple[str | int, ...] = ()

    @property
    def days(self) -> bool:
        """Whether the limit is a duration."""
        return self.unit is Unit.DAYS


class BuiltIn(Struct, frozen=True, kw_only=True):
    """One definition."""

    effect: Effect = Effect.DENIES
    takes: Mapping[str, Takes] = field(default_factory=dict)
    """Limits by the definition's parameter."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Parameters without a policy's limit."""
    fits: tuple[str, frozenset[str]] | None = None
    """A list parameter of the policy with its required exact content; None: it fits any limits."""
    differs: str = ""
    """Its differences from the policy in both directions, beginning with a verb."""
    unfit: str = ""
    """Why it fits no policy at all."""


_RSA = Takes("min_rsa", Unit.NUMBER, (2048, 3072, 4096))
_FIREWALL = ("allowed", frozenset({"chosen-networks", "private-endpoints"}))
_PRIVATE = ("allowed", frozenset({"private-endpoints"}))
_CURVES = Takes("curves", Unit.NAMES, ("P-256", "P-256K", "P-384", "P-521"))
_EXPIRING = BuiltIn(
    takes={"minimumDaysBeforeExpiration": Takes("warn", Unit.DAYS)},
    differs="also reports keys that will rotate in time",
)
# Retention in a diagnostic setting is a retired feature: the minimum, so that the definition only requires logs.
_RETENTION = {"requiredRetentionDays": "1"}

BUILT_INS: Mapping[str, BuiltIn] = {
    # Certificates
    "0a075868-4c26-42ef-914c-5bc007359560": BuiltIn(
        takes={"maximumValidityInMonths": Takes("max_months", Unit.NUMBER)},
        differs="checks only the validity in months in a certificate's policy",
    ),
    "12ef42cb-9903-4e39-9c26-422d29570417": BuiltIn(
        unfit="the definition checks the time of a certificate's renewal, not whether it renews"
    ),
    "cee51871-e572-4576-855c-047c820360f0": BuiltIn(takes={"minimumRSAKeySize": _RSA}),
    "f772fb64-8e40-40ad-87bc-7706e1949427": BuiltIn(
        takes={"daysToExpire": Takes("warn", Unit.DAYS)}, differs="also reports certificates that will renew in time"
    ),
    # Keys of vaults
    "152b15f7-8e1f-4c1f-ab71-8c010ba5dbc0": BuiltIn(),
    "587c79fe-dd04-4a5e-9d0b-f89598c7261b": BuiltIn(),
    "5ff38825-c5d8-47c5-b70e-069a21955146": _EXPIRING,
    "82067dbb-e53b-4e06-b631-546d197452d9": BuiltIn(takes={"minimumRSAKeySize": _RSA}),
    "c26e4b24-cf98-4c67-b48b-5a25c4c69eb9": BuiltIn(
        takes={"maximumValidityInDays": Takes("max_age", Unit.DAYS)},
        differs="counts from the activation date of a key, if set; sees no keys of Managed HSMs",
    ),
    "d8cf8476-a2ec-4916-896e-992351803c44": BuiltIn(
        effect=Effect.AUDITS,
        takes={"maximumDaysToRotate": Takes("max_rotate_after", Unit.DAYS)},
        differs="also reports keys that your own job rotates; sees no keys of Managed HSMs",
    ),
    "ff25f3c8-b739-4538-9d07-3d6d25cfb255": BuiltIn(takes={"allowedECNames": _CURVES}),
    # Keys of Managed HSMs
    "1d478a74-21ba-4b9f-9d8f-8e6fced0eec5": BuiltIn(),
    "86810a98-8e91-4a44-8386-ec66d0de5d57": BuiltIn(takes={"minimumRSAKeySize": _RSA}),
    "ad27588c-0198-4c84-81ef-08efd0274653": _EXPIRING,
    "e58fd0c1-feac-4d12-92db-0a7e9421f53e": BuiltIn(takes={"allowedECNames": _CURVES}),
    # Secrets
    "98728c90-32c7-4049-8429-847dc0f4fe37": BuiltIn(differs="also reports secrets that a tag marks as not being credentials"),
    "e8d99835-8a06-45ae-a8e0-87a91941ccfe": BuiltIn(
        takes={"maximumValidityInDays": Takes("max_age", Unit.DAYS)},
        differs="counts from the activation date of a secret, if set",
    ),
    # Vaults and Managed HSMs
    "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53": BuiltIn(),
    "12d4fa5e-1f9f-4c21-97a9-b99b3c6611b5": BuiltIn(),
    "19ea9d63-adee-4431-a95e-1913c6c1c75f": BuiltIn(fits=_FIREWALL, differs="checks only the firewall's default action"),
    "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d": BuiltIn(),
    "405c5871-3e91-4644-8a63-58e19d68ff5b": BuiltIn(fits=_PRIVATE),
    "55615ac9-af46-4a59-874e-391cc3dfb490": BuiltIn(fits=_FIREWALL, differs="checks only the firewall's default action"),
    "a2a5b911-5617-447e-a49e-59dbe0e0434b": BuiltIn(effect=Effect.LOOKS, fixed=_RETENTION, differs="accepts any log"),
    "a6abeaec-4d90-4a02-805f-6b26c4d3fbe9": BuiltIn(),
    "c39ba22d-4428-4149-b981-70acb31fc383": BuiltIn(),
    "cf820ca0-f99e-4f3e-84fb-66e913812d21": BuiltIn(effect=Effect.LOOKS, fixed=_RETENTION, differs="accepts any log"),
    # Other services
    "044985bb-afe1-42cd-8a36-9d5d42424537": BuiltIn(
        unfit="the definition knows only the limit that is set in a storage account"
    ),
    "0e6763cc-5078-4e64-889d-ff4d9a839047": BuiltIn(effect=Effect.LOOKS),
    "5d4e3c65-4873-47be-94f3-6f8b953a3598": BuiltIn(),
    "71ef260a-8f18-47b7-abcb-62d0673d94dc": BuiltIn(),
    "993c2fcd-2b29-49d2-9eb0-df2c3a730c32": BuiltIn(),
    "b08ab3ca-1062-4db3-8803-eec9cae605d6": BuiltIn(),
    "cfb11c26-f069-4c14-8e36-56c394dae5af": BuiltIn(),
    "dc921057-6b28-4fbe-9b83-f7bec05db6c2": BuiltIn(),
}
"""Definitions by id, for those that policies map to."""

_OWNERS = (
    "fd1a8e20-2c4f-4a6c-9354-b58d786d9a1f (preview) takes a list of GitHub owners that you trust, only for user-assigned "
    "identities: allow each as OWNER and as OWNER@ID, since it compares what is between repo: and the next slash; it sees no"
    " expressions"
)
NEAR: Mapping[str, str] = {
    "fed-fic-unknown-issuer": (
        "2571b7c3-3056-4a61-b00a-9bc5232234f5 (preview) takes kinds of issuers, only for user-assigned identities: it knows"
        " AKS, GitHub, AWS and Google, and any other issuer needs an exception;"
        " ae62c456-33de-4dc8-b100-7ce9028a7d99 (preview) takes the tenants whose AKS clusters you trust (allowedTenants,"
        " which has no default), and by allowedLocations and allowedClusterExceptions for their regions and single clusters, "
        "also only for user-assigned identities"
    ),
    "fed-fic-broad-subject": _OWNERS,
    "fed-fic-mutable-subject": _OWNERS,
}
"""By policy: a definition that comes close to it, but is in no document, since it needs names that only you know."""
