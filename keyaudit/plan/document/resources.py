"""The resources of a plan as they will be: each value is known, absent, or known after apply."""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, structs

from keyaudit.collect.wire import AFTER_APPLY, NOT_IN_PLAN
from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import one_line
from keyaudit.plan.document.harmless import provider_of
from keyaudit.plan.document.references import References, Target
from keyaudit.plan.document.terraform import Change, Plan, Provisioner, ResourceChange, resources_of, set_at

Value = Any
"""A value of JSON, or the mark `AFTER_APPLY`."""

_INDEX = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]$')
_NAMESPACE = uuid.UUID("6c1b3c52-0f63-5c0e-9d57-6f1c8a6b7d11")
_FORGET, _DELETED = "forget", frozenset({"delete"})


class View:
    """The attributes of a resource, or of a block in it."""

    def __init__(self, place: str, value: object, unknown: object) -> None:
        """`place`: the address of what it is, for errors. `unknown`: the same part of `after_unknown`."""
        self.place = place
        self._value: Mapping[str, Any] = value if isinstance(value, dict) else {}
        self._unknown: Mapping[str, Any] = unknown if isinstance(unknown, dict) else {}

    def has(self, name: str) -> bool:
        """Whether the plan says anything of this attribute, also that it is null."""
        return name in self._value or name in self._unknown

    def value(self, *names: str) -> Value:
        """The first of these attributes that is known and not null: a provider may have two names for it, and compute one.
        Otherwise the mark if one is known after apply. None: null.
        """
        unknown = [name for name in names if _is_unknown(self._unknown.get(name))]
        known = (self._value.get(name) for name in names if name not in unknown)
        return next((value for value in known if value is not None), AFTER_APPLY if unknown else None)

    @property
    def names(self) -> Sequence[str]:
        """The attributes that the plan says anything of."""
        return tuple({**self._value, **self._unknown})

    def parts(self, name: str) -> tuple[object, object]:
        """The known part of an attribute, and its part of `after_unknown`."""
        return self._value.get(name), self._unknown.get(name)

    def marked(self, name: str) -> Value:
        """An attribute of any form, with the mark in place of each part that is known after apply."""
        return _with_marks(*self.parts(name))

    def text(self, name: str) -> str | None:
        """A text; None if it is null, or known after apply. Raises UsageError for another type."""
        found = self.value(name)
        if found is None or isinstance(found, Raw):
            return None
        if not isinstance(found, str):
            raise UsageError(f"{self.place}.{name}", "not a text", "create the plan again, and do not edit it")
        return found

    def blocks(self, name: str) -> "list[View] | Raw":
        """The blocks of a name; the mark if they are known after apply, or of a form that is none of theirs."""
        found, unknown = self._value.get(name), self._unknown.get(name)
        if unknown is True:
            return AFTER_APPLY
        if isinstance(found, dict):
            return [View(f"{self.place}.{name}", found, unknown)]
        if found is None:
            found = []
        if not isinstance(found, list):
            return AFTER_APPLY
        marks = unknown if isinstance(unknown, list) else []
        return [
            AFTER_APPLY_VIEW
            if number < len(marks) and marks[number] is True
            else View(f"{self.place}.{name}[{number}]", each, marks[number] if number < len(marks) else None)
            for number, each in enumerate(found)
        ]

    def block(self, name: str) -> "View | Raw | None":
        """The only block of a name; None if there is none."""
        found = self.blocks(name)
        if isinstance(found, Raw):
            return found
        return found[0] if found else None


class _Unknown(View):
    """A block that is known after apply as a whole."""

    def __init__(self) -> None:
        super().__init__("", {}, {})

    def value(self, *_names: str) -> Value:
        return AFTER_APPLY

    def blocks(self, name: str) -> "list[View] | Raw":  # noqa: ARG002
        return AFTER_APPLY


AFTER_APPLY_VIEW = _Unknown()


class Planned(View):
    """One instance of a resource after the plan was applied."""

    def __init__(self, change: ResourceChange, references: References) -> None:
        super().__init__(change.address, _decoded(change, change.change.after), _decoded(change, change.change.after_unknown))
        self.address, self.type, self.module = change.address, change.type, change.module_address
        self.actions, self.provider_name = change.change.actions, provider_of(change)
        match = _INDEX.search(change.address)
        self.index = match[0] if match else ""
        self._references = references
        self.configured = change.address.removeprefix(f"{self.module}." if self.module else "").removesuffix(self.index)

    @property
    def is_new(self) -> bool:
        """Whether the plan creates it, perhaps in place of another."""
        return "create" in self.actions

    @property
    def changes(self) -> bool:
        """Whether the plan changes anything of it."""
        return not {"no-op", "read"}.issuperset(self.actions)

    @property
    def guid(self) -> str:
        """A GUID that stands for its own until that is known: the same in every plan of the configuration."""
        return self.stands_for("")

    def stands_for(self, attribute: str) -> str:
        """A GUID that stands for one of its attributes."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.address}.{attribute}"))

    def target(self, *path: str) -> Target | None:
        """What the expression of an attribute refers to, if it is one plain reference."""
        return self._references.target(self.module, self.configured, self.index, path)

    def targets(self, *path: str) -> tuple[Sequence[Target], bool]:
        """What the expression of a list refers to: see `References.targets`."""
        return self._references.targets(self.module, self.configured, self.index, path)

    def is_set(self, *path: str) -> bool:
        """Whether the configuration has an attribute or a block there. It does not show dynamic blocks."""
        return bool(set_at(self._references.expressions(self.module, self.configured), *path))

    @property
    def provider(self) -> str:
        """The key of its provider's configuration."""
        return self._references.provider(self.module, self.configured)

    @property
    def expressions(self) -> Mapping[str, Any]:
        """Its expressions, as they are written."""
        return self._references.expressions(self.module, self.configured)

    @property
    def provisioners(self) -> Sequence[Provisioner]:
        """Its provisioners, which run when it is created."""
        return self._references.provisioners(self.module, self.configured)


