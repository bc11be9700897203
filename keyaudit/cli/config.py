"""`keyaudit.toml`: what to read, where, and by which limits. All errors in it are reported at once."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import fields

from keyaudit.cli.options import Auth
from keyaudit.cli.policy_config import PolicyConfig, read_policy_config
from keyaudit.cli.recipients import Recipients, read_recipients
from keyaudit.cli.toml import Keys, Toml
from keyaudit.cloud.environment import ENVIRONMENTS, MEMBERS, Environment, custom
from keyaudit.model.documents.problems import nearest
from keyaudit.model.environments import EnvironmentRule
from keyaudit.model.errors import SettingsError, UsageError
from keyaudit.model.expectations import Expectations
from keyaudit.model.filters import Filters
from keyaudit.model.tables import TABLES, table_named
from keyaudit.model.text import one_line

_TABLES = ("schema", "scope", "auth", "clouds", "environments", "policy", "require", "expect", "notify")
_PLACES: Mapping[str, Literal["vault", "principal", "subscription"]] = {
    "vaults": "vault",
    "principals": "principal",
    "subscriptions": "subscription",
}
"""The tables of [environments], and what the rules in each match."""
_EXPECT = ("subscriptions", "vaults", "at_least", "shrinkage")
_PERCENT = re.compile(r"(\d{1,2}|100) ?%", re.ASCII)
_FILTERS = tuple(each.name for each in fields(Filters))
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_MOST = 10**9


class Config(Struct, frozen=True, kw_only=True):
    """The content of a file; settings that it leaves out are None or empty."""

    tenant: str | None = None
    filters: Filters = field(default_factory=Filters)
    auth: Auth | None = None
    cloud: str | None = None
    """One of Azure's clouds. Others can only be chosen on the command line."""
    clouds: Mapping[str, Environment] = field(default_factory=dict)
    environment_rules: tuple[EnvironmentRule, ...] = ()
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    expected: Expectations = field(default_factory=Expectations)
    recipients: Recipients = field(default_factory=Recipients)


def read_config(path: Path | None) -> Config:
    """The configuration in `path`; an empty one for None. Raises UsageError for errors in it."""
    config, mistakes = read_with_mistakes(path)
    if mistakes:
        raise SettingsError(mistakes)
    return config


def read_with_mistakes(path: Path | None) -> tuple[Config, Sequence[UsageError]]:
    """As `read_config`, but returns the errors, for callers that find more of them."""
    if path is None:
        return Config(), ()
    file = Toml.of_file(path)
    return _Reader(file).read(), file.mistakes


class _Reader:
    def __init__(self, file: Toml) -> None:
        self._file = file

    def read(self) -> Config:
        file = self._file
        tables = file.table((), file.tables, _TABLES)
        if tables.get("schema", 1) != 1:
            file.mistakes.append(file.error(("schema",), "written for another version", "this keyaudit reads schema = 1"))
        scope = self._table(tables, "scope", ("tenant", *_FILTERS))
        auth = self._table(tables, "auth", ("method", "cloud"))
        environments = self._table(tables, "environments", tuple(_PLACES))
        clouds: dict[str, Any] = file.value((), tables, "clouds", file.named, {})
        made = {name: file.attempt(partial(self._cloud, name, members), None) for name, members in clouds.items()}
        return Config(
            tenant=file.value(("scope",), scope, "tenant", file.text, None),
            filters=Filters(**{name: file.value(("scope",), scope, name, file.texts, ()) for name in _FILTERS}),
            auth=file.value(("auth",), auth, "method", self._auth, None),
            cloud=file.value(("auth",), auth, "cloud", partial(file.one_of, known=list(ENVIRONMENTS)), None),
            clouds={name: cloud for name, cloud in made.items() if cloud is not None},
            environment_rules=tuple(
                rule
                for name, of in _PLACES.items()
                for rule in file.value(("environments",), environments, name, partial(self._rules, of), ())
            ),
            policy=read_policy_config(file),
            expected=self._expected(tables),
            recipients=read_recipients(file),
        )

    def _table(self, tables: Mapping[str, Any], name: str, known: Sequence[str]) -> dict[str, Any]:
        return self._file.value((), tables, name, partial(self._file.table, known=known), {})

    def _auth(self, path: Keys, value: object) -> Auth:
        return Auth(self._file.one_of(path, value, list(Auth)))

    def _expected(self, tables: Mapping[str, Any]) -> Expectations:
        file, table = self._file, self._table(tables, "expect", _EXPECT)
        return Expectations(
            subscriptions=file.value(("expect",), table, "subscriptions", file.texts, ()),
            vaults=file.value(("expect",), table, "vaults", file.texts, ()),
            at_least=file.value(("expect",), table, "at_least", self._at_least, {}),
            shrinkage=file.value(("expect",), table, "shrinkage", self._percent, None),
        )

    def _at_least(self, path: Keys, value: object) -> dict[str, int]:
        asked = self._file.named(path, value)
        found = [self._file.attempt(partial(self._least, (*path, name), name, least), None) for name, least in asked.items()]
        return dict(each for each in found if each is not None)

    def _least(self, path: Keys, asked: str, least: object) -> tuple[str, int]:
        """A table, and the least number of rows it must have."""
        table = table_named(asked)
        if table is None:
            raise self._file.error(
                path, f"no table {one_line(asked)!r}", nearest(asked, TABLES) or f"one of {', '.join(TABLES)}"
            )
        if isinstance(least, bool) or not isinstance(least, int) or not 0 < least <= _MOST:
            raise self._file.error(path, f"not a number from 1 to {_MOST:,}", "for example applications = 100")
        return table.name, least

    def _percent(self, path: Keys, value: object) -> int:
        match = _PERCENT.fullmatch(self._file.text(path, value))
        if match is None:
            raise self._file.error(path, "not a percentage from 0% to 100%", 'for example shrinkage = "10%"')
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

    def _rules(self, of: Literal["vault", "principal", "subscription"], path: Keys, value: object) -> list[EnvironmentRule]:
        named = self._file.named(path, value)
        environments = {pattern: self._file.value(path, named, pattern, self._file.text, "") for pattern in named}
        return [
            EnvironmentRule(of=of, pattern=pattern, environment=environment.strip().lower())
            for pattern, environment in environments.items()
        ]
