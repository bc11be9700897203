"""An initiative of Azure Policy with the built-in definitions that policies map to, and the policies' limits."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from keyaudit.model.guardrails import AZURE_POLICY
from keyaudit.model.values.text import one_line, visible
from keyaudit.model.values.times import DAY
from keyaudit.questions.guardrails.built_ins import BUILT_INS, EFFECTS, NEAR, BuiltIn, Effect, Takes, Unit
from keyaudit.questions.guardrails.documents import Asked, Guarded, classes, in_entra, unsupplied
from keyaudit.report.lines import listed

_DEFINITION = "/providers/Microsoft.Authorization/policyDefinitions/"
_OTHERWISE = "otherwise"
_LONGEST = 128
"""The maximum length of a display name."""
_SCOPE = "/subscriptions/SUBSCRIPTION"
_SET = f"{_SCOPE}/providers/Microsoft.Authorization/policySetDefinitions/keyaudit"
_DEPLOY = (
    f"az rest --method PUT --body @{{file}} --url '{_SET}?api-version=2025-11-01'",
    # By its id: az looks for a name in the current subscription, whichever one the scope is.
    f"az policy assignment create --name keyaudit --policy-set-definition {_SET} --scope {_SCOPE}",
)
_LABELS = {
    Effect.DENIES: "Effect of definitions that can deny a resource",
    Effect.AUDITS: "Effect of definitions that can only report a resource",
    Effect.LOOKS: "Effect of definitions that report missing related resources",
}


class _UnfitError(Exception):
    """A definition that does not fit a policy; the text says why."""


class _Set(Struct):
    """The initiative under construction."""

    references: list[dict[str, object]] = field(default_factory=list)
    groups: list[dict[str, object]] = field(default_factory=list)
    effects: set[Effect] = field(default_factory=set)
    covered: dict[str, tuple[str, ...]] = field(default_factory=dict)
    partly: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)


def azure_policy(asked: Sequence[Asked]) -> Guarded:
    """The initiative, with a group of definitions for each policy. Its effects are its parameters, and audit by default."""
    found = _Set()
    for each in asked:
        _add(found, each)
    properties = {
        "displayName": "keyaudit: signing keys and credentials",
        "description": "Built-in definitions that match keyaudit policies: a group for each policy, with its limits.",
        "policyType": "Custom",
        "metadata": {"category": "Key Vault"},
        "parameters": {effect: _parameter(effect) for effect in Effect if effect in found.effects},
        "policyDefinitionGroups": found.groups,
        "policyDefinitions": found.references,
    }
    return Guarded(
        kind=AZURE_POLICY,
        document={"properties": properties},
        deploy=_DEPLOY,
        covered=found.covered,
        partly=found.partly,
        left=found.left,
    )


def _add(found: _Set, asked: Asked) -> None:
    references: dict[str, dict[str, object]] = {}
    unfit: list[str] = []
    for id_ in asked.text.frameworks.get(AZURE_POLICY, ()):
        try:
            references[id_] = _reference(asked, id_)
        except _UnfitError as error:
            unfit.append(str(error))
    policy = asked.text.id
    if not references:
        found.left[policy] = "; ".join(unfit) or _unmapped(asked)
        return
    found.references += references.values()
    found.effects.update(BUILT_INS[id_].effect for id_ in references)
    found.groups.append({"name": policy, "displayName": visible(asked.text.title, _LONGEST), "category": "keyaudit"})
    found.covered[policy] = tuple(references)
    told = filter(None, [*dict.fromkeys(_differences(asked, tuple(references))), classes(asked)])
    if differs := "; ".join(told):
        found.partly[policy] = differs


def _reference(asked: Asked, id_: str) -> dict[str, object]:
    built_in = BUILT_INS.get(id_)
    if built_in is None:
        raise _UnfitError(f"this version does not know the parameters of {one_line(id_)}")
    if built_in.unfit:
        raise _UnfitError(built_in.unfit)
    _fit(built_in, asked)
    values: dict[str, object] = {name: _value(takes, asked) for name, takes in built_in.takes.items()}
    values |= built_in.fixed
    values["effect"] = f"[parameters('{built_in.effect}')]"
    return {
        "policyDefinitionReferenceId": f"{asked.text.id}-{id_[:8]}",
        "policyDefinitionId": f"{_DEFINITION}{id_}",
        "groupNames": [asked.text.id],
        "parameters": {name: {"value": value} for name, value in values.items()},
    }


def _fit(built_in: BuiltIn, asked: Asked) -> None:
    if built_in.fits is None:
        return
    name, wanted = built_in.fits
    limit = asked.limits.get(name)
    if not isinstance(limit, tuple) or set(limit) != wanted:
        raise _UnfitError(f"{name} would have to be {listed(sorted(wanted))}")


def _value(takes: Takes, asked: Asked) -> object:
    """The policy's limit in the unit of the definition. Raises _UnfitError for another type, or a value that is not allowed."""
    limit = asked.limits.get(takes.limit)
    if limit is None:
        raise _UnfitError(f"the policy has no parameter {takes.limit}")
    single = _one(limit) if isinstance(limit, Mapping) else limit
    names = takes.unit is Unit.NAMES
    if isinstance(single, str) or isinstance(single, tuple) is not names or (takes.limit in asked.durations) is not takes.days:
        raise _UnfitError(f"{takes.limit} is of another type")
    values = set(single) if isinstance(single, tuple) else {single}
    if takes.allowed and not (values and values <= set(takes.allowed)):
        raise _UnfitError(f"{takes.limit} would have to be among {', '.join(map(str, takes.allowed))}")
    if isinstance(single, tuple):
        return list(single)
    return single // DAY if takes.days else single


def _one(limit: Mapping[str | int, str | int]) -> str | int:
    """The default limit, or the longest if each value has its own, so that nothing compliant is refused."""
    return limit[_OTHERWISE] if _OTHERWISE in limit else max(limit.values())


def _differences(asked: Asked, ids: Sequence[str]) -> Iterator[str]:
    """The differences between the definitions and the policy."""
    known: set[str] = set()
    for built_in in map(BUILT_INS.__getitem__, ids):
        known.update(takes.limit for takes in built_in.takes.values())
        if built_in.fits is not None:
            known.add(built_in.fits[0])
        for takes in built_in.takes.values():
            limit = asked.limits[takes.limit]
            if isinstance(limit, Mapping) and len(set(limit.values())) > 1:
                yield f"has one limit for all, of {takes.limit} {asked.shown[takes.limit]}"
        if built_in.differs:
            yield built_in.differs
    unknown = [name for name in asked.limits if name not in known]
    if unknown:
        yield f"leaves out {listed(unknown)}"


def _parameter(effect: Effect) -> dict[str, object]:
    allowed = EFFECTS[effect]
    return {
        "type": "String",
        "metadata": {"displayName": _LABELS[effect]},
        "allowedValues": list(allowed),
        "defaultValue": allowed[0],
    }


def _unmapped(asked: Asked) -> str:
    if asked.text.id in NEAR:
        return NEAR[asked.text.id]
    if in_entra(asked.text):
        return "Azure Policy does not see Entra ID"
    return unsupplied(asked.text) or "no built-in definition is known to require it"
