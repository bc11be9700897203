"""The document that `terraform show -json` prints of a plan.

Members and shapes as hashicorp/terraform writes them: internal/command/jsonplan, jsonconfig and jsonstate at 883c7221 (format
version 1.2).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tests.plan.configuration import NO_DEFAULT, Call, Configuration, Module, Resource
from tests.plan.instances import Evaluation, Instance, Key, Values
from tests.plan.schemas import provider_of, releases, schema, source
from tests.plan.terms import Ref, expression, has_unknown
from tests.plan.values import planned, sensitive_as_true, unknown_as_true, without_unknown

FORMAT_VERSION = "1.2"
TERRAFORM_VERSION = "1.14.2"
TIMESTAMP = "2026-11-24T12:00:00Z"
Document = dict[str, Any]
Prior = Mapping[str, tuple[Instance, Values]]
"""The resources that exist before, by address."""


def plan_document(
    configuration: Configuration, before: Prior | None = None, read: Mapping[str, Values] | None = None
) -> Document:
    """The plan that makes `configuration` of what is there `before`. `read`: what each data source says, by address."""
    old = dict(before or {})
    data = read or {}

    def complete(instance: Instance) -> Values:
        if instance.resource.data and instance.address in data and not has_unknown(instance.arguments):
            return {**data[instance.address], "timeouts": None}
        kind = schema(typed(instance.resource))
        if instance.address in old:
            return _changed(instance, old[instance.address])
        return planned(kind, instance.arguments)

    evaluation = Evaluation(configuration, complete)
    new = evaluation.values
    outputs = evaluation.outputs()
    later = {address: each for address, each in new.items() if not each[0].resource.data}
    found: Document = {"format_version": FORMAT_VERSION, "terraform_version": TERRAFORM_VERSION}
    given = {name: value for name, value in configuration.root.variables.items() if value is not NO_DEFAULT}
    if variables := {**given, **configuration.given}:
        found["variables"] = {name: {"value": value} for name, value in sorted(variables.items())}
    found["planned_values"] = _state(later.values())
    if outputs:
        found["planned_values"] = {"outputs": _outputs(outputs), **found["planned_values"]}
    found["resource_changes"] = [
        change for address in sorted({*old, *new}) for change in _change(old.get(address), new.get(address), data)
    ]
    if outputs:
        found["output_changes"] = {name: _output_change(value) for name, value in sorted(outputs.items())}
    there = [*old.values(), *(each for address, each in new.items() if address in data and not has_unknown(each[1]))]
    if there:
        values = _state(there)
        found["prior_state"] = {"format_version": "1.0", "terraform_version": TERRAFORM_VERSION, "values": values}
    found["configuration"] = {"provider_config": _providers(configuration), "root_module": _module(configuration.root, "")}
    return {**found, "timestamp": TIMESTAMP, "applyable": True, "complete": True, "errored": False}


def typed(resource: Resource) -> str:
    """The name of its schema."""
    return f"data.{resource.type}" if resource.data else resource.type


def _changed(instance: Instance, old: tuple[Instance, Values]) -> Values:
    """The values of what exists: those of before where the configuration says nothing else, new ones where it is replaced."""
    kind = schema(instance.resource.type)
    values = planned(kind, instance.arguments, old[1])
    return planned(kind, instance.arguments) if _forcing(instance.resource.type, old[1], values) else values


def _forcing(type_: str, before: Values, after: Values) -> list[str]:
    """The attributes whose change replaces the resource."""
    forcing = [name for name, each in schema(type_).attributes.items() if "force" in each.words]
    return [name for name in forcing if before.get(name) != after.get(name) and not _spelled_alike(before, after, name)]


def _spelled_alike(before: Values, after: Values, name: str) -> bool:
    """Whether both are absent: the state of an attribute that was never set is null or empty."""
    return not before.get(name) and not after.get(name)


def _change(
    old: tuple[Instance, Values] | None, new: tuple[Instance, Values] | None, data: Mapping[str, Values]
) -> Iterable[Document]:
    instance = (new or old or (None,))[0]
    assert instance is not None
    resource = instance.resource
    if resource.data and instance.address in data and new and not has_unknown(new[1]):
        return
    before, after = old[1] if old else None, new[1] if new else None
    attributes = schema(typed(resource)).attributes
    replaced = bool(before and after and _forcing(resource.type, before, after))
    actions = _actions(resource, before, after, replaced=replaced)
    change: Document = {
        "actions": actions,
        "before": before,
        "after": None if after is None else without_unknown(after),
        "after_unknown": {} if after is None or not has_unknown(after) else unknown_as_true(after),
        "before_sensitive": False if before is None else sensitive_as_true(attributes, before),
        "after_sensitive": False if after is None else sensitive_as_true(attributes, after),
    }
    if replaced and before and after:
        change["replace_paths"] = [[name] for name in _forcing(resource.type, before, after)]
    found: Document = {"address": instance.address}
    if instance.module:
        found["module_address"] = instance.module
    found |= _named(instance)
    found["change"] = change
    reason = _reason(actions, instance.arguments, instance.key, gone=new is None)
    yield {**found, "action_reason": reason} if reason else found


def _actions(resource: Resource, before: Values | None, after: Values | None, *, replaced: bool) -> list[str]:
    if resource.data:
        return ["read"]
    if before is None:
        return ["create"]
    if after is None:
        return ["delete"]
    if replaced:
        return ["delete", "create"]
    return ["no-op"] if before == after else ["update"]


def _reason(actions: list[str], arguments: Values, key: Key, *, gone: bool) -> str:
    if actions == ["read"]:
        return "read_because_config_unknown" if has_unknown(arguments) else "read_because_dependency_pending"
    if actions == ["delete", "create"]:
        return "replace_because_cannot_update"
    if not gone:
        return ""
    return "delete_because_no_resource_config" if key is None else "delete_because_each_key"


def _named(instance: Instance) -> Document:
    resource = instance.resource
    found: Document = {"mode": "data" if resource.data else "managed", "type": resource.type, "name": resource.name}
    if instance.key is not None:
        found["index"] = instance.key
    return {**found, "provider_name": source(provider_of(resource.type))}


def _state(held: Iterable[tuple[Instance, Values]]) -> Document:
    """Resources by module, as states and planned values show them."""
    by_module: dict[str, list[Document]] = {}
    for instance, values in held:
        kind = schema(typed(instance.resource))
        item = {
            "address": instance.address,
            **_named(instance),
            "schema_version": kind.version,
            "values": without_unknown(values),
            "sensitive_values": sensitive_as_true(kind.attributes, values),
        }
        by_module.setdefault(instance.module, []).append(item)
    return {"root_module": _tree(by_module, "")}


def _tree(by_module: Mapping[str, list[Document]], address: str) -> Document:
    """A module instance with its resources and the modules in it; one without any resource below it is left out."""
    found: Document = {}
    if address in by_module:
        found["resources"] = sorted(by_module[address], key=lambda item: str(item["address"]))
    depth = len(_MODULE.findall(address))
    below = {"".join(_MODULE.findall(each)[: depth + 1]).lstrip(".") for each in by_module if _is_below(each, address)}
    if below:
        found["child_modules"] = [{**_tree(by_module, each), "address": each} for each in sorted(below)]
    return found


_MODULE = re.compile(r"\.?module\.[^.\[]+(?:\[[^\]]*\])?")
"""One step of a module's address."""


