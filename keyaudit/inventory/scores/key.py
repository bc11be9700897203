"""The scale of keys, by version. Metadata shows the value of a key only by who can use it."""

from keyaudit.inventory.scores import age
from keyaudit.inventory.scores.ladder import Ladder, Override, Rung, Scale, absent, either, every, more_than, present
from keyaudit.inventory.scores.vault import BLIND, OF_VAULT
from keyaudit.model.findings import Severity

NARROW = 3
"""The number of principals that may use a key before its access counts as broad."""
PRIVATE = 2
"""The number of principals that may use a key in a Managed HSM with the lowest exposure."""

_ALIVE = every("enabled", "purpose <> 'public'")
_LIVES = ("enabled", "purpose")


def users(who: str, least: int) -> str:
    """SQL: whether more than `least` principals can use the key for its purpose."""
    signing, decrypting = (more_than(f"{who}_{action}", least) for action in ("signing", "decrypting"))
    return f"CASE purpose WHEN 'sign' THEN {signing} WHEN 'wrap' THEN {decrypting} WHEN 'public' THEN FALSE END"


def _reads(who: str) -> tuple[str, ...]:
    return (*_LIVES, f"{who}_signing", f"{who}_decrypting")


_ENVIRONMENTS = more_than("user_environments", 1)

BLAST_RADIUS = Ladder(
    (
        Rung(
            5,
            every(_ALIVE, "purpose = 'sign'", _ENVIRONMENTS),
            "used across {user_environments} environments",
            (*_LIVES, "user_environments"),
        ),
        Rung(
            4,
            every(_ALIVE, _ENVIRONMENTS),
            "its users and it are of {user_environments} environments",
            (*_LIVES, "user_environments"),
        ),
        Rung(
            4,
            every(_ALIVE, more_than("user_subscriptions", 1)),
            "its users and it are of {user_subscriptions} subscriptions",
            (*_LIVES, "user_subscriptions"),
        ),
        Rung(
            4,
            every(_ALIVE, users("foreign", 0)),
            "guests or applications of other tenants can use it",
            _reads("foreign"),
        ),
        Rung(
            3,
            every(_ALIVE, either(users("workloads", 1), more_than("used_by", 1))),
            "several workloads use it",
            (*_reads("workloads"), "used_by"),
        ),
        Rung(
            2,
            every(_ALIVE, either(users("principals", 0), more_than("used_by", 0))),
            "no more than one workload uses it",
            (*_reads("principals"), "used_by"),
        ),
    ),
    1,
    "nobody can use it: it is disabled, or has no private part, or nobody was given a right to it",
)
"""The ladder over the columns of the view of keys; it also computes the column `blast_radius`."""

_EXPOSURE = Ladder(
    (
        Rung(4, "exportable", "its private part may leave under a release policy", ("exportable",)),
        Rung(4, "fact_network_open", "its vault can be reached from any network", ("fact_network_open",)),
        Rung(4, users("principals", NARROW), f"more than {NARROW} principals can use it", _reads("principals")[1:]),
        Rung(4, _ENVIRONMENTS, "its users and it are of {user_environments} environments", ("user_environments",)),
        # Only a Managed HSM is a single-tenant HSM.
        Rung(4, "CASE WHEN custody IS NULL AND vault_kind <> 'managed-hsm' THEN NULL ELSE FALSE END", "", ("custody",)),
        Rung(
            3,
            "CASE WHEN vault_kind = 'managed-hsm' THEN FALSE ELSE custody = 'software' END",
            "a software key: its vault holds it outside of an HSM",
            ("custody",),
        ),
        Rung(
            2,
            either("vault_kind <> 'managed-hsm'", users("principals", PRIVATE)),
            "an HSM key that does not leave, on a private network",
            _reads("principals")[1:],
        ),
    ),
    1,
    f"in an HSM of its own, on a private network, and no more than {PRIVATE} principals can use it",
)

_RETIRED = every("enabled", either("NOT is_current", present("expires_on", "expires_on <= fact_as_of")))
# A rotation replaces the current version like its expiry does; without one there is no bound.
_ENDS = (
    f"CASE WHEN {absent('expires_on')} THEN rotates_on WHEN {absent('rotates_on')} THEN expires_on"
    " WHEN expires_on IS NOT NULL AND rotates_on IS NOT NULL THEN least(expires_on, rotates_on) END"
)
_DATES = ("created_on", f"({_ENDS})")
_READS = ("created_on", "expires_on", "rotates_on")

KEY = Scale(
    blast_radius=BLAST_RADIUS,
    exposure=_EXPOSURE,
    age=age.ladder(
        _DATES,
        _READS,
        Rung(4, _RETIRED, "retired, and the vault still accepts it", ("enabled", "is_current", "expires_on")),
        Rung(
            4,
            every(absent("expires_on"), absent("rotates_on")),
            "it has no end, and nothing rotates it",
            ("expires_on", "rotates_on"),
        ),
        Rung(4, absent("created_on"), "made before the service kept dates", ("created_on",)),
    ),
    overrides=(
        Override(
            name="retired",
            holds=_RETIRED,
            because="retired, and the vault still accepts it: high at least",
            reads=("enabled", "is_current", "expires_on"),
            floor=Severity.HIGH,
        ),
        BLIND,
    ),
    facts=OF_VAULT,
    ages=age.ages(_DATES, str(age.KEY_LIMIT)),
)
