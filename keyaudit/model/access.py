"""Who can use a key, certificate or vault, and by which way; or what somebody can use."""

from collections.abc import Sequence
from dataclasses import dataclass

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Run, Verdict


@dataclass(frozen=True, slots=True, order=True)
class Who:
    """A principal. What is None is not known, or there is none such."""

    id: str
    name: str | None = None
    kind: str | None = None
    sign_in: str | None = None
    """A user's sign-in name, or an application's client id."""
    home: str | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One grant as it reaches somebody at one place."""

    id: str
    """The grant's."""
    kind: str
    role: str | None
    custom: bool | None
    scope: str
    scope_kind: str
    scope_name: str
    """What the scope is called."""
    allows: Sequence[str]
    """What it allows there, of that which the vault honours."""
    doubt: Reason | None = None
    """Why it is not sure that it holds there, or what it allows."""
    through: Sequence[Who] = ()
    """The groups that lead to him, the one that the grant names first."""
    unplaced: Reason | None = None
    """Why there may be groups in between that are not known."""
    application_id: str | None = None
    condition: str | None = None
    api: str | None = None
    """The API that a permission is for."""
    standing: bool = True
    expires_on: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One way of one principal to one vault, or to a thing in it."""

    who: Who
    vault_id: str
    vault_name: str
    thing: str
    """What of the vault the grant is limited to, as `keys/name`; empty: all of it."""
    way: Way


@dataclass(frozen=True, slots=True)
class Open:
    """A group, or another that stands for many, of whom not all are known; and why."""

    who: Who
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The answer. `reaches` is in the order of names, what holds now before what could be activated."""

    run: Run
    verdict: Verdict
    noun: str
    """What was asked about: key, certificate, vault, Managed HSM or principal."""
    id: str
    name: str
    note: str
    """How its vault goes, or what kind of principal it is."""
    reaches: Sequence[Reach]
    open: Sequence[Open]
    others: Sequence[Way]
    """What a principal holds that is no way to a vault: permissions on APIs, directory roles."""
    inert: int
    """Grants that open nothing there: data roles under access policies, access policies under RBAC."""
    unlisted: Sequence[Coverage]
    """What was not read that would only show more who could activate a role, or that something is denied."""

    @property
    def by_principal(self) -> bool:
        """It was asked what somebody can use."""
        return self.noun == "principal"
