"""Estates of any size, `sized:VAULTSxKEYS[xVERSIONS[xAPPLICATIONS]][@SEED]`: a realistic mix drawn from the seed."""

import re
from collections.abc import Iterator
from random import Random

from keyaudit.simulator.estate import Domain, Estate, RotationPolicy, Subscription
from keyaudit.simulator.estates.contoso import lay_entra, lay_vaults
from keyaudit.simulator.estates.defects import (
    CERT_TOO_LONG,
    EXPIRED_CREDENTIAL_LEFT,
    EXPIRED_STILL_ENABLED,
    NO_AUTO_ROTATION,
    NO_EXPIRY,
    ROTATION_OVERDUE,
    SECRET_TOO_LONG,
    SIGN_AND_DECRYPT,
    SOFTWARE_PROTECTED,
)
from keyaudit.simulator.estates.holder_plans import GITHUB, ApplicationPlan, Certificate, Federated, Secret
from keyaudit.simulator.estates.holders import owners_of
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.key_plans import (
    EVERY,
    P256,
    P256_HSM,
    RSA_2048,
    RSA_HSM_3072,
    SIGN,
    WRAP,
    KeyPlan,
    Material,
    VaultPlan,
    VersionPlan,
    kept,
)

_FORM = re.compile(r"sized:(\d{1,7})x(\d{1,7})(?:x(\d{1,7})(?:x(\d{1,7}))?)?(?:@(\d{1,9}))?", re.ASCII)
_MOST = 2_000_000
"""The maximum of key versions, or of applications; with more, tests would measure the simulator's memory."""
_MOST_VERSIONS = 50
"""More than a page; at one per year, the oldest is still after 1970."""
_VAULTS_A_SUBSCRIPTION = 50
_TEAMS = ("orders", "payments", "identity", "loyalty", "logistics", "data", "stores", "platform")
_USES = ("token", "event", "invoice", "session", "ledger", "manifest", "receipt", "archive")
_ENVIRONMENTS = ("prod", "test")


