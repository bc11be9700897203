"""A policy's file names guardrails that there are, each with a limit that fits it."""

from pathlib import Path

import pytest

from keyaudit.model.documents.problems import DocumentError
from keyaudit.policy.load import load
from tests.policy.inventory import policy, text

LIMITS = {
    "parameters": "{max_age: {default: P30D}, least: {default: 2048}, by_purpose: {sign: P30D, otherwise: P60D}}",
    "violated_when": (
        "created_on is None or now - created_on > max_age or now - created_on > by_purpose[purpose]"
        " or (key_size is not None and key_size < least)"
    ),
}


def test_guardrails_are_read(tmp_path: Path) -> None:
    named = "{app-management-policy: {passwordAddition: enabled, passwordLifetime: max_age}, alerts: {federation: enabled}}"
    assert policy(tmp_path, guardrails=named, **LIMITS).text.guardrails == {
        "app-management-policy": {"passwordAddition": "enabled", "passwordLifetime": "max_age"},
        "alerts": {"federation": "enabled"},
    }
    assert policy(tmp_path).text.guardrails == {}


@pytest.mark.parametrize(
    ("guardrails", "problem"),
    [
        ("[alerts]", "not a mapping of guardrails"),
        ("{}", "not a mapping of guardrails"),
        ("{alerts: federation}", "not a mapping of guardrails"),
        ("{alert: {federation: enabled}}", "no such kind of guardrail: 'alert'; did you mean alerts?"),
        ("{azure-policy: {effect: enabled}}", "no such kind of guardrail: 'azure-policy'"),
        ("{alerts: {federations: enabled}}", "alerts has no 'federations'; did you mean federation?"),
        ('{alerts: {federation: ""}}', "an empty text"),
        ("{alerts: {federation: [enabled]}}", "a list or mapping where a text belongs"),
        ("{alerts: {federation: max_age}}", "this guardrail has no limit; write enabled"),
        ("{app-management-policy: {passwordLifetime: max_aeg}}", "no such parameter: 'max_aeg'; did you mean max_age?"),
        ("{app-management-policy: {passwordLifetime: least}}", "least is not one duration"),
        ("{app-management-policy: {passwordLifetime: by_purpose}}", "by_purpose is not one duration"),
        ("{alerts: {shared-signing-key: max_age}}", "max_age is not one integer"),
        ('{"\\x1b[31m": {a: b}}', "a control character in a text"),
    ],
)
def test_what_cannot_be_a_guardrail_is_said_with_its_place(tmp_path: Path, guardrails: str, problem: str) -> None:
    (tmp_path / "test.yaml").write_text(text(guardrails=guardrails, **LIMITS))
    with pytest.raises(DocumentError) as caught:
        load(tmp_path)
    [line, *_] = str(caught.value).splitlines()
    assert problem in line
    assert "test.yaml:" in line
