"""The `[policy]` and `[require]` tables of `keyaudit.toml`: the limits of policies, in general and by class of resources.

Names of policies and parameters are checked later, when policies are bound; here they are only read, with their lines.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec import Struct, field

from keyaudit.cli.toml import Keys, Toml, dotted
from keyaudit.model.documents.nodes import Items, Members, Node, Scalar
from keyaudit.model.evidence import REQUIRABLE
from keyaudit.model.tables import TABLES
from keyaudit.model.text import one_line
from keyaudit.model.waivers import Glob
from keyaudit.policy.parameters import PROFILES
from keyaudit.policy.settings import Given, PolicyClass
from keyaudit.policy.waivers import names_something

_TABLE = ("profile", "parameters", "classes")
_CLASS = ("name", "reason", "match", "parameters", "not_applicable")
_MATCH = ("resource", "tags", "table", "policies")
_REQUIRE = ("evidence",)
_LONGEST = 80


class PolicyConfig(Struct, frozen=True, kw_only=True):
    """The settings of a file for policies."""

    profile: str | None = None
    parameters: Mapping[str, Mapping[str, Given]] = field(default_factory=dict)
    classes: tuple[PolicyClass, ...] = ()
    require: tuple[str, ...] = ()


def read_policy_config(file: Toml) -> PolicyConfig:
    """The two tables of a file. Errors are added to the file's `mistakes`, with their lines."""
    policy: dict[str, Any] = file.value((), file.tables, "policy", partial(file.table, known=_TABLE), {})
    require: dict[str, Any] = file.value((), file.tables, "require", partial(file.table, known=_REQUIRE), {})
    return PolicyConfig(
        profile=file.value(("policy",), policy, "profile", partial(file.one_of, known=PROFILES), None),
        parameters=file.value(("policy",), policy, "parameters", partial(_parameters, file), {}),
        classes=file.value(("policy",), policy, "classes", partial(_classes, file), ()),
        require=file.value(("require",), require, "evidence", partial(_required, file), ()),
    )


def _required(file: Toml, path: Keys, value: object) -> tuple[str, ...]:
    return tuple(file.one_of((*path, number), each, REQUIRABLE) for number, each in enumerate(file.texts(path, value)))


def _parameters(file: Toml, path: Keys, value: object) -> dict[str, dict[str, Given]]:
    found: dict[str, dict[str, Given]] = {}
    for policy, parameters in file.named(path, value).items():
        named: dict[str, Any] = file.attempt(partial(file.named, (*path, policy), parameters), {})
        read = {name: file.value((*path, policy), named, name, partial(_given, file), None) for name in named}
        found[policy] = {name: given for name, given in read.items() if given is not None}
    return found


def _given(file: Toml, path: Keys, value: object) -> Given:
    return Given(_node(file, path, value), file.at(path))


def _node(file: Toml, path: Keys, value: object) -> Node:
    """The value as in policy files: text, which the parameter's type converts later."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        text = str(value)
        if not text.isprintable():
            raise file.error(path, f"{dotted(path)}: a control character in a text", "leave it out")
        return Scalar(text, 0, 0, quoted=isinstance(value, str))
    if isinstance(value, list):
        return Items([_node(file, (*path, number), each) for number, each in enumerate(value)], 0, 0)
    if isinstance(value, dict):
        keys = {key: Scalar(key, 0, 0) for key in value}
        return Members({key: _node(file, (*path, key), each) for key, each in value.items()}, keys, 0, 0)
    raise file.error(path, f"{dotted(path)}: not a text, whole number, list or table", 'write a duration as "P365D"')


def _classes(file: Toml, path: Keys, value: object) -> tuple[PolicyClass, ...]:
    if not isinstance(value, list):
        raise file.error(path, "policy.classes: not a list of tables", "write [[policy.classes]] before each")
    found: dict[str, PolicyClass] = {}
    for number, each in enumerate(value):
        made = file.attempt(partial(_class, file, (*path, number), each), None)
        if made is not None and made.name in found:
            what = f"the class {one_line(made.name)!r} is there twice"
            file.mistakes.append(file.error((*path, number, "name"), what, f"the first is at {found[made.name].place}"))
        elif made is not None:
            found[made.name] = made
    return tuple(found.values())


def _class(file: Toml, path: Keys, value: object) -> PolicyClass:
    table = file.table(path, value, _CLASS)
    for name in ("name", "match"):
        if name not in table:
            raise file.error(path, f"a class without a {name}", "every class has a name and a match")
    name = file.text((*path, "name"), table["name"])
    if not name.isprintable() or len(name) > _LONGEST:
        what = f"{one_line(name, _LONGEST)!r} cannot name a class"
        raise file.error((*path, "name"), what, f"printable characters, {_LONGEST} at most")
    match = file.table((*path, "match"), table["match"], _MATCH)
    resource, tags = _resource(file, (*path, "match"), match), _tags(file, (*path, "match", "tags"), match.get("tags", {}))
    if resource is None and not tags:
        raise file.error((*path, "match"), "a match that names no resource and no tag", 'as in tags = { team = "build" }')
    if "table" not in match and "policies" not in match:
        raise file.error((*path, "match"), "a match that says for which table or policies it is", 'as in table = "key"')
    return PolicyClass(
        name=name,
        place=file.at(path),
        policies=file.texts((*path, "match", "policies"), match.get("policies", [])),
        table=file.one_of((*path, "match", "table"), match["table"], list(TABLES)) if "table" in match else "",
        resource=resource,
        tags=tags,
        parameters=_parameters(file, (*path, "parameters"), table.get("parameters", {})),
        not_applicable=file.texts((*path, "not_applicable"), table.get("not_applicable", [])),
        reason=file.text((*path, "reason"), table["reason"]) if "reason" in table else "",
    )


def _resource(file: Toml, path: Keys, match: Mapping[str, Any]) -> Glob | None:
    if "resource" not in match:
        return None
    pattern = file.text((*path, "resource"), match["resource"])
    if not pattern.isprintable():
        raise file.error((*path, "resource"), "a control character in a pattern", "leave it out")
    if not names_something(pattern):
        what = f"{one_line(pattern)!r} names no resource"
        raise file.error((*path, "resource"), what, "a class is of something in particular; [policy.parameters] is for all")
    return Glob(pattern)


def _tags(file: Toml, path: Keys, value: object) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, each in file.named(path, value).items():
        if not isinstance(each, str) or not (name + each).isprintable():
            raise file.error((*path, name), f"{dotted((*path, name))}: not a text", 'write it in quotes, as "build"')
        if name.lower() in found:
            raise file.error((*path, name), f"the tag {one_line(name)} is there twice", "names of tags compare without case")
        found[name.lower()] = each
    return found
