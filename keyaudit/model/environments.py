"""Which environment a vault or principal belongs to where no tag says so: the reader's own knowledge."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRule:
    """What a vault, a principal, or what is in a subscription, belongs to. `pattern` is a name, an id, or a glob with * and ?.

    The ids of a principal are its object id and its application id.
    """

    of: Literal["vault", "principal", "subscription"]
    pattern: str
    environment: str
    """In lower case, as tags are compared."""
