"""A framework edition, with its controls about keys, credentials and their logging."""

import re
from collections.abc import Mapping

from msgspec import Struct


class Framework(Struct, frozen=True, kw_only=True):
    """One edition. The titles are our own words."""

    key: str
    title: str
    edition: str
    source: str
    """The source of its list of controls."""
    controls: Mapping[str, str]
    """Short titles by id, in the order of the edition."""
    profile: str = ""
    """The profile with its own limits; empty if it has none."""
    exempts: frozenset[str] = frozenset()
    """The environments and tags that the framework itself exempts: its profile may exempt those only."""
    form: re.Pattern[str] | None = None
    """The form of further ids that policies may map to. Then `controls` is not complete, and controls without a policy are not
    listed.
    """

    @property
    def closed(self) -> bool:
        """Whether `controls` is the complete list of the edition's controls about keys, credentials and their logging."""
        return self.form is None

    def profile_in(self, run: str) -> str:
        """The profile that its controls are evaluated with: its own, or that of the run."""
        return self.profile or run

    def knows(self, control: str) -> bool:
        """Whether a policy may map to it."""
        return control in self.controls or (self.form is not None and self.form.fullmatch(control) is not None)
