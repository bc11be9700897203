"""Who can use a key, certificate or vault, and through which grants; or what a principal can use."""

from collections.abc import Sequence
from dataclasses import dataclass

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Run, Verdict


@dataclass(frozen=True, slots=True, order=True)
class Who:
    """A principal. A field is None where the value is unknown or does not exist."""

    id: str
    name: str | None = None
    kind: str | None = None
    sign_in: str | None = None
    """A user's sign-in name, or an application's client id."""
    home: str | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One grant as it applies to one principal at one place."""

    id: str
    """The id of the grant."""
    kind: str
    role: str | None
    custom: bool | None
    scope: str
    scope_kind: str
    scope_name: str
    """The name of the scope."""
    allows: Sequence[str]
    """The permissions that the vault honours."""
    doubt: Reason | None = None
    """Why it is uncertain whether the grant applies there, or what it allows."""
    through: Sequence[Who] = ()
    """The groups through which the principal has the grant; first the group that the grant names."""
    unplaced: Reason | None = None
    """Why intermediate groups may be missing."""
    application_id: str | None = None
    condition: str | None = None
    api: str | None = None
    """The API that a permission is for."""
    standing: bool = True
    expires_on: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One grant of one principal to one vault, or to an object in it."""

    who: Who
    vault_id: str
    vault_name: str
    thing: str
    """The object that the grant is limited to, as `keys/name`; empty for the whole vault."""
    way: Way


@dataclass(frozen=True, slots=True)
class Open:
    """A group, or another principal that stands for several, whose members are not all known; and why."""

    who: Who
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The answer. `reaches` is ordered by name, active access before eligible access."""

    run: Run
    verdict: Verdict
    noun: str
    """The kind of subject: key, certificate, vault, Managed HSM or principal."""
    id: str
    name: str
    note: str
    """The access model of its vault, or the kind of principal."""
    reaches: Sequence[Reach]
    open: Sequence[Open]
    others: Sequence[Way]
    """Grants of a principal that give no access to a vault: permissions on APIs, directory roles."""
    inert: int
    """Grants that the vault ignores: data roles under access policies, access policies under RBAC."""
    unlisted: Sequence[Coverage]
    """Gaps that could only hide further eligible principals, or deny assignments."""

    @property
    def by_principal(self) -> bool:
        """The question is what a principal can use."""
        return self.noun == "principal"
