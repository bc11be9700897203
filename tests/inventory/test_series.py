"""Certificates that a platform renews: what makes a series, and what does not."""

from typing import Any

import pytest

from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, Row, credential
from tests.inventory.test_privilege_views import READ
from tests.inventory.test_views import derive


def certificate(number: int, **values: Any) -> Row:
    made = {
        "kind": "certificate",
        "certificate_subject": f"CN=service {number}",
        "certificate_issuer": "CN=Platform CA",
        "starts_on": AS_OF - number * 30 * DAY,
        "expires_on": AS_OF - number * 30 * DAY + 90 * DAY,
    }
    return credential(str(number), holder="s", on="service_principal", **(made | values))


RENEWED = [certificate(1), certificate(0), certificate(2)]
PLACES: list[tuple[list[Row], list[object]]] = [
    (RENEWED, ["newest", "older", "older"]),
    # An expired one is not counted, and in no series.
    ([*RENEWED, certificate(3)], ["newest", "older", "older", None]),
    (RENEWED[:2], [None, None]),
    ([*RENEWED[:2], certificate(2, certificate_issuer="CN=backup")], [None] * 3),
    ([*RENEWED[:2], certificate(2, certificate_subject="CN=Platform CA")], [None] * 3),
    ([*RENEWED[:2], certificate(2, expires_on=AS_OF + 365 * DAY)], [None] * 3),
    ([*RENEWED[:2], certificate(2, expires_on=None)], [None] * 3),
    ([*RENEWED, certificate(4, kind="password", expires_on=AS_OF + DAY)], [None] * 4),
    ([*RENEWED[:2], certificate(2, certificate_issuer=Reason.NOT_VISIBLE)], ["not_visible"] * 3),
]


@pytest.mark.parametrize(("held", "places"), PLACES)
def test_a_series_is_short_lived_certificates_of_one_issuer_and_nothing_beside_them(
    held: list[Row], places: list[object]
) -> None:
    found = derive("credential", {"credential": held}, READ)
    rows: list[Any] = [found[id_] for id_ in sorted(found)]
    assert [row["unknown"].get("platform_series", row["platform_series"]) for row in rows] == places
