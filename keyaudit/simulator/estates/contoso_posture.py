"""Contoso's rules for applications and users: limits on secrets that reach new applications only, and one old exception."""

from collections.abc import Iterable

from keyaudit.simulator.estate import Application, AppManagementPolicy, Posture, Restriction, Restrictions
from keyaudit.simulator.estates.ids import DAY, Ground

_EXCEPTED = "Warehouse Scanner Gateway"


def contoso_posture(applications: Iterable[Application], ground: Ground) -> Posture:
    """The posture as it stands at the ground's `as_of`. The service wants less than a limit, so that 181 days are 180."""
    since = ground.as_of - 420 * DAY
    excepted = tuple(sorted(one.id for one in applications if one.name == _EXCEPTED))
    return Posture(
        default_enabled=True,
        for_applications=Restrictions(
            passwords=(
                Restriction(type="passwordLifetime", max_lifetime="P181D", created_after=since),
                Restriction(type="customPasswordAddition", created_after=since),
                Restriction(type="symmetricKeyAddition", state="disabled"),
            ),
            keys=(
                Restriction(
                    type="asymmetricKeyLifetime",
                    max_lifetime="P366D",
                    created_after=since,
                    exempt=(("Operations_Role", "pki-automation"),),
                ),
            ),
        ),
        for_service_principals=Restrictions(
            passwords=(Restriction(type="passwordLifetime", state="disabled", max_lifetime="P181D"),)
        ),
        policies=(
            AppManagementPolicy(
                id=ground.guid("app management policy", "legacy"),
                name="Legacy exception",
                restrictions=Restrictions(passwords=(Restriction(type="passwordLifetime", max_lifetime="P731D"),)),
                assigned_to=excepted,
            ),
        ),
        security_defaults=False,
    )
