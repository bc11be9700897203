"""Which environment a vault belongs to where no tag says so: the reader's own knowledge, kept with what was read."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRule:
    """What a vault, or what is in a subscription, belongs to. `pattern` is a name, an id, or a glob with * and ?."""

    of: Literal["vault", "subscription"]
    pattern: str
    environment: str
    """In lower case, as tags are compared."""
