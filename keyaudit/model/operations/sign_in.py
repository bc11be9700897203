"""Reads before sign-in."""

from keyaudit.model.operations.about import Unnamed
from keyaudit.model.operations.kinds import Family, Operation, Right, Rights, Surface, Throttle

FAMILY = Family("sign-in", order=10)

DECLARED = (
    Operation(
        id="login.metadata",
        noun="the tenant's sign-in metadata",
        surface=Surface.LOGIN,
        path="/{tenant}/v2.0/.well-known/openid-configuration",
        throttle=Throttle.NONE,
        right=Right(rights=Rights.NONE),
        about=Unnamed("a request may name a tenant by one of its domains, and the issuer is compared where it is used"),
    ),
)
