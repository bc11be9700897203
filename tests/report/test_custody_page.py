"""The page's chart of custody."""

import pytest

from keyaudit.model.results.overview import Custody
from keyaudit.model.tables.vaults.key import KEY
from keyaudit.report.html.custody import KINDS, kept


@pytest.mark.parametrize("custody", KEY.by_name["custody"].values)
def test_every_custody_of_a_key_has_a_bar_of_its_own(custody: str) -> None:
    found = kept([Custody(environment="prod", environment_unknown=None, custody=custody, count=3)])
    assert found.rows == [("prod", tuple(3 if kind == custody else 0 for kind in KINDS))]
