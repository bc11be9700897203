"""Rows that expire soon or have expired, and their owners."""

from collections.abc import Mapping

from msgspec import Struct

from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Value


class Owner(Struct, frozen=True):
    """The owners of a resource, and where this is stated. Without names there is no owner, or with a `reason` it is unknown."""

    names: tuple[str, ...]
    source: str
    reason: Reason | None


RENEWED_BY_AZURE = ("holder_type", "ManagedIdentity")
"""Column and value of a credential that Azure renews in time, so that nobody has to act before it expires.

https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-faq
"""

NOT_ASKED = Owner((), "", None)
"""Where owners were not asked for."""


class Ending(Struct, frozen=True):
    """A row with an expiration date; None where it is unknown. `retired`: the row is certainly not in use, or is the key or
    secret of a certificate and expires with it.
    """

    owner: Owner
    table: str
    row: Mapping[str, Value]
    expires_on: int | None
    retired: bool
