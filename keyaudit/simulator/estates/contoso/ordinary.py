"""Contoso's ordinary services: for each an application for production, and one for tests."""

from keyaudit.simulator.estates.defects import SECRET_EXISTS
from keyaudit.simulator.estates.holder_plans import GITHUB, ApplicationPlan, Certificate, Federated, PrincipalPlan, Secret

_SERVICES = (
    ("catalog-api", "sofia.rossi"),
    ("cart-api", "sofia.rossi"),
    ("search-indexer", "noah.meyer"),
    ("price-engine", "noah.meyer"),
    ("stock-sync", "piotr.nowak"),
    ("shipment-tracker", "piotr.nowak"),
    ("notification-sender", "jonas.lind"),
    ("customer-profile", "amira.haddad"),
    ("media-resizer", "jonas.lind"),
    ("tax-calculator", "lukas.brandt"),
    ("review-moderation", "amira.haddad"),
)


_PIPELINE = "github-deploy-storefront"
_SENDER = "notification-sender"
"""It can send mail as anyone, so no user owns it."""
_BY_SECRET = 2
"""How many of the test applications still sign in with a secret."""


def _service(nth: int, name: str, owner: str) -> tuple[ApplicationPlan, ApplicationPlan]:
    production = ApplicationPlan(
        name=f"{name}-prod",
        age=500 + 31 * nth,
        uri=True,
        scopes=("access_as_user",),
        credentials=(Certificate(20 + 23 * nth, 365),),
        owners=() if name == _SENDER else (owner,),
        owner_apps=(_PIPELINE,) if name == _SENDER else (),
    )
    secret = Secret(10 + 13 * nth, 180, "test runs")
    pipeline = Federated("test-runs", GITHUB, f"repo:contoso-retail@5521904/{name}@{90200100 + nth}:environment:test")
    test = ApplicationPlan(
        name=f"{name}-test",
        age=490 + 31 * nth,
        credentials=(secret if nth < _BY_SECRET else pipeline,),
        owners=(owner,),
        principal=PrincipalPlan() if nth % 2 else None,
        finds=(SECRET_EXISTS,) if nth < _BY_SECRET else (),
    )
    return production, test


SERVICES: tuple[ApplicationPlan, ...] = tuple(
    plan for nth, (name, owner) in enumerate(_SERVICES) for plan in _service(nth, name, owner)
)
