"""What a policy rests on: every listing that may give a row for it, and no other."""

import pytest

from keyaudit.model.tables import TABLES
from keyaudit.policy.applicability import may_apply
from keyaudit.policy.conditions.syntax import condition
from keyaudit.policy.load import load

OPERATIONS = {policy.text.id: policy.operations for policy in load()}


@pytest.mark.parametrize(
    ("text", "sure", "may"),
    [
        ('kind == "password"', {"kind": "password"}, True),
        ('kind == "password"', {"kind": "federated"}, False),
        ('kind == "password"', {}, True),
        ('kind != "password"', {"kind": "password"}, False),
        ('kind in ["password", "certificate"]', {"kind": "federated"}, False),
        ('not kind in ["password", "certificate"]', {"kind": "federated"}, True),
        ('not (kind == "password")', {"kind": "password"}, False),
        ('kind == "password" and expires_on is not None', {"kind": "password"}, True),
        ('kind == "password" and expires_on is not None', {"kind": "federated"}, False),
        ('kind == "password" or expires_on is None', {"kind": "federated"}, True),
        ('kind == "password" or holder_kind == "application"', {"kind": "federated", "holder_kind": "x"}, False),
        ("usage is None", {"usage": None}, True),
        ("usage is not None", {"usage": None}, False),
        ('startswith(kind, "pass")', {"kind": "federated"}, True),
    ],
)
def test_only_what_is_sure_rules_a_row_out(text: str, sure: dict[str, str | None], may: bool) -> None:
    assert may_apply(condition(text, TABLES["credential"], {}).tree, sure) is may


def test_a_policy_does_not_rest_on_listings_whose_rows_it_never_applies_to() -> None:
    assert OPERATIONS["app-credential-never-expires"] == {"application.list"}
    assert OPERATIONS["fed-saml-cert-expired-preferred"] == {"service_principal.list"}
    assert "application.list" not in OPERATIONS["fed-fic-broad-subject"]


def test_it_rests_on_a_listing_that_a_derived_column_needs_all_the_same() -> None:
    assert OPERATIONS["sp-credential-on-service-principal"] >= {"application.list", "service_principal.list"}
