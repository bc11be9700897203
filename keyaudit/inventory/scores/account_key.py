"""The scale of account keys of other services."""

from keyaudit.inventory.scores import age
from keyaudit.inventory.scores.ladder import NONE, Ladder, Rung, Scale, absent, every

_DATES = ("created_on", None)

ACCOUNT_KEY = Scale(
    blast_radius=Ladder(
        (Rung(2, "local_auth_enabled", "its holder has full access to the account", ("local_auth_enabled",)),),
        1,
        "the account takes no keys",
    ),
    exposure=Ladder(
        (Rung(5, "local_auth_enabled", "a secret text, usable from any copy", ("local_auth_enabled",)),),
        1,
        "the account takes no keys",
    ),
    # Such a key has no expiration date: its age is the time since it was regenerated.
    age=age.ladder(
        _DATES,
        ("created_on",),
        Rung(4, every("dated", absent("created_on")), "made before the service kept dates", ("created_on",)),
    ),
    facts=NONE,
    ages=age.ages(_DATES, str(age.SECRET_LIMIT)),
)
