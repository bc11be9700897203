"""A framework edition, with its controls about keys, credentials and their logging."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct


def ids(text: str) -> Iterator[str]:
    """The ids that a text lists, separated by spaces: `9.1.2-4` stands for 9.1.2, 9.1.3 and 9.1.4."""
    for each in text.split():
        first, _, last = each.partition("-")
        section, dot, number = first.rpartition(".")
        yield from (f"{section}{dot}{one}" for one in range(int(number), int(last) + 1)) if last else (each,)


class Framework(Struct, frozen=True, kw_only=True):
    """One edition. The titles are our own words."""

    key: str
    title: str
    edition: str
    source: str
    """The source of its list of controls."""
    controls: Mapping[str, str]
    """Short titles by id, in the order of the edition."""
    outside: Mapping[str, str] = {}
    """By reason, in our own words, all other controls of the edition, as `ids` reads them. Empty if no source of the whole list
    was found: then `controls` may lack some.
    """
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
        """Whether `controls` lists every control that policies may map to."""
        return self.form is None

    def profile_in(self, run: str) -> str:
        """The profile that its controls are evaluated with: its own, or that of the run."""
        return self.profile or run

    def knows(self, control: str) -> bool:
        """Whether a policy may map to it."""
        return control in self.controls or (self.form is not None and self.form.fullmatch(control) is not None)
