"""Custody records: who keeps a key that no API of Azure shows, and where it is stored."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class Kept(StrEnum):
    """Where a record says that a key is kept."""

    HSM = "hsm"
    """The private half is in an HSM."""
    SOFTWARE = "software"
    SECURITY_DOMAIN = "security-domain"
    """The holders of a Managed HSM's security domain shares were confirmed."""


class CustodyRecord(Struct, frozen=True, kw_only=True):
    """One entry of a file of custody records. Times are seconds since 1970 UTC, at midnight."""

    of: str
    """A certificate's thumbprint (SHA-1 or SHA-256), a key's address, or for a security domain an HSM's name or id."""
    kept_in: Kept
    owner: str
    hsm: str | None
    recorded_on: int
    valid_until: int
    """The start of the last day on which the record is valid."""
    evidence: str


class Custody(Struct, frozen=True, kw_only=True):
    """A file of custody records."""

    digest: str
    """SHA-256 of the file, in hex."""
    records: Sequence[CustodyRecord]
