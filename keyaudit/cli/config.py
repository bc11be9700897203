"""`keyaudit.toml`: what to read by default, where, and which environment things belong to. Every mistake in it is an error."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from keyaudit.cli.options import Auth
from keyaudit.cloud.environment import ENVIRONMENTS, MEMBERS, Environment, custom
from keyaudit.model.environments import EnvironmentRule
from keyaudit.model.errors import UsageError
from keyaudit.model.filters import Filters
from keyaudit.model.text import one_line

DEFAULT = Path("keyaudit.toml")
"""The file of the folder that a command is run in."""

_MOST = 1024 * 1024
_FILTERS = tuple(each.name for each in fields(Filters))
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)


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


def read_config(path: Path | None) -> Config:
    """The configuration in `path`, or in `DEFAULT` if that is there. Raises UsageError, with file and line, for any mistake."""
    found = path or DEFAULT
    if path is None and not found.is_file():
        return Config()
    try:
        with found.open("rb") as file:
            data = file.read(_MOST + 1)
    except OSError as error:
        raise UsageError(one_line(str(found)), f"cannot be read: {error.strerror}", "name another with --config") from error
    return _Reader(one_line(str(found)), data).read()


class _Reader:
    def __init__(self, place: str, data: bytes) -> None:
        self._place = place
        if len(data) > _MOST:
            raise UsageError(place, "larger than 1 MB", "keep only settings in it")
        try:
            self._source = data.decode()
            self._tables: dict[str, Any] = tomllib.loads(self._source)
        except UnicodeDecodeError as error:
            raise UsageError(place, "not UTF-8", "save it as UTF-8") from error
        except RecursionError as error:
            raise UsageError(place, "nested too deep", "see the README for what may be in it") from error
        except tomllib.TOMLDecodeError as error:
            said = re.search(r"\(at line (\d+)", str(error))
            line = said[1] if said else self._source.count("\n") + 1
            what = one_line(str(error).partition(" (at")[0])
            raise UsageError(f"{place}:{line}", f"not TOML: {what}", "see https://toml.io") from error

    def read(self) -> Config:
        tables = self._table((), self._tables, ("schema", "scope", "auth", "clouds", "environments"))
        if tables.get("schema", 1) != 1:
            raise self._error(("schema",), "written for another version", "this keyaudit reads schema = 1")
        scope = self._table(("scope",), tables.get("scope", {}), ("tenant", *_FILTERS))
        auth = self._table(("auth",), tables.get("auth", {}), ("method", "cloud"))
        clouds = self._named(("clouds",), tables.get("clouds", {}))
        environments = self._table(("environments",), tables.get("environments", {}), ("subscriptions", "vaults"))
        return Config(
            tenant=self._text(("scope", "tenant"), scope["tenant"]) if "tenant" in scope else None,
            filters=Filters(**{name: self._texts(("scope", name), scope.get(name, [])) for name in _FILTERS}),
            auth=Auth(self._one_of(("auth", "method"), auth["method"], list(Auth))) if "method" in auth else None,
            cloud=self._one_of(("auth", "cloud"), auth["cloud"], list(ENVIRONMENTS)) if "cloud" in auth else None,
            clouds={name: self._cloud(name, members) for name, members in clouds.items()},
            environment_rules=(
                *self._rules("vault", ("environments", "vaults"), environments.get("vaults", {})),
                *self._rules("subscription", ("environments", "subscriptions"), environments.get("subscriptions", {})),
            ),
        )

    def _cloud(self, name: str, value: object) -> Environment:
        path = ("clouds", name)
        if not _NAME.fullmatch(name):
            raise self._error(path, "not a name for a cloud", "use lower-case letters, digits and hyphens")
        if name in ENVIRONMENTS:
            raise self._error(path, "Azure's own, and cannot be changed", "give yours another name")
        members = {member: self._text((*path, member), text) for member, text in self._table(path, value, MEMBERS).items()}
        try:
            return custom(name, members)
        except ValueError as error:
            member, _, what = str(error).partition(": ")
            raise self._error((*path, member), f"{member} {what}", "name the hosts of your cloud") from error

    def _rules(self, of: Literal["vault", "subscription"], path: tuple[str, ...], value: object) -> list[EnvironmentRule]:
        rules = []
        for pattern, environment in self._named(path, value).items():
            named = self._text((*path, pattern), environment).strip().lower()
            rules.append(EnvironmentRule(of=of, pattern=pattern, environment=named))
        return rules

    def _table(self, path: tuple[str, ...], value: object, known: Sequence[str]) -> dict[str, Any]:
        table = self._named(path, value)
        for key in table:
            if key not in known:
                near = get_close_matches(key, known, 1)
                remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                raise self._error((*path, key), f"no such setting: {'.'.join((*path, one_line(key)))}", remedy)
        return table

    def _named(self, path: tuple[str, ...], value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._error(path, f"{'.'.join(path)}: not a table", f"write it as [{'.'.join(path)}]")
        return value

    def _texts(self, path: tuple[str, ...], value: object) -> tuple[str, ...]:
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list):
            raise self._error(path, f"{'.'.join(path)}: not a list of texts", 'write it as ["one", "another"]')
        return tuple(self._text(path, each) for each in values)

    def _text(self, path: tuple[str, ...], value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._error(path, f"{one_line('.'.join(path))}: not a text", 'write it in quotes, as "prod"')
        return value

    def _one_of(self, path: tuple[str, ...], value: object, known: Sequence[str]) -> str:
        text = self._text(path, value)
        if text not in known:
            near = get_close_matches(text, known, 1)
            remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
            raise self._error(path, f"{'.'.join(path)}: no such value: {one_line(text)!r}", remedy)
        return text

    def _error(self, path: tuple[str, ...], what: str, remedy: str) -> UsageError:
        line = self._line(path)
        return UsageError(f"{self._place}:{line}" if line else self._place, what, remedy)

    def _line(self, path: tuple[str, ...]) -> int:
        """The line that says this, as far as it can be told: TOML's reader keeps no places. 0: no line."""
        lines = self._source.splitlines()
        begin, found = 0, 0
        for depth, key in enumerate(path):
            header = re.compile(rf"\s*\[+\s*{_dotted(path[: depth + 1])}\s*(\.|\])")
            entry = re.compile(rf"\s*{_quoted(key)}\s*(\.|=)|.*[{{,]\s*{_quoted(key)}\s*=")
            for number, line in enumerate(lines[begin:], begin + 1):
                if header.match(line) or (entry.match(line)):
                    begin, found = number - 1, number
                    break
        return found


def _quoted(key: str) -> str:
    return f"[\"']?{re.escape(key)}[\"']?"


def _dotted(path: Sequence[str]) -> str:
    return r"\s*\.\s*".join(map(_quoted, path))
