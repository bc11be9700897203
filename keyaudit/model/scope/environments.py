"""The environment of vaults and principals without a tag, as [environments] in keyaudit.toml states it, and the names of one
environment, as the settings and usage have them.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct, structs

USUAL = (("prod", "production", "prd", "live"), ("dev", "development"), ("test", "tst"))
"""Names that mean one environment unless the settings say otherwise. The first is shown."""

_PRODUCTION = USUAL[0]
_HARMLESS = ("dev", "development", "test", "tst", "testing", "qa", "sandbox", "sbx", "lab", "poc")
"""The names of environments whose loss harms nobody outside them. Any other name is taken for production."""


class EnvironmentRule(Struct, frozen=True, kw_only=True):
    """The environment of a vault, of a principal, or of all that is in a subscription. `pattern` is a name, id or glob.

    The ids of a principal are its object id and its application id. A rule of a `name` gives nothing an environment: `pattern`
    is another name of `environment`, in lower case, which is shown and compared instead; where both are the same, the name has
    no other meaning.
    """

    of: Literal["vault", "principal", "subscription", "name"]
    pattern: str
    environment: str
    """In lower case, because tags are compared in lower case."""


def other_names(rules: Iterable[EnvironmentRule]) -> Mapping[str, str]:
    """The environments by their other names: as configured, then as in `USUAL`, by the name that the settings show for them."""
    configured = {rule.pattern: rule.environment for rule in rules if rule.of == "name"}
    shown = {**{name: name for name in configured.values()}, **configured}
    found = dict(configured)
    for usual in USUAL:
        one = [name for name in usual if configured.get(name) != name]
        chosen = next((shown[name] for name in one if name in shown), one[0] if one else "")
        found |= {name: chosen for name in one if name not in shown and name != chosen}
    return found


def assigning(rules: Iterable[EnvironmentRule]) -> tuple[EnvironmentRule, ...]:
    """The rules that give something an environment, each by the name that is shown."""
    rules = tuple(rules)
    names = other_names(rules)
    return tuple(
        structs.replace(rule, environment=names.get(rule.environment, rule.environment)) for rule in rules if rule.of != "name"
    )


def harmless(rules: Iterable[EnvironmentRule]) -> frozenset[str]:
    """The environments, by the name that is shown, that rules give to vaults or subscriptions and whose names are harmless."""
    rules = tuple(rules)
    names = other_names(rules)
    given = {rule.environment for rule in assigning(rules) if rule.of in ("vault", "subscription")}

    def called(environment: str) -> set[str]:
        return {environment, *(other for other, name in names.items() if name == environment)}

    return frozenset(each for each in given if called(each) & {*_HARMLESS} and not called(each) & {*_PRODUCTION})
