"""Reads the file of `terraform show -json`: its size, format and state are checked, and only what is declared here is kept.

https://developer.hashicorp.com/terraform/internals/json-format; OpenTofu writes the same format.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from keyaudit.inventory.input_file import read
from keyaudit.model.errors import UsageError
from keyaudit.model.text import one_line

MAX_SIZE = 512 * 1024 * 1024
"""In bytes. A plan with 10,000 resources has about 60 MB."""
_FORMAT = "1"
"""The major version of the format; minor versions only add members."""
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


class Deferred(Struct, frozen=True):
    """A change that this plan does not decide."""

    resource_change: ResourceChange


class ConfiguredResource(Struct, frozen=True):
    """A resource in the configuration, with its expressions as they are written."""

    address: str
    expressions: dict[str, Any] = {}
    provider_config_key: str = ""
    for_each_expression: Any = None


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
        what = "the plan stopped at an error, so that resources are missing from it"
        raise UsageError(place, what, "correct what terraform plan reports, and plan again")
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
