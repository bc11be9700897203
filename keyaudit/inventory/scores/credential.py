"""The scale of credentials."""

from keyaudit.inventory.scores import age, holder
from keyaudit.inventory.scores.ladder import Ladder, Override, Rung, Scale, absent, either, every, present
from keyaudit.model.findings import Severity
from keyaudit.model.reasons import Reason

_ALIVE = either(absent("expires_on"), present("expires_on", "expires_on > fact_as_of"))
_OF_PLATFORM = every("kind = 'certificate'", "holder_type = 'ManagedIdentity'")
_SHARED = "kind IN ('password', 'symmetric-key')"
_CERTIFICATE = every("kind = 'certificate'", "holder_type <> 'ManagedIdentity'")
_BROAD = either(absent("subject"), present("subject", "contains(subject, '*')"))
_RETIRED = every("superseded_in_vault", _ALIVE)
_FEDERATED = "kind = 'federated'"
_LIMIT = f"CASE WHEN {_SHARED} THEN {age.SECRET_LIMIT} WHEN kind IS NOT NULL THEN {age.CERTIFICATE_LIMIT} END"
_DATES = (
    f"(CASE WHEN {_FEDERATED} THEN fact_as_of ELSE starts_on END)",
    f"(CASE WHEN {_FEDERATED} THEN fact_as_of ELSE expires_on END)",
)

_EXPOSURE = Ladder(
    (
        Rung(5, every(_SHARED, _ALIVE), "a secret text, usable from any copy", ("kind", "expires_on")),
        Rung(
            4,
            every(_CERTIFICATE, _ALIVE, present("private_exportable", "private_exportable")),
            "its private half can be read from a vault as a secret",
            ("kind", "holder_type", "expires_on", "private_exportable"),
        ),
        # External: it is in no vault, and no API shows where it is stored.
        Rung(
            4,
            every(_CERTIFICATE, _ALIVE, "CASE WHEN custody IN ('platform', 'vault-hsm', 'software') THEN FALSE END"),
            "",
            ("kind", "holder_type", "expires_on", "custody"),
            Reason.NOT_SUPPLIED,
        ),
        Rung(4, every(_FEDERATED, _BROAD), "federated, and no exact subject is asked for", ("kind", "subject")),
        Rung(
            3,
            every(_CERTIFICATE, _ALIVE, "custody = 'software'"),
            "a software key in a vault",
            ("kind", "holder_type", "expires_on", "custody"),
        ),
        Rung(
            2,
            every(_CERTIFICATE, _ALIVE, "custody = 'vault-hsm'"),
            "an HSM key that does not leave",
            ("kind", "holder_type", "expires_on", "custody"),
        ),
        Rung(2, _FEDERATED, "federated, with an exact subject", ("kind",)),
    ),
    1,
    "held by the platform, or expired, so that nobody can misuse it",
)

_AGE = age.ladder(
    _DATES,
    ("kind", "expires_on", "starts_on"),
    Rung(4, _RETIRED, "retired: its vault has a newer one, and Entra still accepts it", ("superseded_in_vault", "expires_on")),
    Rung(4, every("kind <> 'federated'", absent("expires_on")), "it has no end", ("kind", "expires_on")),
    least=(Rung(1, _FEDERATED, "federated: it holds no secret that could age", ("kind",)),),
)

CREDENTIAL = Scale(
    blast_radius=Ladder(holder.rungs(_ALIVE, "expires_on"), 1, "its holder was granted nothing, or it has expired"),
    exposure=_EXPOSURE,
    age=_AGE,
    overrides=(
        Override(
            name="retired",
            holds=_RETIRED,
            because="retired: its vault has a newer one, and Entra still accepts it: high at least",
            reads=("superseded_in_vault", "expires_on"),
            floor=Severity.HIGH,
        ),
        Override(
            name="first-party",
            holds=every(
                "holder_kind = 'service_principal'",
                "holder_home = 'microsoft'",
                "holder_type = 'Application'",
                "kind IN ('password', 'certificate')",
                _ALIVE,
            ),
            because="a credential of this tenant on Microsoft's own application: critical",
            reads=("holder_home", "holder_type", "kind", "expires_on"),
            floor=Severity.CRITICAL,
        ),
    ),
    facts=holder.OF_HOLDER,
    ages=age.ages(_DATES, _LIMIT),
    shown=("fact_days", "fact_limit_days", "fact_times", "fact_roles"),
)
