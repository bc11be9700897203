"""Reads the file of `terraform show -json`: its size, format and state are checked, and only what is declared here is kept.

https://developer.hashicorp.com/terraform/internals/json-format; OpenTofu writes the same format.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from keyaudit.inventory.disk.input_file import read
from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import one_line

MAX_SIZE = 512 * 1024 * 1024
"""In bytes. A plan with 10,000 resources has about 60 MB."""
_FORMAT = "1"
"""The major version of the format; minor versions only add members."""
_MANAGED = "managed"
_CONVERT = "convert it: terraform show -json FILE > plan.json"


class Change(Struct, frozen=True):
    """What is done to one resource. `after` lacks what is known after apply, which `after_unknown` marks as true."""

    actions: tuple[str, ...]
    before: Raw = field(default_factory=Raw)
    after: Raw = field(default_factory=Raw)
    after_unknown: Raw = field(default_factory=Raw)


class ResourceChange(Struct, frozen=True):
    """One instance of a resource, changed or not."""

    address: str
    type: str
    change: Change
    mode: str = "managed"
    name: str = ""
    module_address: str = ""
    deposed: str = ""
    provider_name: str = ""


class Deferred(Struct, frozen=True):
    """A change that this plan does not decide."""

    resource_change: ResourceChange


class Provisioner(Struct, frozen=True):
    """A command, or another step, that runs when a resource is created."""

    type: str
    expressions: dict[str, Any] = {}


class ConfiguredResource(Struct, frozen=True):
    """A resource in the configuration, with its expressions as they are written."""

    address: str
    expressions: dict[str, Any] = {}
    provider_config_key: str = ""
    for_each_expression: Any = None
    provisioners: tuple[Provisioner, ...] = ()


class Output(Struct, frozen=True):
    """An output of a module."""

    expression: Any = None


class ModuleCall(Struct, frozen=True):
    """A call of a module, with its inputs."""

    source: str = ""
    expressions: dict[str, Any] = {}
    module: "Module | None" = None
    for_each_expression: Any = None


class Module(Struct, frozen=True):
    """A module of the configuration."""

    resources: tuple[ConfiguredResource, ...] = ()
    module_calls: dict[str, ModuleCall] = {}
    outputs: dict[str, Output] = {}


class Provider(Struct, frozen=True):
    """The configuration of a provider."""

    name: str = ""
    expressions: dict[str, Any] = {}


class Configuration(Struct, frozen=True):
    """The configuration that the plan was made of."""

    provider_config: dict[str, Provider] = {}
    root_module: Module = Module()


class Variable(Struct, frozen=True):
    """An input variable of the root module."""

    value: Raw = field(default_factory=Raw)


class StateResource(Struct, frozen=True):
    """A resource of the state before the plan."""

    address: str
    type: str
    mode: str = "managed"
    values: Raw = field(default_factory=Raw)


class StateModule(Struct, frozen=True):
    """A module of the state."""

    resources: tuple[StateResource, ...] = ()
    child_modules: tuple["StateModule", ...] = ()


class StateValues(Struct, frozen=True):
    """The values of the state."""

    root_module: StateModule = StateModule()


class PriorState(Struct, frozen=True):
    """The state before the plan, with the data sources that were read for it."""

    values: StateValues | None = None


class Plan(Struct, frozen=True):
    """A plan. `complete` is false if changes are left for a further plan."""

    format_version: str
    resource_changes: tuple[ResourceChange, ...] = ()
    deferred_changes: tuple[Deferred, ...] = ()
    configuration: Configuration = Configuration()
    planned_values: StateValues = StateValues()
    prior_state: PriorState | None = None
    variables: dict[str, Variable] = {}
    terraform_version: str = ""
    errored: bool = False
    complete: bool = True


class _Head(Struct, frozen=True):
    format_version: Any = None
    planned_values: Raw = field(default_factory=Raw)
    resource_changes: Raw = field(default_factory=Raw)


_PLAN = msgspec.json.Decoder(Plan)


def read_plan(path: Path) -> Plan:
    """The plan in a file. Raises UsageError, with the file as its place, for anything else."""
    place = one_line(str(path), 1_024)
    data = read(path, MAX_SIZE, "name the file that terraform show -json wrote")
    if len(data) > MAX_SIZE:
        raise UsageError(place, f"more than {MAX_SIZE // 1024 // 1024:,} MB", "plan fewer resources at a time")
    return decode(data, place)


def decode(data: bytes, place: str) -> Plan:
    """The plan in these bytes; `place` is for errors."""
    if data.startswith(b"PK\x03\x04"):
        raise UsageError(place, "a saved plan, which is binary", _CONVERT)
    # Windows PowerShell 5.1 writes UTF-16 for `>`.
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = _recoded(data, place)
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.lstrip()[:1] == b"{":
        raise UsageError(place, "not a plan as JSON", _CONVERT)
    _check_format(data, place)
    try:
        plan = _PLAN.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise UsageError(place, f"not a plan as terraform show -json writes it: {_told(error)}", _CONVERT) from error
    if plan.errored:
        what = "the plan stopped at an error, so resources are missing from it"
        raise UsageError(place, what, "correct what terraform plan reports, and plan again")
    _check_whole(data, plan, place)
    return plan


def _check_format(data: bytes, place: str) -> None:
    try:
        head = msgspec.json.decode(data, type=_Head)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise UsageError(place, f"not JSON: {_told(error)}", _CONVERT) from error
    version = head.format_version
    if not isinstance(version, str):
        what = "not a plan: it has no format_version"
        raise UsageError(place, what, _CONVERT)
    if version.partition(".")[0] != _FORMAT:
        what = f"format version {one_line(version, 40)} is not known; this version of keyaudit reads {_FORMAT}.x"
        earlier = version.partition(".")[0] == "0"
        raise UsageError(place, what, "plan with a newer terraform or tofu" if earlier else "update keyaudit")
    if not bytes(head.resource_changes) and not bytes(head.planned_values):
        what = "a state, or an empty plan: it has no resource_changes"
        raise UsageError(place, what, "plan with terraform plan -out=FILE, then terraform show -json FILE > plan.json")


def _check_whole(data: bytes, plan: Plan, place: str) -> None:
    """Refuse a plan that tells one thing twice, or in two ways: each managed resource that will be there has its change."""
    if what := next(_wrong(data, plan, place), None):
        raise UsageError(place, what, "create the plan again, and do not edit it")


def _wrong(data: bytes, plan: Plan, place: str) -> Iterator[str]:
    if twice := _member_twice(data, place):
        yield f"ambiguous JSON: the member {one_line(twice, 200)!r} appears twice in an object"
    yield from _configured_twice(plan.configuration.root_module)
    changes = [(each.address, each.deposed) for each in plan.resource_changes]
    planned = [each.address for each in resources_of(plan.planned_values.root_module) if each.mode == _MANAGED]
    # Terraform lists an instance again for an earlier object of it that it does not delete.
    earlier = {each.address for each in plan.resource_changes if each.deposed}
    once = [each for each in planned if each not in earlier]
    for found, where in ((changes, "resource_changes"), (once, "planned_values")):
        seen: set[object] = set()
        for each in found:
            if each in seen:
                yield f"{where} has {one_line(each if isinstance(each, str) else each[0], 200)} twice"
            seen.add(each)
    for change in plan.resource_changes:
        if not change.change.actions:
            yield f"{one_line(change.address, 200)} has no actions"
    managed = [each for each in plan.resource_changes if each.mode == _MANAGED]
    stays = {each.address for each in managed if not each.deposed and _stays(each)}
    # Until 2026, Terraform listed what it forgets among the planned values, too.
    told = stays | {each.address for each in managed if each.deposed or "forget" in each.change.actions}
    there = {*planned}
    if not plan.resource_changes and plan.prior_state and plan.prior_state.values:
        there |= {each.address for each in resources_of(plan.prior_state.values.root_module) if each.mode == _MANAGED}
    for here, lacks, has in ((there - told, "resource_changes", "planned_values"), (stays - there, "planned_values", "")):
        if here:
            more = f" and {len(here) - 1:,} more" if len(here) > 1 else ""
            known = f", which its {has} or its state has" if has else ", which its resource_changes have"
            yield f"its {lacks} lack {one_line(min(here), 200)}{more}{known}"


def _configured_twice(module: Module) -> Iterator[str]:
    left = [module]
    while left:
        here = left.pop()
        for address, count in Counter(each.address for each in here.resources).items():
            if count > 1:
                yield f"a module of its configuration has {one_line(address, 200)} twice"
        left += [call.module for call in here.module_calls.values() if call.module]


def _stays(change: ResourceChange) -> bool:
    return not {"delete", "forget"}.issuperset(change.change.actions)


def _member_twice(data: bytes, place: str) -> str | None:
    """A member that an object has twice: of the two, decoders take one."""
    found: list[str] = []

    def checked(pairs: list[tuple[str, None]]) -> None:
        names = {name for name, _ in pairs}
        if len(names) < len(pairs) and not found:
            found.append(next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1))

    try:
        json.loads(data, object_pairs_hook=checked, parse_int=len, parse_float=len)
    except (ValueError, RecursionError) as error:
        raise UsageError(place, f"not JSON: {_told(error)}", _CONVERT) from error
    return found[0] if found else None


def resources_of(module: StateModule) -> Iterator[StateResource]:
    """All resources of a module and those below it."""
    left = [module]
    while left:
        here = left.pop()
        yield from here.resources
        left += here.child_modules


def _recoded(data: bytes, place: str) -> bytes:
    try:
        return data.decode("utf-16").encode()
    except UnicodeError as error:
        raise UsageError(place, "not a plan as JSON", _CONVERT) from error


def _told(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else one_line(str(error), 200)


def expression(found: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The expression of an attribute within these expressions; of a block that may be repeated, that of its first one."""
    here = set_at(found, *path)
    return here if isinstance(here, dict) else {}


def set_at(found: Mapping[str, Any], *path: str) -> Any:
    """What is at a path within these expressions: an expression, or blocks; None if nothing is."""
    here: Any = found
    for name in path:
        if isinstance(here, list):
            here = here[0] if here else None
        here = here.get(name) if isinstance(here, dict) else None
    return here
