"""How to sign in: the cloud, the credential, the network, and the share of the services' limits that may be used."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from keyaudit.cloud.environment import Environment
    from keyaudit.cloud.network import Network


class SignIn(Struct, frozen=True, kw_only=True):
    """A sign-in, and the connection after it."""

    environment: "Environment"
    auth: str
    tenant: str | None
    """A GUID or a domain; None: the tenant of the sign-in."""
    network: "Network"
    environ: Mapping[str, str]
    """The variables of credentials; azure-identity reads those of a managed identity from the process."""
    share: float = 0.5
    paced: bool = True
    """Whether requests wait for their share of the limits; the simulated tenant of a demo has no limits."""
    concurrency: int = 64
    budget: float | None = None
    """In seconds."""
    roams: bool = False
    """Whether it is one of several tenants: an application signs in to `tenant` even if its variables name another."""
