"""What tokens are checked by: the keys that Entra publishes, those that services hold, and how far the two agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from keyaudit.model.reasons import Reason
from keyaudit.model.relying_parties import HeldKey, RelyingParties, Unread
from keyaudit.model.run import Run, Verdict
from keyaudit.model.stolen_keys import STOLEN, Stolen


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """One key, wherever it is published."""

    key_id: str
    thumbprint: str | None
    places: tuple[str, ...]
    """The key sets that it is in: the tenant's, an application's, one of Azure AD B2C's, or ones that tenants share."""
    app_id: str | None
    """The application whose own key it is."""
    app_name: str | None
    token_issuer: str | None
    for_consumers: bool | None
    starts_on: int | None
    expires_on: int | None
    disabled: bool
    """A key of B2C that is there and not in use."""
    unknown: Mapping[str, Reason] = field(default_factory=dict)

    @property
    def among_tenants(self) -> bool:
        """It is for personal accounts, and stands in the tenant's own key set."""
        return self.for_consumers is True and "tenant" in self.places

    def expired(self, as_of: int) -> bool:
        """It has ended, and is published all the same."""
        return self.expires_on is not None and self.expires_on <= as_of


@dataclass(frozen=True, slots=True)
class Named:
    """A key in a key set, as one snapshot has it: what it is compared by over time."""

    place: str
    """The key set; of an application or of B2C with its id."""
    key_id: str
    thumbprint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What changed from one snapshot to the next."""

    run_id: str
    as_of: int
    since: int
    came: Sequence[Named]
    gone: Sequence[Named]
    whole: bool
    """Every key set was read in both: else what came may have been there, and what is gone may be there still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The keys that are published."""

    run: Run
    verdict: Verdict
    keys: Sequence[PublishedKey]
    """Those that ended first, then by age."""
    steps: Sequence[Step] | None
    """The earliest first; None where no history was asked for."""


class State(StrEnum):
    """What a held key comes to."""

    STOLEN = "stolen"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A key that a service holds, and what it comes to."""

    key: HeldKey
    state: State
    reason: Reason | None = None
    """Why it is not known whether it is published."""
    stolen: Stolen | None = None

    @classmethod
    def of(cls, key: HeldKey, published: bool | None, reason: Reason | None) -> "Checked":
        """A key that is published or not, or of which that is not known for a reason. A stolen one is that in any case."""
        stolen = STOLEN.get(key.thumbprint) if isinstance(key.thumbprint, str) else None
        state = State.UNKNOWN if published is None else State.PUBLISHED if published else State.WITHDRAWN
        return cls(key=key, state=State.STOLEN if stolen else state, reason=reason, stolen=stolen)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustCheck:
    """Held keys against published and stolen ones."""

    run: Run | None
    """None where nothing was named that says what is published."""
    verdict: Verdict
    keys: Sequence[Checked]
    unread: Sequence[Unread]
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustScan:
    """Settings by which services take tokens."""

    verdict: Verdict
    found: RelyingParties
