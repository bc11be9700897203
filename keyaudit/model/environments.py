"""The environment of vaults and principals without a tag, as [environments] in keyaudit.toml states it."""

from typing import Literal

from msgspec import Struct


class EnvironmentRule(Struct, frozen=True, kw_only=True):
    """The environment of a vault, of a principal, or of all that is in a subscription. `pattern` is a name, id or glob.

    The ids of a principal are its object id and its application id.
    """

    of: Literal["vault", "principal", "subscription"]
    pattern: str
    environment: str
    """In lower case, because tags are compared in lower case."""
