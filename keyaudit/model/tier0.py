"""The principals outside Microsoft that control the whole tenant, in numbers."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

LISTS = "sp-can-take-over-tenant"
"""The policy whose findings are these principals, waived and known ones included."""


class Way(StrEnum):
    """How a principal signs in, the easiest to steal first. One that has several counts by the first."""

    SECRET = "with a client secret"  # noqa: S105 - words of a report
    OUTSIDE = "with a certificate in no vault"
    CERTIFICATE = "with a certificate"
    """One in a vault, or in a place that was not read."""
    FEDERATED = "by federation"
    PLATFORM = "as a managed identity"
    UNREAD = "with credentials that were not read"
    FOREIGN = "with credentials in another tenant"
    NOTHING = "without a valid credential"


class Tier0(Struct, frozen=True, kw_only=True):
    """Their number by how they sign in. Not `whole`: there may be more, because not everything was read."""

    ways: Mapping[Way, int]
    whole: bool

    @property
    def count(self) -> int:
        """Their number, at least."""
        return sum(self.ways.values())
