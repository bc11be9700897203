"""Frameworks are declared in one form, and every control that a shipped policy maps to is declared."""

import pytest

from keyaudit.model.frameworks import FRAMEWORKS, Framework
from keyaudit.model.frameworks.framework import ids
from keyaudit.policy.conditions.parameters import PROFILES
from keyaudit.policy.load import load

KEYS = (
    "cis-azure-6.0", "cis-m365-7", "scuba", "mcsb", "mcsb-2", "nist-800-53-r5", "pci-dss-4", "iso-27001", "soc-2", "dora",
    "mitre-attack", "azure-policy",
)  # fmt: skip


def test_every_framework_that_policies_may_name_is_there() -> None:
    assert tuple(FRAMEWORKS) == KEYS
    assert [key for key, each in FRAMEWORKS.items() if not each.closed] == ["dora", "mitre-attack", "azure-policy"]


# The ids of whole editions. CIS: github.com/prowler-cloud/prowler, prowler/compliance/azure/cis_6.0_azure.json and
# m365/cis_7.0_m365.json. SCuBA: github.com/cisagov/ScubaGear, commit 4d34e9a, PowerShell/ScubaGear/baselines, but for that of
# Defender, which Orchestrator.psm1 replaces by that of the security suite.
EDITIONS = {
    "cis-azure-6.0": (
        127,
        (
            "2.1.1-12 3.1.1 5.1.1-4 5.3.1-7 5.4-7 6.1.1.1-9 6.1.2.1-11 6.1.3.1 6.1.4-5 6.2 7.1-16 8.1.1.1 8.1.2.1"
            " 8.1.3.1-5 8.1.4.1 8.1.5.1-2 8.1.6.1 8.1.7.1-4 8.1.8.1 8.1.9.1 8.1.10-16 8.2.1 8.3.1-11 8.4.1 8.5 9.1.1-3"
            " 9.2.1-3 9.3.1.1-3 9.3.2.1-3 9.3.3.1 9.3.4-11"
        ),
    ),
    "cis-m365-7": (
        160,
        (
            "1.1.1-4 1.2.1-2 1.3.1-9 2.1.1-15 2.2.1 2.4.1-5 3.1.1 3.2.1-3 3.3.1 4.1-2 5.1.2.1-6 5.1.3.1-4 5.1.4.1-6"
            " 5.1.5.1-6 5.1.6.1-3 5.1.8.1 5.2.2.1-17 5.2.3.1-10 5.2.4.1-5 5.3.1-5 6.1.1-3 6.2.1-3 6.3.1-2 6.5.1-5 7.2.1-11"
            " 7.3.1 8.1.1-2 8.2.1-4 8.4.1 8.5.1-9 8.6.1 9.1.1-12"
        ),
    ),
    "scuba": (
        109,
        (
            "MS.AAD.1.1v1 MS.AAD.2.1v1 MS.AAD.2.2v1 MS.AAD.2.3v1 MS.AAD.3.1v1 MS.AAD.3.2v2 MS.AAD.3.3v2 MS.AAD.3.4v1"
            " MS.AAD.3.5v2 MS.AAD.3.6v1 MS.AAD.3.7v1 MS.AAD.3.8v1 MS.AAD.3.9v1 MS.AAD.4.1v1 MS.AAD.5.1v1 MS.AAD.5.2v1"
            " MS.AAD.5.3v1 MS.AAD.5.5v1 MS.AAD.5.6v1 MS.AAD.5.7v1 MS.AAD.6.1v1 MS.AAD.7.1v1 MS.AAD.7.2v1 MS.AAD.7.3v1"
            " MS.AAD.7.4v1 MS.AAD.7.5v1 MS.AAD.7.6v1 MS.AAD.7.7v1 MS.AAD.7.8v1 MS.AAD.7.9v1 MS.AAD.8.1v1 MS.AAD.8.2v1"
            " MS.AAD.8.3v1 MS.AAD.9.1v1 MS.EXO.1.1v2 MS.EXO.2.2v3 MS.EXO.3.1v1 MS.EXO.4.1v1 MS.EXO.4.2v1 MS.EXO.4.3v1"
            " MS.EXO.4.4v1 MS.EXO.5.1v1 MS.EXO.6.1v1 MS.EXO.6.2v1 MS.EXO.7.1v1 MS.EXO.13.1v1 MS.POWERBI.1.1v1"
            " MS.POWERBI.2.1v1 MS.POWERBI.3.1v1 MS.POWERBI.4.1v1 MS.POWERBI.4.2v1 MS.POWERBI.5.1v1 MS.POWERBI.6.1v1"
            " MS.POWERBI.7.1v1 MS.POWERPLATFORM.1.1v1 MS.POWERPLATFORM.1.2v1 MS.POWERPLATFORM.2.1v1 MS.POWERPLATFORM.2.2v1"
            " MS.POWERPLATFORM.3.1v1 MS.POWERPLATFORM.3.2v1 MS.POWERPLATFORM.4.1v1 MS.POWERPLATFORM.5.1v1"
            " MS.POWERPLATFORM.6.1v1 MS.SECURITYSUITE.1.1v1 MS.SECURITYSUITE.1.2v1 MS.SECURITYSUITE.1.3v1"
            " MS.SECURITYSUITE.1.4v1 MS.SECURITYSUITE.2.1v1 MS.SECURITYSUITE.2.2v1 MS.SECURITYSUITE.2.3v1"
            " MS.SECURITYSUITE.2.4v1 MS.SECURITYSUITE.3.1v1 MS.SECURITYSUITE.3.2v1 MS.SECURITYSUITE.3.3v1"
            " MS.SECURITYSUITE.3.4v1 MS.SECURITYSUITE.3.5v1 MS.SECURITYSUITE.4.1v1 MS.SECURITYSUITE.4.2v1"
            " MS.SECURITYSUITE.5.1v1 MS.SECURITYSUITE.5.2v1 MS.SECURITYSUITE.6.1v1 MS.SECURITYSUITE.6.2v1"
            " MS.SECURITYSUITE.7.1v1 MS.SECURITYSUITE.7.2v1 MS.SECURITYSUITE.7.3v1 MS.SECURITYSUITE.8.1v1"
            " MS.SECURITYSUITE.8.2v1 MS.SHAREPOINT.1.1v1 MS.SHAREPOINT.1.2v1 MS.SHAREPOINT.1.3v1 MS.SHAREPOINT.2.1v1"
            " MS.SHAREPOINT.2.2v1 MS.SHAREPOINT.3.1v1 MS.SHAREPOINT.3.2v1 MS.SHAREPOINT.3.3v2 MS.TEAMS.1.1v1"
            " MS.TEAMS.1.2v2 MS.TEAMS.1.3v1 MS.TEAMS.1.4v1 MS.TEAMS.1.5v1 MS.TEAMS.1.6v1 MS.TEAMS.1.7v2 MS.TEAMS.2.1v2"
            " MS.TEAMS.2.2v2 MS.TEAMS.2.3v2 MS.TEAMS.4.1v1 MS.TEAMS.5.1v2 MS.TEAMS.5.2v2 MS.TEAMS.5.3v2"
        ),
    ),
}


@pytest.mark.parametrize("key", EDITIONS)
def test_each_control_of_an_edition_is_declared_or_outside_with_a_reason(key: str) -> None:
    number, listed = EDITIONS[key]
    edition, framework = list(ids(listed)), FRAMEWORKS[key]
    outside = [id_ for text in framework.outside.values() for id_ in ids(text)]
    assert len(edition) == len(set(edition)) == number
    assert sorted((*framework.controls, *outside)) == sorted(edition)
    assert all(len(why) > 10 for why in framework.outside)


def test_only_a_framework_whose_whole_list_is_known_has_controls_outside() -> None:
    assert {key for key, each in FRAMEWORKS.items() if each.outside} == set(EDITIONS)


def test_a_text_lists_ids_one_by_one_and_several_in_a_row() -> None:
    assert list(ids("5.4-6 9.1.2 MS.AAD.1.1v1")) == ["5.4", "5.5", "5.6", "9.1.2", "MS.AAD.1.1v1"]


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
