"""The environment of vaults and principals without a tag, and names of one environment, as [environments] in keyaudit.toml
states them.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct, structs


class EnvironmentRule(Struct, frozen=True, kw_only=True):
    """The environment of a vault, of a principal, or of all that is in a subscription. `pattern` is a name, id or glob.

    The ids of a principal are its object id and its application id. A rule of a `name` gives nothing an environment: `pattern`
    is another name of `environment`, in lower case, which is shown and compared instead.
    """

    of: Literal["vault", "principal", "subscription", "name"]
    pattern: str
    environment: str
    """In lower case, because tags are compared in lower case."""


def other_names(rules: Iterable[EnvironmentRule]) -> Mapping[str, str]:
    """The environments by their other names."""
    return {rule.pattern: rule.environment for rule in rules if rule.of == "name"}


def assigning(rules: Iterable[EnvironmentRule]) -> tuple[EnvironmentRule, ...]:
    """The rules that give something an environment, each by the name that is shown."""
    rules = tuple(rules)
    names = other_names(rules)
    return tuple(
        structs.replace(rule, environment=names.get(rule.environment, rule.environment)) for rule in rules if rule.of != "name"
    )
