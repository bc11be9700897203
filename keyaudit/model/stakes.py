"""The groups of the first page, by what is at stake, in the order in which an architect acts.

A policy declares that its findings are signs of a possible compromise. The other two groups follow from what a resource opens:
facts that Entra, ARM or Key Vault state about its rights, and never a name, which its registrant chooses.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class Stake(StrEnum):
    """A group of the first page, in the order of the page."""

    COMPROMISE = "compromise"
    TAKEOVER = "takeover"
    DATA = "data"

    @property
    def heading(self) -> str:
        """The words above the group."""
        return _HEADINGS[self]

    @property
    def doubt(self) -> str:
        """The words beside a cause that is only perhaps in the group."""
        return _DOUBTS[self]

    @property
    def bit(self) -> int:
        """The bit for "perhaps" in a mask; an earlier group's is higher. The one for "certainly" is `SURE` times as high."""
        return 1 << (len(_ORDER) - 1 - _ORDER.index(self))


_ORDER = tuple(Stake)
SURE = 1 << len(_ORDER)
_HEADINGS = {
    Stake.COMPROMISE: "Possible compromise: keep evidence first",
    Stake.TAKEOVER: "Can take over the tenant",
    Stake.DATA: "Signing keys and data",
}
_DOUBTS = {
    Stake.COMPROMISE: "not known whether it is one",
    Stake.TAKEOVER: "its rights were not read",
    Stake.DATA: "its rights were not read",
}


class AtStake(Struct, frozen=True):
    """The group of a cause. Not `certain`: a fact that decides it was not read, so the first group that it may be in counts."""

    group: Stake
    certain: bool


def at_stake(mask: int) -> AtStake | None:
    """The first group of a mask of groups; None if it is in none."""
    found = next((stake for stake in _ORDER if mask & stake.bit), None)
    return AtStake(found, bool(mask & found.bit * SURE)) if found else None


def certainly(stake: Stake) -> int:
    """The mask of what certainly is in a group."""
    return stake.bit * (1 + SURE)


Values = tuple[str | bool, ...]
Facts = Mapping[str, Values]
"""By column, the values with which a row is in a group; one column is enough. Without columns, every row is."""
_EVERY: Facts = {}
_RIGHTS: Mapping[Stake, Facts] = {
    Stake.TAKEOVER: {"tier0": (True,)},
    Stake.DATA: {"tenant_wide": (True,), "opens_subscriptions": (True,)},
}
_OPEN_DATA: Mapping[Stake, Facts] = {Stake.DATA: _EVERY}

OPENS: Mapping[str, Mapping[Stake, Facts]] = {
    "application": _RIGHTS,
    "service_principal": _RIGHTS,
    "risky_principal": {Stake.TAKEOVER: {"tier0": (True,)}, Stake.DATA: {"tenant_wide": (True,)}},
    "blueprint": {Stake.TAKEOVER: {"tier0": (True,)}, Stake.DATA: {"tenant_wide": (True,)}},
    "agent": _OPEN_DATA,
    "credential": {
        Stake.TAKEOVER: {"holder_tier0": (True,)},
        # Not all permissions of Microsoft's own applications are visible to the tenant.
        Stake.DATA: {
            "holder_tenant_wide": (True,),
            "holder_opens_subscriptions": (True,),
            "holder_home": ("microsoft",),
        },
    },
    # A federated domain's certificate signs in as any user of the domain, its administrators included.
    "signing_certificate": {Stake.TAKEOVER: {"kind": ("federated-domain",)}, Stake.DATA: _EVERY},
    "federated_domain": {Stake.TAKEOVER: _EVERY},
    # The holder of a CA that Entra trusts for sign-in can issue a certificate for any user.
    "trusted_authority": {Stake.TAKEOVER: _EVERY},
    "certificate": {Stake.TAKEOVER: {"authenticates_tier0": (True,)}, Stake.DATA: _EVERY},
    **dict.fromkeys(
        (
            "account_key",
            "custody_record",
            "delegation",
            "deleted",
            "ekm_certificate",
            "grant",
            "issuer_key",
            "key",
            "key_use",
            "risk_detection",
            "secret",
            "token_validator",
            "trusted_key",
            "vault",
        ),
        _OPEN_DATA,
    ),
}
"""By table, what a row opens. The rows of other tables, such as settings and logs, open nothing by themselves."""


def columns(table: str) -> tuple[str, ...]:
    """The columns that decide what a row of the table opens."""
    return tuple(dict.fromkeys(name for facts in OPENS.get(table, {}).values() for name in facts))
