"""The scale of token-signing certificates."""

from keyaudit.inventory.scores import age
from keyaudit.inventory.scores.ladder import NONE, Ladder, Override, Rung, Scale, absent, every, present
from keyaudit.model.findings import Severity
from keyaudit.model.reasons import Reason

# Whether Entra checks the expiration date of others' certificates is not documented; its own sign after expiry.
_RETIRED = every("active", "kind IN ('saml', 'application')", present("expires_on", "expires_on <= fact_as_of"))
_DATES = ("starts_on", "expires_on")

SIGNING_CERTIFICATE = Scale(
    blast_radius=Ladder(
        (
            Rung(
                5,
                every("active", "kind IN ('federated-domain', 'external-idp')"),
                "a trust anchor: it can sign in as any user of {holder_name}",
                ("active",),
            ),
            Rung(2, "active", "it can sign in as any user of one application", ("active",)),
        ),
        1,
        "it is not in use",
    ),
    exposure=Ladder(
        (Rung(4, "CASE WHEN custody = 'platform' THEN FALSE END", "", ("custody",), Reason.NOT_SUPPLIED),),
        1,
        "held by the platform, or no better than that",
    ),
    age=age.ladder(
        _DATES,
        ("expires_on", "starts_on"),
        Rung(4, _RETIRED, "it has expired, and Entra still signs with it", ("active", "expires_on")),
        Rung(4, absent("expires_on"), "it has no end", ("expires_on",)),
    ),
    overrides=(
        Override(
            name="retired",
            holds=_RETIRED,
            because="it has expired, and Entra still signs with it: high at least",
            reads=("active", "expires_on"),
            floor=Severity.HIGH,
        ),
    ),
    facts=NONE,
    ages=age.ages(_DATES, str(age.SIGNING_LIMIT)),
)
