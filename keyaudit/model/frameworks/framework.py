"""What a framework is to this tool: an edition, and those of its controls that keys, credentials and their logging concern."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """One edition. Titles are ours: the framework's own text is elsewhere."""

    key: str
    title: str
    edition: str
    source: str
    """Where its list of controls was taken from."""
    controls: Mapping[str, str]
    """Short titles by id, in the order of the edition."""
    profile: str = ""
    """The set of limits that are its own; empty where it has none."""
    exempts: frozenset[str] = frozenset()
    """What it leaves out itself, of the environments and tags that policies leave out: its profile may keep those."""
    form: re.Pattern[str] | None = None
    """The form of ids that policies may name besides: then `controls` is no list of what the edition has, and what no policy
    maps to goes unsaid."""

    @property
    def closed(self) -> bool:
        """`controls` are all of the edition that concern keys, credentials and their logging."""
        return self.form is None

    def knows(self, control: str) -> bool:
        """Whether a policy may map to it."""
        return control in self.controls or (self.form is not None and self.form.fullmatch(control) is not None)
