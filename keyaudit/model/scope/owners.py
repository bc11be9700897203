"""Owners that `keyaudit.toml` states, for resources whose owner neither a tag nor Entra names."""

from collections.abc import Mapping

from msgspec import Struct, field


class OwnerRule(Struct, frozen=True, kw_only=True):
    """Who owns the resources that fit all of its patterns: names, ids or globs, in any case. An empty one fits everything."""

    owners: tuple[str, ...]
    """Addresses or teams."""
    subscription: str = ""
    resource_group: str = ""
    vault: str = ""
    name: str = ""
    """The name of the resource itself."""
    application: str = ""
    """Of the resource, or of the holder of a credential: its name or application id."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Patterns of tag values, by name in lower case: of the resource, or else of its vault."""
    place: str = ""
    """The line of the file, for people."""

    @property
    def match(self) -> str:
        """Its resources in words: "vault kv-* and tag team=pay"."""
        named = ("subscription", "resource_group", "vault", "name", "application")
        told = [f"{name.replace('_', ' ')} {getattr(self, name)}" for name in named if getattr(self, name)]
        return " and ".join([*told, *(f"tag {name}={value}" for name, value in self.tags.items())])


class OwnerRules(Struct, frozen=True, kw_only=True):
    """The rules in order, the first that fits counts; and who owns what none of them fits."""

    rules: tuple[OwnerRule, ...] = ()
    fallback: tuple[str, ...] = ()


NO_RULES = OwnerRules()
