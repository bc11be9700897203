"""Who can use a key, certificate or vault, and through which grants; or what a principal can use."""

from collections.abc import Sequence

from msgspec import Struct

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run, Verdict


class Who(Struct, frozen=True, order=True):
    """A principal. A field is None where the value is unknown or does not exist."""

    id: str
    name: str | None = None
    kind: str | None = None
    sign_in: str | None = None
    """A user's sign-in name, or an application's client id."""
    home: str | None = None
    enabled: bool | None = None


class Way(Struct, frozen=True, kw_only=True):
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


class Reach(Struct, frozen=True, kw_only=True):
    """One grant of one principal to one vault, or to an object in it."""

    who: Who
    vault_id: str
    vault_name: str
    thing: str
    """The object that the grant is limited to, as `keys/name`; empty for the whole vault."""
    way: Way


class Open(Struct, frozen=True):
    """A group, or another principal that stands for several, whose members are not all known; and why."""

    who: Who
    reason: Reason


class Access(Struct, frozen=True, kw_only=True):
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
