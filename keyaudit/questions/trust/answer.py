"""The keys that tokens are validated with: those that Entra publishes, those that services trust, and their comparison."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from keyaudit.model.reasons import Reason
from keyaudit.model.relying_parties import HeldKey, RelyingParties, Unread
from keyaudit.model.results.run import Run, Verdict
from keyaudit.model.stolen_keys import STOLEN, Stolen


class PublishedKey(Struct, frozen=True, kw_only=True):
    """One published key."""

    key_id: str
    thumbprint: str | None
    places: tuple[str, ...]
    """The key sets that contain it: of the tenant, of an application, of Azure AD B2C, or shared by tenants."""
    app_id: str | None
    """The application that has this key of its own."""
    app_name: str | None
    token_issuer: str | None
    for_consumers: bool | None
    starts_on: int | None
    expires_on: int | None
    disabled: bool
    """A B2C key that exists but is not in use."""
    unknown: Mapping[str, Reason] = field(default_factory=dict)

    @property
    def among_tenants(self) -> bool:
        """Whether it is a key for personal accounts in the tenant's own key set."""
        return self.for_consumers is True and "tenant" in self.places

    def expired(self, as_of: int) -> bool:
        """Whether it has expired but is still published."""
        return self.expires_on is not None and self.expires_on <= as_of


class Named(Struct, frozen=True):
    """A key in a key set of one snapshot, for comparison over time."""

    place: str
    """The key set; for an application or B2C with its id."""
    key_id: str
    thumbprint: str | None


class Step(Struct, frozen=True, kw_only=True):
    """The changes from one snapshot to the next."""

    run_id: str
    as_of: int
    since: int
    came: Sequence[Named]
    gone: Sequence[Named]
    whole: bool
    """Whether every key set was read in both snapshots; otherwise added and removed keys are uncertain."""


class Trust(Struct, frozen=True, kw_only=True):
    """The published keys."""

    run: Run
    verdict: Verdict
    keys: Sequence[PublishedKey]
    """Expired keys first, then by age."""
    steps: Sequence[Step] | None
    """The earliest first; None if no history was requested."""


class State(StrEnum):
    """The result for a key that a service trusts."""

    STOLEN = "stolen"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"
    PUBLISHED = "published"


class Checked(Struct, frozen=True, kw_only=True):
    """A key that a service trusts, with its result."""

    key: HeldKey
    state: State
    reason: Reason | None = None
    """Why it is unknown whether it is published."""
    stolen: Stolen | None = None

    @classmethod
    def of(cls, key: HeldKey, published: bool | None, reason: Reason | None) -> "Checked":
        """The result from whether the key is published, or the reason why that is unknown. A stolen key is always reported as
        stolen.
        """
        stolen = STOLEN.get(key.thumbprint) if isinstance(key.thumbprint, str) else None
        state = State.UNKNOWN if published is None else State.PUBLISHED if published else State.WITHDRAWN
        return cls(key=key, state=State.STOLEN if stolen else state, reason=reason, stolen=stolen)


class TrustCheck(Struct, frozen=True, kw_only=True):
    """Trusted keys compared with published and stolen ones."""

    run: Run | None
    """None if no source of published keys was given."""
    verdict: Verdict
    keys: Sequence[Checked]
    unread: Sequence[Unread]
    files: int


class TrustScan(Struct, frozen=True, kw_only=True):
    """The token validation settings of services."""

    verdict: Verdict
    found: RelyingParties