def sized(name: str, as_of: int) -> Estate:
    """The estate that `name` asks for at `as_of`: keys per vault, versions per key (1 if unsaid), applications (20 if unsaid).

    Raises ValueError where `name` has not that form, or asks for nothing or for too much.
    """
    match = _FORM.fullmatch(name)
    if match is None:
        raise ValueError(f"estate {name!r}: not a size; write sized:VAULTSxKEYS[xVERSIONS[xAPPLICATIONS]][@SEED]")
    vaults, keys = int(match[1]), int(match[2])
    versions, applications, seed = int(match[3] or 1), int(match[4] or 20), int(match[5] or 0)
    if vaults * keys * versions == 0 or versions > _MOST_VERSIONS or max(vaults * keys * versions, applications) > _MOST:
        raise ValueError(
            f"estate {name!r}: no size to serve; ask for 1 to {_MOST:,} key versions, at most {_MOST_VERSIONS} a key,"
            f" and at most {_MOST:,} applications"
        )
    ground, rng = Ground(seed, as_of, "sized.contoso.example"), Random(seed)  # noqa: S311
    subscriptions = tuple(
        Subscription(id=ground.guid("subscription", str(nth)), name=f"sized-{nth + 1:03d}")
        for nth in range(-(-vaults // _VAULTS_A_SUBSCRIPTION))
    )
    plans = ((_vault(rng, nth, keys, versions), subscriptions[nth // _VAULTS_A_SUBSCRIPTION].id) for nth in range(vaults))
    laid_vaults, in_vaults = lay_vaults(plans, ground)
    planned = tuple(_applications(rng, applications))
    laid, principals, in_entra = lay_entra(planned, (), ground)
    return Estate(
        name=name,
        as_of=as_of,
        tenant_id=ground.tenant,
        tenant_name="Contoso, sized (simulated tenant)",
        tenant_created=ground.moment(4_000, "tenant"),
        domains=(Domain(name=ground.domain, default=True, initial=True),),
        subscriptions=subscriptions,
        vaults=laid_vaults,
        applications=laid,
        service_principals=principals,
        users=owners_of(planned, ground),
        plants=frozenset(in_vaults | in_entra),
    )


def _vault(rng: Random, nth: int, keys: int, versions: int) -> VaultPlan:
    team, environment = _TEAMS[nth % len(_TEAMS)], _ENVIRONMENTS[nth // len(_TEAMS) % 2]
    return VaultPlan(
        name=f"kv-{team}-{environment}-{nth + 1:05d}",
        group=f"rg-{team}-{environment}",
        sku="premium" if environment == "prod" else "standard",
        tags={"env": environment, "owner": team},
        keys=tuple(_key(rng, f"{rng.choice(_USES)}-{nth + 1:06d}", environment, versions) for nth in range(keys)),
    )


def _key(rng: Random, name: str, environment: str, versions: int) -> KeyPlan:
    """Nine keys in ten have no defects; the others have the usual ones."""
    prod = environment == "prod"
    elliptic, rsa = (P256_HSM, RSA_HSM_3072) if prod else (P256, RSA_2048)
    age, draw = rng.randrange(5, 350), rng.randrange(100)
    if draw < 45:
        return kept(f"{name}-signing", elliptic, SIGN, age, count=versions)
    if draw < 85:
        return kept(f"{name}-wrap", rsa, WRAP, age, count=versions)
    older = tuple(VersionPlan(1_400 + 300 * nth, 365, enabled=False) for nth in range(versions - 1))
    if draw < 90:
        return KeyPlan(f"{name}-retired", rsa, SIGN, (VersionPlan(1_100, 365, enabled=False), *older))
    return _flawed_key(draw, name, age, elliptic, older, prod=prod)


def _flawed_key(draw: int, name: str, age: int, elliptic: Material, older: tuple[VersionPlan, ...], *, prod: bool) -> KeyPlan:
    if draw < 94:
        software = (SOFTWARE_PROTECTED,) if prod else ()
        finds = (NO_EXPIRY, ROTATION_OVERDUE, NO_AUTO_ROTATION, SIGN_AND_DECRYPT, *software)
        return KeyPlan(f"{name}-legacy", RSA_2048, EVERY, (VersionPlan(900 + age), *older), finds=finds)
    if draw < 97:
        rotation = RotationPolicy(rotate_after="P1Y")
        return KeyPlan(f"{name}-endless", elliptic, SIGN, (VersionPlan(age), *older), rotation=rotation, finds=(NO_EXPIRY,))
    expired = VersionPlan(450, 365, finds=(EXPIRED_STILL_ENABLED,))
    return KeyPlan(f"{name}-lapsed", elliptic, SIGN, (expired, *older), finds=(NO_AUTO_ROTATION,))


def _applications(rng: Random, count: int) -> Iterator[ApplicationPlan]:
    # A certificate takes a millisecond: for more than a thousand applications the bytes are random.
    real = count <= 1_000
    for nth in range(count):
        team, age, draw = rng.choice(_TEAMS), rng.randrange(5, 140), rng.randrange(100)
        credential: Secret | Certificate | Federated = Secret(age, 180)
        if draw >= 95:
            credential = Secret(age + 400, 365, finds=(EXPIRED_CREDENTIAL_LEFT,))
        elif draw >= 90:
            credential = Certificate(age, 730, real=real, finds=(CERT_TOO_LONG,))
        elif draw >= 85:
            credential = Secret(age, 730, finds=(SECRET_TOO_LONG,))
        elif draw >= 60:
            credential = Federated("main", GITHUB, f"repo:contoso-retail@5521904/{team}-{nth}@{nth + 1}:ref:refs/heads/main")
        elif draw >= 30:
            credential = Certificate(age, 365, real=real)
        owners = (f"{team}.lead",) if draw % 3 else ()
        yield ApplicationPlan(name=f"{team}-service-{nth + 1:06d}", age=age + 600, credentials=(credential,), owners=owners)
