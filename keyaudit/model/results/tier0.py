"""The principals outside Microsoft that control the whole tenant."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

LISTS = "sp-can-take-over-tenant"
"""The policy whose findings are these principals, waived and known ones included."""


class Way(StrEnum):
    """How a principal signs in, the easiest to steal first. One that has several counts by the first."""

    SECRET = "with a client secret"  # noqa: S105 - words of a report
    OUTSIDE = "with a certificate outside any vault"
    CERTIFICATE = "with a certificate"
    """One in a vault, or in a place that was not read."""
    FEDERATED = "by federation"
    PLATFORM = "as a managed identity"
    UNREAD = "with credentials that were not read"
    FOREIGN = "with credentials in another tenant"
    NOTHING = "without a valid credential"


NAMED = 10
"""The maximum number of principals that are named."""


class Principal(Struct, frozen=True, kw_only=True):
    """One of them."""

    name: str
    way: Way
    last_sign_in: int | None
    """In seconds since 1970; None if none is recorded."""
    sign_ins_read: bool
    """Whether sign-ins were read; otherwise there may be some."""
    owners: int | None
    """The users who own its registration, or an application that does: at least so many can become it. None without a
    registration here, and if no policy read its owners."""
    owners_read: bool
    """Whether there are no more of them."""


class Tier0(Struct, frozen=True, kw_only=True):
    """Their number by how they sign in. Not `whole`: there may be more, because not everything was read that was asked for."""

    ways: Mapping[Way, int]
    whole: bool
    named: tuple[Principal, ...] = ()
    """The first `NAMED` of them: the easiest to steal first, of these those that the most users can become, then those that
    signed in last."""

    @property
    def count(self) -> int:
        """Their number, at least."""
        return sum(self.ways.values())
