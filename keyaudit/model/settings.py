"""What an organisation settled for a run: the profile, single limits, and classes of things that have limits of their own."""

from collections.abc import Mapping
from dataclasses import dataclass

from keyaudit.model.findings import PolicyText


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One parameter of one policy that somebody set. `value` is in words; `place` is `file:line`."""

    policy: str
    parameter: str
    value: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassInForce:
    """A class as it held in one run."""

    name: str
    match: str
    """What belongs to it, in words: "keys where tag team is build"."""
    reason: str
    """Why there is such a class; empty where its file does not say."""
    place: str
    limits: tuple[Limit, ...]
    not_applicable: tuple[str, ...]
    """Ids of the judged policies that do not apply to it."""
    rows: int
    """Rows of the judged tables that belong to it."""
    left_out: int
    """Results that a policy which does not apply would otherwise have had, those that would be passes included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """All that was settled for one run, of the policies that it chose."""

    profile: str = "default"
    limits: tuple[Limit, ...] = ()
    classes: tuple[ClassInForce, ...] = ()
    require: tuple[str, ...] = ()
    """What is otherwise optional and was required, by name."""

    @property
    def plain(self) -> bool:
        """Nothing was settled: every policy judged by its own defaults."""
        return self == InForce()


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter's value in words, and where it comes from."""

    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyInForce:
    """A policy as it was chosen for one run, whether or not there was anything to judge."""

    text: PolicyText
    source: str
    """Its file's text."""
    shipped: bool
    """It came with keyaudit."""
    parameters: Mapping[str, Setting]