def _is_below(module: str, address: str) -> bool:
    return module != address and (not address or module.startswith(f"{address}."))


def _outputs(outputs: Values) -> Document:
    return {
        name: {"sensitive": False} if has_unknown(value) else {"sensitive": False, "type": "string", "value": value}
        for name, value in outputs.items()
    }


def _output_change(value: Any) -> Document:
    unknown = has_unknown(value)
    return {
        "actions": ["create"],
        "before": None,
        **({} if unknown else {"after": value}),
        "after_unknown": unknown,
        "before_sensitive": False,
        "after_sensitive": False,
    }


def _providers(configuration: Configuration) -> Document:
    found: Document = {}
    for each in configuration.providers:
        found[each.key] = {
            "name": each.name,
            "full_name": source(each.name),
            **({"alias": each.alias} if each.alias else {}),
            "version_constraint": f"~> {releases()[each.name]}",
            **({"expressions": _expressions(each.arguments)} if each.arguments else {}),
        }
    used = sorted({provider_of(each.type) for each in _all_resources(configuration.root)})
    for name in used:
        found.setdefault(name, {"name": name, "full_name": source(name)})
    return found


def _all_resources(module: Module) -> Iterable[Resource]:
    yield from module.resources
    for call in module.calls:
        yield from _all_resources(call.module)


def _module(module: Module, address: str) -> Document:
    found: Document = {}
    if module.outputs:
        found["outputs"] = {name: {"expression": expression(term)} for name, term in sorted(module.outputs.items())}
    managed = sorted((each for each in module.resources if not each.data), key=lambda each: each.address)
    data = sorted((each for each in module.resources if each.data), key=lambda each: each.address)
    if module.resources:
        found["resources"] = [_resource(each) for each in (*managed, *data)]
    if module.calls:
        found["module_calls"] = {call.name: _call(call, address) for call in module.calls}
    if module.variables:
        found["variables"] = {
            name: {} if default is NO_DEFAULT else {"default": default} for name, default in sorted(module.variables.items())
        }
    return found


def _call(call: Call, address: str) -> Document:
    found: Document = {"source": call.source}
    if call.arguments:
        found["expressions"] = _expressions(call.arguments)
    if call.for_each is not None:
        found["for_each_expression"] = expression(call.for_each)
    return {**found, "module": _module(call.module, ".".join(filter(None, (address, f"module.{call.name}"))))}


def _resource(resource: Resource) -> Document:
    kind = schema(typed(resource))
    blocks = {name for name, each in kind.attributes.items() if each.block}
    found: Document = {
        "address": resource.address,
        "mode": "data" if resource.data else "managed",
        "type": resource.type,
        "name": resource.name,
        # Modules use the providers of the root module.
        "provider_config_key": resource.provider or provider_of(resource.type),
        # Terraform leaves out what is empty.
        **({"expressions": _expressions(resource.arguments, blocks)} if resource.arguments else {}),
        "schema_version": kind.version,
    }
    if resource.count is not None:
        found["count_expression"] = {"constant_value": resource.count}
    if resource.for_each is not None:
        found["for_each_expression"] = expression(_shown(resource.for_each))
    if resource.depends_on:
        found["depends_on"] = list(resource.depends_on)
    return found


def _shown(for_each: Any) -> Any:
    return for_each if isinstance(for_each, Ref | Mapping) else list(for_each)


def _expressions(arguments: Mapping[str, Any], blocks: Iterable[str] = ()) -> Document:
    nested = set(blocks)
    return {
        name: _blocks(term) if name in nested or (name == "features" and not nested) else expression(term)
        for name, term in arguments.items()
    }


def _blocks(term: Any) -> list[Document]:
    given = [term] if isinstance(term, Mapping) else term
    return [{name: _within(each) for name, each in one.items()} for one in given]


def _within(term: Any) -> Any:
    """A block within a block, or an attribute in it."""
    if isinstance(term, Mapping) or (isinstance(term, list) and term and isinstance(term[0], Mapping)):
        return _blocks(term)
    return expression(term)
