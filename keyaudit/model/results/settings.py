"""The settings of a run: the profile, single limits, and classes of resources with limits of their own."""

from collections.abc import Mapping

from msgspec import Struct

from keyaudit.model.results.findings import PolicyText


class Limit(Struct, frozen=True, kw_only=True):
    """One parameter of one policy that was set. `value` is in words; `place` is `file:line`."""

    policy: str
    parameter: str
    value: str
    place: str


class ClassInForce(Struct, frozen=True, kw_only=True):
    """A class as it applied in one run."""

    name: str
    match: str
    """The resources in it, in words: "keys where tag team is build"."""
    reason: str
    """The reason for the class; empty if the file gives none."""
    place: str
    limits: tuple[Limit, ...]
    not_applicable: tuple[str, ...]
    """Ids of the evaluated policies that do not apply to it."""
    rows: int
    """The number of rows in it, over all evaluated tables."""
    left_out: int
    """The number of results, including passes, that policies which do not apply would have had."""


class InForce(Struct, frozen=True, kw_only=True):
    """All settings in force for the selected policies of one run."""

    profile: str = "default"
    limits: tuple[Limit, ...] = ()
    classes: tuple[ClassInForce, ...] = ()
    require: tuple[str, ...] = ()
    """Optional evidence that was required, by name."""

    @property
    def plain(self) -> bool:
        """Whether every policy uses its own defaults."""
        return self == InForce()


class Setting(Struct, frozen=True):
    """A parameter's value in words, and where it comes from."""

    value: str
    origin: str


class KnownPolicy(Struct, frozen=True):
    """A policy, selected or not."""

    text: PolicyText
    shipped: bool
    """Whether it ships with keyaudit."""


class PolicyInForce(Struct, frozen=True, kw_only=True):
    """A selected policy of one run, whether or not it had rows to evaluate."""

    text: PolicyText
    source: str
    """The text of its file."""
    shipped: bool
    """Whether it ships with keyaudit."""
    parameters: Mapping[str, Setting]
    rule: str = ""
    """A digest of all in its file that decides its findings and their severities: another one is another rule."""
    limits: str = ""
    """A digest of the values of its parameters, and of the classes of resources that it treats differently."""
