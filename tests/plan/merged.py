"""All plans as one: a root module that calls each of them, with a provider block for the subscription of each."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tests.plan.configuration import Call, Configuration, Module, Provider
from tests.plan.document import Prior
from tests.plan.plans.described import Plan


def merged(plans: Sequence[Plan], configurations: Mapping[str, Configuration]) -> Configuration:
    """The configurations of plans, by their name, in one. Each variable that a plan is given is given to its module."""
    calls, providers = [], []
    for plan in plans:
        held = configurations[plan.name]
        given = {name: held.given[name] for name in held.root.variables}
        calls.append(Call(name=plan.name, source=f"./{plan.name}", module=_within(plan.name, held.root), arguments=given))
        providers += [
            Provider(name=each.name, alias="-".join(filter(None, (plan.name, each.alias))), arguments=each.arguments)
            for each in held.providers
        ]
    return Configuration(root=Module(calls=calls), providers=providers)


def _within(name: str, module: Module) -> Module:
    """A module whose resources use the provider of their plan."""
    resources = [
        replace(each, provider=f"azurerm.{'-'.join(filter(None, (name, each.provider.partition('.')[2])))}")
        if each.type.startswith("azurerm_")
        else each
        for each in module.resources
    ]
    calls = [replace(each, module=_within(name, each.module)) for each in module.calls]
    return replace(module, resources=resources, calls=calls)


def moved(name: str, state: Prior) -> Prior:
    """A state as it is below the module of its plan."""
    found = {}
    for instance, values in state.values():
        module = ".".join(filter(None, (f"module.{name}", instance.module)))
        within = _within(name, Module(resources=[instance.resource])).resources[0]
        below = replace(instance, module=module, resource=within)
        found[below.address] = (below, values)
    return found
