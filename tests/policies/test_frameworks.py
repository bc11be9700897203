"""What the shipped policies leave out under a framework's own limits: nothing that the framework does not leave out itself."""

import pytest

from keyaudit.model.frameworks import FRAMEWORKS, Framework
from keyaudit.policy.conditions.parameters import PROFILES
from keyaudit.policy.conditions.types import Constant, In, Not, ParameterValue, Tag, Term, walk
from keyaudit.policy.evaluation.binding import Bound, bind
from keyaudit.policy.load import load

POLICIES = load()
JUDGED = [framework for framework in FRAMEWORKS.values() if framework.profile]
OURS = "keyaudit:"


def exempting(tree: Term) -> set[str]:
    """The parameters whose values leave rows out: `X not in them`."""
    nots = (node.term for node in walk(tree) if isinstance(node, Not))
    found = {node.items.parameter for node in nots if isinstance(node, In) and isinstance(node.items, ParameterValue)}
    # A tag leaves out only where a list names it.
    tagged = (node for node in walk(tree) if isinstance(node, In) and isinstance(node.item, Constant))
    return found | {node.items.parameter for node in tagged if isinstance(node.items, ParameterValue)}


def exemptions(bound: Bound) -> set[str]:
    values = (bound.values[name] for name in exempting(bound.policy.trees.applies_to))
    return {each for value in values if isinstance(value, tuple) for each in value}


@pytest.mark.parametrize("framework", JUDGED, ids=lambda each: each.key)
def test_no_profile_of_a_framework_leaves_out_what_the_framework_does_not(framework: Framework) -> None:
    mapped = [bound for bound in bind(POLICIES, framework.profile, {}) if framework.key in bound.policy.text.frameworks]
    assert {bound.policy.text.id: more for bound in mapped if (more := exemptions(bound) - framework.exempts)} == {}


@pytest.mark.parametrize("framework", JUDGED, ids=lambda each: each.key)
def test_a_framework_declares_no_exemption_that_no_policy_has(framework: Framework) -> None:
    mapped = [bound for bound in bind(POLICIES, "default", {}) if framework.key in bound.policy.text.frameworks]
    assert framework.exempts <= set().union(*map(exemptions, mapped))


def test_every_profile_of_a_framework_is_looked_at_and_by_default_there_are_exemptions() -> None:
    assert {each.profile for each in JUDGED} == set(PROFILES) - {"default", "strict"}
    usual = {bound.policy.text.id: exemptions(bound) for bound in bind(POLICIES, "default", {})}
    assert usual["kv-purge-protection-off"] == {"sandbox"}
    assert usual["kv-key-no-auto-rotation"] == {"keyaudit:rotator"}
    assert usual["kv-key-expired-still-enabled"] == {"keyaudit:archive"}


def test_a_tag_of_ours_leaves_out_only_what_a_parameter_can_take_back() -> None:
    for policy in POLICIES:
        tags = {node.key for node in walk(policy.trees.applies_to) if isinstance(node, Tag) and node.key.startswith(OURS)}
        (usual,) = bind([policy], "default", {})
        assert tags <= exemptions(usual), policy.text.id
