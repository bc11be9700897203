"""What services of yours trust, as their files say: keys that they hold, and settings by which they take tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

SHARED_AUTHORITIES = ("common", "organizations", "consumers")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """One key that a service accepts tokens by. A fact is a value, None where there is none, or why it is not known."""

    file: str
    """The file, below the folder that was named."""
    line: int | None
    """None for a format whose lines say nothing."""
    relying_party: str
    held_as: str
    """As the column of `trusted_key`."""
    key_id: str | Refusal | None
    thumbprint: str | Refusal | None
    token_issuer: str | Refusal | None
    fetched_on: int | Refusal | None

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """The settings by which a service decides whose tokens it takes."""

    file: str
    line: int
    relying_party: str
    section: str
    """Where in the file, as in `AzureAd`."""
    authority: str | Refusal
    """As the columns of `token_validator`; so are those below."""
    validates_issuer: bool | Refusal
    tenants_allowed: int | Refusal
    validates_audience: bool | Refusal

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.file}:{self.line}"

    @property
    def takes_anybodys(self) -> bool | None:
        """It fetches keys that tenants share and names neither issuer nor tenant; None where the file does not say.

        This is what the policy use-validator-common-metadata finds, for a reader without a snapshot.
        """
        if isinstance(self.authority, str) and self.authority not in SHARED_AUTHORITIES:
            return False
        if self.validates_issuer is True or (isinstance(self.tenants_allowed, int) and self.tenants_allowed > 0):
            return False
        known = (self.authority, self.validates_issuer, self.tenants_allowed)
        return None if any(isinstance(fact, Refusal) for fact in known) else True


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that may hold keys or settings and could not be read, or only in part."""

    file: str
    line: int | None = None
    holds_keys: bool
    """It was read for keys; else for settings."""
    reason: Reason
    what: str
    """What is wrong with it, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParties:
    """What the files hold, in the order of their names."""

    keys: tuple[HeldKey, ...] = ()
    validators: tuple[Validator, ...] = ()
    unread: tuple[Unread, ...] = ()
    files: int = 0
    """How many files were read."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """What was not looked into, and how often: folders of other people's code, links."""
    digest: str = ""
    """SHA-256 over the names and contents of all files that were read, in hex."""
