"""`keyaudit.toml`: what to read by default, where, how to judge it. Every mistake in it is an error."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from keyaudit.cli.options import DEFAULT_CONFIG, Auth
from keyaudit.cli.policy_config import PolicyConfig, read_policy_config
from keyaudit.cli.toml import Toml
from keyaudit.cloud.environment import ENVIRONMENTS, MEMBERS, Environment, custom
from keyaudit.model.environments import EnvironmentRule
from keyaudit.model.expectations import Expectations
from keyaudit.model.filters import Filters
from keyaudit.model.tables import TABLES, table_named
from keyaudit.model.text import one_line

_TABLES = ("schema", "scope", "auth", "clouds", "environments", "policy", "require", "expect")
_PLACES: Mapping[str, Literal["vault", "principal", "subscription"]] = {
    "vaults": "vault",
    "principals": "principal",
    "subscriptions": "subscription",
}
"""The tables of [environments], with what their rules are about."""
_EXPECT = ("subscriptions", "vaults", "at_least", "shrinkage")
_PERCENT = re.compile(r"(\d{1,2}|100) ?%", re.ASCII)
_FILTERS = tuple(each.name for each in fields(Filters))
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_MOST = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a file says; what it leaves out is None or empty."""

    tenant: str | None = None
    filters: Filters = field(default_factory=Filters)
    auth: Auth | None = None
    cloud: str | None = None
    """One of Azure's own. A cloud that a file makes up has to be chosen on the command line."""
    clouds: Mapping[str, Environment] = field(default_factory=dict)
    environment_rules: tuple[EnvironmentRule, ...] = ()
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    expected: Expectations = field(default_factory=Expectations)


def read_config(path: Path | None) -> Config:
    """The configuration in `path`, or in `DEFAULT_CONFIG` if that exists. Raises UsageError, with its place, for a mistake."""
    found = in_use(path)
    return Config() if found is None else _Reader(Toml.of_file(found)).read()


def in_use(path: Path | None) -> Path | None:
    """The file that is read where `path` was named, or none was."""
    return path or (DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None)


class _Reader:
    def __init__(self, file: Toml) -> None:
        self._file = file

    def read(self) -> Config:
        tables = self._file.table((), self._file.tables, _TABLES)
        if tables.get("schema", 1) != 1:
            raise self._file.error(("schema",), "written for another version", "this keyaudit reads schema = 1")
        scope = self._file.table(("scope",), tables.get("scope", {}), ("tenant", *_FILTERS))
        auth = self._file.table(("auth",), tables.get("auth", {}), ("method", "cloud"))
        clouds = self._file.named(("clouds",), tables.get("clouds", {}))
        environments = self._file.table(("environments",), tables.get("environments", {}), tuple(_PLACES))
        return Config(
            tenant=self._file.text(("scope", "tenant"), scope["tenant"]) if "tenant" in scope else None,
            filters=Filters(**{name: self._file.texts(("scope", name), scope.get(name, [])) for name in _FILTERS}),
            auth=Auth(self._file.one_of(("auth", "method"), auth["method"], list(Auth))) if "method" in auth else None,
            cloud=self._file.one_of(("auth", "cloud"), auth["cloud"], list(ENVIRONMENTS)) if "cloud" in auth else None,
            clouds={name: self._cloud(name, members) for name, members in clouds.items()},
            environment_rules=tuple(
                rule
                for name, of in _PLACES.items()
                for rule in self._rules(of, ("environments", name), environments.get(name, {}))
            ),
            policy=read_policy_config(self._file),
            expected=self._expected(tables.get("expect", {})),
        )

    def _expected(self, value: object) -> Expectations:
        table = self._file.table(("expect",), value, _EXPECT)
        return Expectations(
            subscriptions=self._file.texts(("expect", "subscriptions"), table.get("subscriptions", [])),
            vaults=self._file.texts(("expect", "vaults"), table.get("vaults", [])),
            at_least=self._at_least(("expect", "at_least"), table.get("at_least", {})),
            shrinkage=self._percent(("expect", "shrinkage"), table["shrinkage"]) if "shrinkage" in table else None,
        )

    def _at_least(self, path: tuple[str, ...], value: object) -> dict[str, int]:
        found: dict[str, int] = {}
        for asked, least in self._file.named(path, value).items():
            table = table_named(asked)
            if table is None:
                near = get_close_matches(asked, TABLES, n=1)
                remedy = f"did you mean {near[0]}?" if near else f"the tables are {', '.join(TABLES)}"
                raise self._file.error((*path, asked), f"no table {one_line(asked)!r}", remedy)
            if isinstance(least, bool) or not isinstance(least, int) or not 0 < least <= _MOST:
                raise self._file.error((*path, asked), f"not a number from 1 to {_MOST:,}", "write it as in applications = 100")
            found[table.name] = least
        return found

    def _percent(self, path: tuple[str, ...], value: object) -> int:
        match = _PERCENT.fullmatch(self._file.text(path, value))
        if match is None:
            raise self._file.error(path, "not a percentage from 0% to 100%", 'write it as in shrinkage = "10%"')
        return int(match[1])

    def _cloud(self, name: str, value: object) -> Environment:
        path = ("clouds", name)
        if not _NAME.fullmatch(name):
            raise self._file.error(path, "not a name for a cloud", "use lower-case letters, digits and hyphens")
        if name in ENVIRONMENTS:
            raise self._file.error(path, "Azure's own, and cannot be changed", "give yours another name")
        members = {
            member: self._file.text((*path, member), text) for member, text in self._file.table(path, value, MEMBERS).items()
        }
        try:
            return custom(name, members)
        except ValueError as error:
            member, _, what = str(error).partition(": ")
            raise self._file.error((*path, member), f"{member} {what}", "name the hosts of your cloud") from error

    def _rules(
        self, of: Literal["vault", "principal", "subscription"], path: tuple[str, ...], value: object
    ) -> list[EnvironmentRule]:
        rules = []
        for pattern, environment in self._file.named(path, value).items():
            named = self._file.text((*path, pattern), environment).strip().lower()
            rules.append(EnvironmentRule(of=of, pattern=pattern, environment=named))
        return rules
