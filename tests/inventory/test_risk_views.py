"""Of risky workload identities what they control, and of risk detections which credentials are still in force."""

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, TENANT, Row, assessed, refused, row
from tests.inventory.test_views import only

READ = assessed(TENANT, "application.list", "service_principal.list", "risk_detection.list")
PART = [*assessed(TENANT, "application.list"), refused(TENANT, "service_principal.list", Reason.THROTTLED)]
BAD = Reason.BAD_VALUE
SOON, PAST = AS_OF + DAY, AS_OF - DAY


def detection(keys: object) -> Row:
    return row("risk_detection", f"{TENANT.id}/riskdetections/d", scope_id=TENANT.id, key_ids=keys)


def held(key: object, expires_on: object = SOON) -> Row:
    values = {"key_id": key, "expires_on": expires_on, "kind": "password", "scope_id": TENANT.id}
    return row("credential", f"{TENANT.id}/credentials/{key}", **values)


CASES: list[tuple[object, list[Row], list[Coverage], object, object]] = [
    (["k1"], [held("K1")], READ, ["k1"], None),
    (["k1"], [held("k1", None)], READ, ["k1"], None),
    (["k1"], [held("k1", PAST)], READ, [], None),
    (["k1"], [], READ, [], None),
    ([], [held("k1", BAD)], PART, [], None),
    # One that is known is enough; that none is in force has to be read.
    (["k1"], [held("k1")], PART, ["k1"], None),
    (["k1", "k2"], [held("k1")], PART, ["k1"], "throttled"),
    (["k1"], [], PART, None, "throttled"),
    (["k1"], [held("k1", BAD)], READ, None, "bad_value"),
    (BAD, [held("k1")], READ, None, "bad_value"),
]


@pytest.mark.parametrize(("keys", "credentials", "coverage", "live", "reason"), CASES)
def test_live_keys_are_those_of_unexpired_credentials(
    keys: object, credentials: list[Row], coverage: list[Coverage], live: object, reason: object
) -> None:
    rows = {"risk_detection": [detection(keys)], "credential": credentials}
    found = only("risk_detection", rows, coverage)
    assert (found["live_keys"], found["unknown"].get("live_keys")) == (live, reason)
