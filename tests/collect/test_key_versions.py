"""Which version of a key or certificate is the current one, by a list of versions and a later GET."""

import pytest

from keyaudit.collect.key_vault.key_versions import Key
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

REFUSED = Refusal(Reason.PERMISSION, "403", 403)
CACHED = Refusal(Reason.INCONSISTENT)


@pytest.mark.parametrize(
    ("versions", "current", "is_current"),
    [
        ({"old": 1, "new": 2}, "new", {"old": False, "new": True}),
        # It was created after the list was read.
        ({"old": 1}, "new", {"old": False, "new": True}),
        # A cache kept what was the current version before the rotation that the list shows.
        ({"old": 1, "new": 2}, "old", {"old": CACHED, "new": CACHED}),
        ({"old": 2, "new": 2}, "old", {"old": True, "new": False}),
        ({"old": 1, "new": None}, "old", {"old": True, "new": False}),
        ({"old": 1, "new": 2}, "", {"old": False, "new": True}),
    ],
)
def test_a_get_of_the_current_version_is_no_older_than_the_list(
    versions: dict[str, int | None], current: str, is_current: dict[str, object]
) -> None:
    key: Key[int | None, str] = Key(
        name="k", item=None, versions=versions, unlisted=None, current=current or REFUSED, current_version=current
    )
    assert {version: key.is_current(version, lambda created: created, 9) for version in is_current} == is_current
