"""`keyaudit.toml`: what to read, where, and by which limits. All errors in it are reported at once."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from msgspec import Struct, defstruct, field, structs

from keyaudit.cli.options import Auth
from keyaudit.cli.settings.policy_config import PolicyConfig, PolicyTable, RequireTable, policy_config, tag_values
from keyaudit.cli.settings.recipients import Recipients
from keyaudit.cloud.environment import ENVIRONMENTS, MEMBERS, Environment, custom
from keyaudit.inventory.disk import input_file
from keyaudit.model.changes.history import Deadlines
from keyaudit.model.documents.format import MAX_SIZE
from keyaudit.model.documents.nodes import Members, Node
from keyaudit.model.documents.problems import FieldError, nearest
from keyaudit.model.documents.reader import Keys, Reader, Version, one_of
from keyaudit.model.documents.toml import TOML
from keyaudit.model.errors import SettingsError, UsageError
from keyaudit.model.gating.expectations import Expectations
from keyaudit.model.scope.environments import EnvironmentRule
from keyaudit.model.scope.filters import Filters
from keyaudit.model.scope.owners import NO_RULES, OwnerRule, OwnerRules
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES, table_named
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import parse_duration


def _names(reader: Reader, node: Node, path: Keys) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in reader.read(node, tuple[str, ...], path) or ()))
    if not names or not all(name and name.isprintable() for name in names):
        raise FieldError("not the address or name of an owner", 'as in owner = "team-orders"')
    return names


def _pattern(reader: Reader, node: Node, path: Keys) -> str:
    text = reader.string(node, path).strip()
    if not text.isprintable():
        raise FieldError("a control character in a pattern", "leave it out")
    return text


Names: TypeAlias = Annotated[tuple[str, ...], _names]
"""A text, or a list of texts."""
Pattern: TypeAlias = Annotated[str, _pattern]


class _Rule(Struct, kw_only=True):
    at: Members
    owner: Names
    subscription: Pattern = ""
    resource_group: Pattern = ""
    vault: Pattern = ""
    name: Pattern = ""
    application: Pattern = ""
    tags: Annotated[Mapping[str, str], tag_values] = field(default_factory=dict)


class OwnersTable(Struct, kw_only=True):
    """`[owners]`."""

    rules: tuple[_Rule, ...] = ()
    fallback: Annotated[tuple[str, ...], _names] = ()


def owner_rules(reader: Reader, table: OwnersTable) -> OwnerRules:
    """The rules of the table. A rule without a pattern is a problem, which is added to the reader."""
    rules = []
    for each in table.rules:
        given = {name: value for name, value in structs.asdict(each).items() if name not in ("at", "owner")}
        if not any(given.values()):
            reader.problem(each.at, "a rule that matches everything", "name the resources it is for, or use fallback")
        rules.append(OwnerRule(owners=each.owner, place=reader.place(each.at), **given))
    return OwnerRules(rules=tuple(rules), fallback=table.fallback)


_PLACES: Mapping[str, Literal["vault", "principal", "subscription", "name"]] = {
    "vaults": "vault",
    "principals": "principal",
    "subscriptions": "subscription",
    "same": "name",
}
"""The tables of [environments], and what the rules in each match."""
_PERCENT = re.compile(r"(\d{1,2}|100) ?%", re.ASCII)
_SAME = 'for example prod = ["production", "prd"]'
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_MOST = 10**9
_TAG = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
_MOST_TAGS = 10


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
    owners: OwnerRules = NO_RULES
    deadlines: Deadlines = field(default_factory=dict)
    tag_labels: tuple[str, ...] = ()
    """The tags that metrics have as labels."""


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
    reader, document = parsed(path)
    found = reader.read(document, _File) or _File()
    config = _config(found, policy_config(reader, found.policy, found.require), owner_rules(reader, found.owners))
    return config, [each.error for each in reader.problems]


def parsed(path: Path) -> tuple[Reader, Node]:
    """The nodes of a file. The null device, by its own name, is an empty one: that is how no file is chosen.

    Raises UsageError if it is no TOML.
    """
    reader = Reader(one_line(str(path)), TOML)
    remedy = "create the configuration file there, or name another with --config"
    return reader, reader.parse(b"" if str(path) == os.devnull else input_file.read(path, MAX_SIZE, remedy))


def _config(file: "_File", policy: PolicyConfig, owners: OwnerRules) -> Config:
    rules = structs.asdict(file.environments)
    return Config(
        tenant=file.scope.tenant,
        filters=Filters(**{name: getattr(file.scope, name) for name in Filters.__struct_fields__}),
        auth=file.auth.method,
        cloud=file.auth.cloud,
        clouds=file.clouds,
        environment_rules=tuple(
            EnvironmentRule(of=of, pattern=pattern, environment=environment.strip().lower())
            for name, of in _PLACES.items()
            for pattern, environment in rules[name].items()
        ),
        policy=policy,
        expected=Expectations(**structs.asdict(file.expect)),
        recipients=file.notify,
        owners=owners,
        deadlines=file.deadlines,
        tag_labels=file.prometheus.tags,
    )


def _cloud(reader: Reader, node: Node, path: Keys) -> Environment | None:
    if not _NAME.fullmatch(path[-1]):
        raise FieldError("not a name for a cloud", "use lower-case letters, digits and hyphens")
    if path[-1] in ENVIRONMENTS:
        raise FieldError("built in, and cannot be changed", "choose another name")
    before = len(reader.problems)
    found = reader.read(node, _Cloud, path)
    if found is None or len(reader.problems) > before:
        return None
    try:
        return custom(path[-1], {name: text for name, text in structs.asdict(found).items() if text})
    except ValueError as error:
        member, _, what = str(error).partition(": ")
        reader.problem(reader.entries(node).get(member, node), f"{member} {what}", "name the hosts of your cloud")
        return None


def _at_least(reader: Reader, node: Node, path: Keys) -> dict[str, int]:
    """The least number of rows by table."""
    found: dict[str, int] = {}
    for name, least in (reader.read(node, dict[str, int], path) or {}).items():
        table, place = table_named(name), reader.entries(node)[name]
        if table is None:
            reader.problem(place, f"no table {one_line(name)!r}", nearest(name, TABLES) or f"one of {', '.join(TABLES)}")
        elif not 0 < least <= _MOST:
            reader.problem(place, f"not a number from 1 to {_MOST:,}", "for example applications = 100")
        else:
            found[table.name] = least
    return found


def _same(reader: Reader, node: Node, path: Keys) -> dict[str, str]:
    """The environments by their other names: `prod = ["production"]` is production -> prod."""
    lists = reader.read(node, dict[str, tuple[str, ...]], path) or {}
    shown = {name.strip().lower() for name in lists}
    found: dict[str, str] = {}
    for name, others in lists.items():
        place = reader.entries(node)[name]
        if not name.strip():
            reader.problem(place, "an environment without a name", _SAME)
        # An empty list takes the name out of those that usually mean the same.
        found |= {} if others else {name.strip().lower(): name.strip().lower()}
        for other in (each.strip().lower() for each in others):
            if other in shown or other in found:
                reader.problem(place, f"{one_line(other)!r} is named twice", _SAME)
            found[other] = name.strip().lower()
    return found


def _deadlines(reader: Reader, node: Node, path: Keys) -> dict[Severity, int]:
    """Seconds by severity."""
    found: dict[Severity, int] = {}
    for name, text in (reader.read(node, dict[str, str], path) or {}).items():
        place = reader.entries(node)[name]
        if name not in set(Severity):
            reader.problem(place, f"no severity {one_line(name)!r}", nearest(name, Severity) or f"one of {', '.join(Severity)}")
            continue
        try:
            found[Severity(name)] = parse_duration(text)
        except ValueError as error:
            reader.problem(place, str(error), 'for example high = "P30D"')
    return found


def _tags(reader: Reader, node: Node, path: Keys) -> tuple[str, ...]:
    """Tags in lower case, each with a name that a label can have."""
    found = [text.strip().lower() for text in reader.read(node, tuple[str, ...], path) or ()]
    for text in found:
        if not _TAG.fullmatch(text):
            raise FieldError(f"{one_line(text)!r} cannot be a label", "use letters, digits, hyphens and underscores")
    labels = [text.replace("-", "_") for text in found]
    if len(set(labels)) != len(labels):
        raise FieldError("two of them are the same label", "name each once")
    if len(labels) > _MOST_TAGS:
        raise FieldError(f"more than {_MOST_TAGS} tags", "each label makes more series")
    return tuple(found)


def _percent(reader: Reader, node: Node, path: Keys) -> int:
    match = _PERCENT.fullmatch(reader.string(node, path))
    if match is None:
        raise FieldError("not a percentage from 0% to 100%", 'for example shrinkage = "10%"')
    return int(match[1])


class _Scope(Filters, frozen=True, kw_only=True):
    tenant: str | None = None


class _Auth(Struct):
    method: Auth | None = None
    cloud: Annotated[str | None, one_of(tuple(ENVIRONMENTS))] = None


class _Environments(Struct):
    """Environments by pattern."""

    vaults: Mapping[str, str] = field(default_factory=dict)
    principals: Mapping[str, str] = field(default_factory=dict)
    subscriptions: Mapping[str, str] = field(default_factory=dict)
    same: Annotated[Mapping[str, str], _same] = field(default_factory=dict)


class _Expect(Struct):
    subscriptions: tuple[str, ...] = ()
    vaults: tuple[str, ...] = ()
    at_least: Annotated[Mapping[str, int], _at_least] = field(default_factory=dict)
    no_subscriptions: bool = False
    shrinkage: Annotated[int | None, _percent] = None


class _Prometheus(Struct):
    tags: Annotated[tuple[str, ...], _tags] = ()


_Cloud = defstruct("_Cloud", [(name, str, "") for name in MEMBERS], frozen=True)


class _File(Struct, kw_only=True):
    schema: Version = 1
    scope: _Scope = field(default_factory=_Scope)
    auth: _Auth = field(default_factory=_Auth)
    clouds: Mapping[str, Annotated[Environment, _cloud]] = field(default_factory=dict)
    environments: _Environments = field(default_factory=_Environments)
    policy: PolicyTable = field(default_factory=PolicyTable)
    require: RequireTable = field(default_factory=RequireTable)
    expect: _Expect = field(default_factory=_Expect)
    notify: Recipients = field(default_factory=Recipients)
    owners: OwnersTable = field(default_factory=OwnersTable)
    deadlines: Annotated[Mapping[Severity, int], _deadlines] = field(default_factory=dict)
    prometheus: _Prometheus = field(default_factory=_Prometheus)
