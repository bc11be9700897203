"""The values of a resource in a plan: given, default, null, or known only after apply.

As hashicorp/terraform-plugin-sdk plans them: a block that is not given is empty, an attribute null, unless the schema has a
default or the provider computes it. Compared with published plans in `test_terraform.py`.
"""

from collections.abc import Mapping
from typing import Any

from tests.plan.schemas import Attribute, Schema
from tests.plan.terms import UNKNOWN, has_unknown

Values = dict[str, Any]


def planned(schema: Schema, arguments: Mapping[str, Any], prior: Mapping[str, Any] | None = None) -> Values:
    """The values after apply, as far as a plan knows them. `prior`: of the resource that is updated."""
    assert set(arguments) <= set(schema.attributes), sorted(set(arguments) - set(schema.attributes))
    values = _members(schema.attributes, arguments, prior, nested=False)
    # Framework providers show no timeouts that were not set; the SDK's show null.
    return {**values, "timeouts": None} if schema.timeouts else values


def _members(
    attributes: Mapping[str, Attribute], given: Mapping[str, Any], prior: Mapping[str, Any] | None, *, nested: bool
) -> Values:
    missing = [name for name, each in attributes.items() if "required" in each.words and given.get(name) is None]
    assert not missing, missing
    return {name: _value(each, given.get(name), (prior or {}).get(name)) for name, each in attributes.items()}


def _value(attribute: Attribute, given: Any, prior: Any) -> Any:
    if "writeonly" in attribute.words:
        return None
    if given is None:
        if attribute.default is not None:
            return attribute.default
        if attribute.computed:
            return UNKNOWN if prior is None else prior
        return [] if attribute.block else None
    if attribute.members is None or given is UNKNOWN:
        return ordered(attribute, given)
    blocks = [given] if isinstance(given, Mapping) else given
    priors = prior if isinstance(prior, list) and len(prior) == len(blocks) else [None] * len(blocks)
    return [_members(attribute.members, one, old, nested=True) for one, old in zip(blocks, priors, strict=True)]


def ordered(attribute: Attribute, value: Any) -> Any:
    """A set of texts is shown in their order."""
    return sorted(value) if attribute.kind == "set" and not has_unknown(value) else value


def without_unknown(value: Any) -> Any:
    """A value as `after` shows it: unknown members left out, unknown items null."""
    if isinstance(value, Mapping):
        return {name: without_unknown(each) for name, each in value.items() if each is not UNKNOWN}
    if isinstance(value, list):
        return [None if each is UNKNOWN else without_unknown(each) for each in value]
    return value


def unknown_as_true(value: Any) -> Any:
    """A value with unknown parts as `after_unknown` shows it."""
    if isinstance(value, Mapping):
        shown = {name: unknown_as_true(each) for name, each in value.items()}
        return {name: each for name, each in shown.items() if each is not False}
    if isinstance(value, list):
        return [unknown_as_true(each) for each in value]
    return value is UNKNOWN


def sensitive_as_true(attributes: Mapping[str, Attribute], values: Mapping[str, Any]) -> Values:
    """The values as `after_sensitive` shows them."""
    shown = {name: _sensitive(attributes.get(name), each) for name, each in values.items()}
    return {name: each for name, each in shown.items() if each is not False}


def _sensitive(attribute: Attribute | None, value: Any) -> Any:
    if attribute is not None and "sensitive" in attribute.words:
        return True
    if value is UNKNOWN:
        kind = attribute.kind if attribute else ""
        return [] if kind in ("list", "set") else {} if kind == "map" else False
    if isinstance(value, Mapping):
        return sensitive_as_true(attribute.members or {} if attribute else {}, value)
    if isinstance(value, list):
        members = attribute.members if attribute else None
        return [sensitive_as_true(members, each) if members else _sensitive(None, each) for each in value]
    return False
