"""Frameworks are declared in one form, and every control that a shipped policy maps to is declared."""

import pytest

from keyaudit.model.frameworks import FRAMEWORKS, Framework
from keyaudit.policy.load import load
from keyaudit.policy.parameters import PROFILES

KEYS = (
    "cis-azure-6.0", "cis-m365-7", "scuba", "mcsb", "mcsb-2", "nist-800-53-r5", "pci-dss-4", "iso-27001", "soc-2", "dora",
    "mitre-attack", "azure-policy",
)  # fmt: skip


def test_every_framework_that_policies_may_name_is_there() -> None:
    assert tuple(FRAMEWORKS) == KEYS
    assert [key for key, each in FRAMEWORKS.items() if not each.closed] == ["dora", "mitre-attack", "azure-policy"]


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=lambda each: each.key)
def test_a_framework_says_where_it_is_from_and_names_each_control(framework: Framework) -> None:
    assert framework.title
    assert framework.edition
    assert framework.source
    assert framework.profile in ("", *PROFILES)
    for control, title in framework.controls.items():
        assert title == title.strip()
        assert len(title) > 5, control
        assert framework.form is None or framework.form.fullmatch(control), control
    assert len(set(framework.controls)) == len(framework.controls)


def test_an_open_framework_knows_what_has_its_form_and_a_closed_one_what_it_lists() -> None:
    assert FRAMEWORKS["mitre-attack"].knows("T1003.001")
    assert not FRAMEWORKS["mitre-attack"].knows("T1003.1")
    assert FRAMEWORKS["azure-policy"].knows("00000000-0000-0000-0000-000000000000")
    assert not FRAMEWORKS["azure-policy"].knows("152b15f7")
    assert not FRAMEWORKS["cis-azure-6.0"].knows("8.3.12")


def test_whatever_a_shipped_policy_maps_to_is_declared() -> None:
    for policy in load():
        for key, controls in policy.text.frameworks.items():
            assert all(FRAMEWORKS[key].knows(control) for control in controls), policy.text.id
