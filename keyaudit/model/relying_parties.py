"""What your own services trust according to their files: keys, and settings for token validation."""

from collections.abc import Mapping

from msgspec import Struct, field

from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

SHARED_AUTHORITIES = ("common", "organizations", "consumers")


class HeldKey(Struct, frozen=True, kw_only=True):
    """One key with which a service validates tokens. A field is a value, None if absent, or the reason why it is unknown."""

    file: str
    """The path of the file, relative to the imported folder."""
    line: int | None
    """None for a format without meaningful line numbers."""
    relying_party: str
    held_as: str
    """As in the columns of `trusted_key`."""
    key_id: str | Refusal | None
    thumbprint: str | Refusal | None
    token_issuer: str | Refusal | None
    fetched_on: int | Refusal | None

    @property
    def place(self) -> str:
        """The file and line, for people."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


class Validator(Struct, frozen=True, kw_only=True):
    """The settings that decide whose tokens a service accepts."""

    file: str
    line: int
    relying_party: str
    section: str
    """The section of the file, such as `AzureAd`."""
    authority: str | Refusal
    """This and the fields below are as in the columns of `token_validator`."""
    validates_issuer: bool | Refusal
    tenants_allowed: int | Refusal
    validates_audience: bool | Refusal

    @property
    def place(self) -> str:
        """The file and section, for people."""
        return f"{self.file}:{self.line}"

    @property
    def takes_anybodys(self) -> bool | None:
        """Whether it uses shared keys and checks neither issuer nor tenant; None if the file does not say.

        The same condition as the policy use-validator-common-metadata, for a command without a snapshot.
        """
        if isinstance(self.authority, str) and self.authority not in SHARED_AUTHORITIES:
            return False
        if self.validates_issuer is True or (isinstance(self.tenants_allowed, int) and self.tenants_allowed > 0):
            return False
        known = (self.authority, self.validates_issuer, self.tenants_allowed)
        return None if any(isinstance(fact, Refusal) for fact in known) else True


class Unread(Struct, frozen=True, kw_only=True):
    """A file that may hold keys or settings and could not be read, or only in part."""

    file: str
    line: int | None = None
    holds_keys: bool
    """Whether it was read for keys; otherwise for settings."""
    reason: Reason
    what: str
    """The problem with it, for people."""


class RelyingParties(Struct, frozen=True, kw_only=True):
    """The content of the files, ordered by name."""

    keys: tuple[HeldKey, ...] = ()
    validators: tuple[Validator, ...] = ()
    unread: tuple[Unread, ...] = ()
    files: int = 0
    """The number of files that were read."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """The number of skipped entries by kind: folders of third-party code, links."""
    digest: str = ""
    """SHA-256 over the names and contents of all files that were read, in hex."""
