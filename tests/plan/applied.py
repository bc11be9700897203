"""Applies a plan to the simulated tenant: makes in its estate what the providers would make in Azure."""

from collections.abc import Mapping

from msgspec import Struct

from keyaudit.simulator.estate import Estate
from tests.plan.configuration import Configuration
from tests.plan.document import Prior, typed
from tests.plan.instances import Evaluation, Instance, Values
from tests.plan.making import azure, entra, key_vault, other, services
from tests.plan.schemas import Attribute, Schema, schema
from tests.plan.terms import UNKNOWN, has_unknown
from tests.plan.values import planned
from tests.plan.world import World

MAKERS = {**key_vault.MAKERS, **azure.MAKERS, **services.MAKERS, **entra.MAKERS, **other.MAKERS}
REMOVERS = {**key_vault.REMOVERS, **azure.REMOVERS, **services.REMOVERS, **entra.REMOVERS, **other.REMOVERS}


class Applied(Struct, frozen=True):
    """An estate with what was made in it, by address, in the order in which it was made."""

    estate: Estate
    state: Prior
    made_on: Mapping[str, int]


def apply(
    configuration: Configuration, world: World, before: Applied | None = None, read: Mapping[str, Values] | None = None
) -> Applied:
    """Make the tenant of `world` what the configuration says. `read`: what each data source said when it was planned."""
    prior = before.state if before else {}
    made_on = dict(before.made_on) if before else {}
    wanted = _wanted(configuration, prior, read or {})
    for address in reversed(list(prior)):
        instance, values = prior[address]
        if instance.resource.data or (address in wanted and not _replaced(instance, values, wanted[address])):
            continue
        made_on.pop(address, None)
        REMOVERS[instance.resource.type](world, values)

    def complete(instance: Instance) -> Values:
        kind = schema(typed(instance.resource))
        if instance.resource.data:
            held = (read or {}).get(instance.address)
            known = held if held is not None and not has_unknown(instance.arguments) else None
            return known or whole(kind, instance, world, planned(kind, instance.arguments))
        old = prior[instance.address][1] if instance.address in made_on and instance.address in prior else None
        values = planned(kind, instance.arguments, old)
        made_on.setdefault(instance.address, world.now)
        if old is not None and values == old:
            return old
        world.made_on = made_on[instance.address]
        return whole(kind, instance, world, values)

    evaluation = Evaluation(configuration, complete)
    state = {address: each for address, each in evaluation.values.items() if not each[0].resource.data}
    return Applied(world.estate, state, made_on)


def _wanted(configuration: Configuration, prior: Prior, read: Mapping[str, Values]) -> dict[str, Values]:
    """The planned values of each instance."""

    def complete(instance: Instance) -> Values:
        kind = schema(typed(instance.resource))
        if instance.resource.data and instance.address in read:
            return read[instance.address]
        old = prior[instance.address][1] if instance.address in prior else None
        return planned(kind, instance.arguments, old)

    return {address: values for address, (_, values) in Evaluation(configuration, complete).values.items()}


def _replaced(instance: Instance, before: Values, after: Values) -> bool:
    forcing = [name for name, each in schema(instance.resource.type).attributes.items() if "force" in each.words]
    return any((before.get(name) or None) != (after.get(name) or None) for name in forcing)


def whole(kind: Schema, instance: Instance, world: World, values: Values) -> Values:
    """The values with what Azure chose. Attributes that no maker sets are empty."""
    chosen = MAKERS[typed(instance.resource)](world, instance, values)
    filled = {**values, **{name: each for name, each in chosen.items() if name in values}}
    unread = {name: _empty(kind.attributes.get(name)) for name, each in filled.items() if each is UNKNOWN}
    return {**_settled(filled), **unread}


def _settled(values: Values) -> Values:
    """Unknown members of blocks are empty."""
    return {
        name: [_settled_block(one) for one in each] if isinstance(each, list) and has_unknown(each) else each
        for name, each in values.items()
    }


def _settled_block(value: object) -> object:
    if isinstance(value, dict):
        return {name: "" if each is UNKNOWN else each for name, each in _settled(value).items()}
    return value


def _empty(attribute: Attribute | None) -> object:
    empty: dict[str, object] = {"list": [], "set": [], "map": {}, "bool": False, "int": 0, "dynamic": None}
    return empty.get(attribute.kind if attribute else "string", "")