class Resources:
    """The instances of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        changes = list(_left(plan.resource_changes))
        self._references = References(plan.configuration, frozenset(each.address for each in changes))
        self._changes = {each.address: each for each in changes}
        self._known: dict[str, Planned] = {}

    def of(self, *types: str) -> Iterator[Planned]:
        """The managed instances of these types that exist after apply, in the order of the plan."""
        for change in self._changes.values():
            if change.mode == "managed" and change.type in types and not _is_removed(change.change):
                yield self._planned(change)

    def managed(self) -> Iterator[Planned]:
        """All managed instances that exist after apply, in the order of the plan."""
        for change in self._changes.values():
            if change.mode == "managed" and not _is_removed(change.change):
                yield self._planned(change)

    def during_apply(self, *types: str) -> Iterator[Planned]:
        """The data sources of these types that are read during apply."""
        for change in self._changes.values():
            if change.mode == "data" and change.type in types:
                yield self._planned(change)

    def deleted(self) -> Iterator[Planned]:
        """The managed instances that the plan deletes and does not create again, as they were before."""
        for change in self._changes.values():
            if change.mode == "managed" and set(change.change.actions) == {"delete"}:
                was = structs.replace(change.change, after=change.change.before, after_unknown=Raw())
                yield Planned(structs.replace(change, change=was), self._references)

    def removed(self, *types: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The instances of these types that the plan deletes, each by address with its values before.

        One that is replaced is among them.
        """
        for change in self.plan.resource_changes:
            if change.mode == "managed" and change.type in types and "delete" in change.change.actions:
                before = _decoded(change, change.change.before)
                yield change.address, before if isinstance(before, dict) else {}

    def at(self, address: str) -> Planned | None:
        """The instance of an address, of any type and mode."""
        change = self._changes.get(address)
        return None if change is None or _is_removed(change.change) else self._planned(change)

    def target(self, planned: Planned, *path: str) -> tuple[Planned, str] | None:
        """The instance that an attribute refers to, and which of its attributes; the latter is empty if that is not known."""
        found = planned.target(*path)
        there = self.at(found.address) if found else None
        return (there, found.attribute) if found and there else None

    def targets(self, planned: Planned, *path: str) -> tuple[Sequence[tuple[Planned, str]], bool]:
        """What the expression of a list refers to and may be known after apply, and whether all of it was found."""
        found, whole = planned.targets(*path)
        there = [(at, each.attribute) for each in found if (at := self.at(each.address))]
        return there, whole and len(there) == len(found)

    def data(self, type_: str) -> Iterator[Mapping[str, Any]]:
        """The values of the data sources of a type that were read for the plan."""
        values = self.plan.prior_state.values if self.plan.prior_state else None
        for resource in resources_of(values.root_module) if values else ():
            if resource.mode == "data" and resource.type == type_:
                found = msgspec.json.decode(resource.values) if bytes(resource.values) else None
                if isinstance(found, dict):
                    yield found

    def _planned(self, change: ResourceChange) -> Planned:
        found = self._known.get(change.address)
        if found is None:
            found = self._known[change.address] = Planned(change, self._references)
        return found


def wire(value: Value, default: Value = None) -> Value:
    """A value for an answer: of null, the service's default."""
    return default if value is None else value


def texts(value: Value) -> Value:
    """A list of texts for an answer: null is no text."""
    return wire(value, [])


def _with_marks(value: object, unknown: object) -> Value:
    if unknown is True:
        return AFTER_APPLY
    if isinstance(value, dict) or isinstance(unknown, dict):
        values, marks = (each if isinstance(each, dict) else {} for each in (value, unknown))
        return {name: _with_marks(values.get(name), marks.get(name)) for name in {**values, **marks}}
    if isinstance(value, list):
        marked = unknown if isinstance(unknown, list) else []
        return [_with_marks(each, marked[at] if at < len(marked) else None) for at, each in enumerate(value)]
    return value


def _is_unknown(mark: object) -> bool:
    """Whether anything of a value is known after apply: of a list or a map, one element is enough."""
    if isinstance(mark, dict):
        return any(map(_is_unknown, mark.values()))
    return any(map(_is_unknown, mark)) if isinstance(mark, list) else mark is True


def _left(changes: Sequence[ResourceChange]) -> Iterator[ResourceChange]:
    """The changes of what there is after apply, and of what is deleted. What Terraform only forgets stays as it was before."""
    for each in changes:
        was = structs.replace(each.change, actions=("no-op",), after=each.change.before, after_unknown=Raw())
        if each.deposed:
            if _DELETED.isdisjoint(each.change.actions):
                yield structs.replace(each, address=f"{each.address} (deposed {one_line(each.deposed, 40)})", change=was)
        elif each.change.actions == (_FORGET,):
            yield structs.replace(each, change=was)
        else:
            yield each
            if _FORGET in each.change.actions:
                yield structs.replace(each, address=f"{each.address} (before)", change=was)


def _is_removed(change: Change) -> bool:
    return _DELETED.issuperset(change.actions)


def _decoded(change: ResourceChange, raw: Raw) -> object:
    if not bytes(raw):
        return None
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError) as error:
        what = "cannot be read: nested too deeply, or not JSON"
        raise UsageError(one_line(change.address, 200), what, "create the plan again, and do not edit it") from error


__all__ = ["AFTER_APPLY", "NOT_IN_PLAN", "Planned", "Resources", "Sequence", "Value", "View", "texts", "wire"]
