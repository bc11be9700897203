"""One date is the same number of days in every output: whole days, rounded towards zero."""

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest
from msgspec import structs

from keyaudit.model.expiring import Ending, Owner
from keyaudit.model.findings import Outcome
from keyaudit.model.listing import Listing
from keyaudit.model.tables import TABLES
from keyaudit.model.trust import PublishedKey
from keyaudit.policy.placeholders import template
from keyaudit.report.expiring import FORMATS as EXPIRING
from keyaudit.report.formats import FORMATS
from keyaudit.report.html.signing import timeline
from keyaudit.report.options import Options
from keyaudit.report.trust.words import age, notes
from tests.policy.test_templates import COLUMNS, Row
from tests.report.example import AS_OF, DAY, EXPIRED, REPORT, finding, holding, key_row, row
from tests.report.listings import expiring

SECOND = 1
NEARLY = (8 * DAY, 8 * DAY + 7 * 3_600, 9 * DAY - SECOND)


def said(moment: int) -> Iterator[str]:
    """What each output says of a key that was made and expires at this moment, and of a certificate like it."""
    key = key_row("k", created_on=moment, expires_on=moment)
    out = io.StringIO()
    FORMATS["csv"](holding(REPORT, [finding(EXPIRED, Outcome.FAIL, key, "")]), out, Options())
    record = next(csv.DictReader(io.StringIO(out.getvalue())))
    yield record["days_to_expiry"]
    yield record["age_days"]
    span = "since" if moment < AS_OF else "until"
    yield template(f"{{{span}(created_on):never}}", COLUMNS, ()).fill(Row({"created_on": moment}, now=AS_OF))
    yield from _listed(Ending(Owner((), "", None), "key", key, moment, retired=False))
    certificate = row("signing_certificate", id="s", kind="saml", expires_on=moment)
    signing = Listing(TABLES["signing_certificate"], 1, (), lambda: iter([certificate]))
    [signer] = timeline(structs.replace(REPORT, listing=lambda _: signing)).signers
    yield signer.when
    published = PublishedKey(
        key_id="k", thumbprint=None, places=(), app_id=None, app_name=None, token_issuer=None, for_consumers=None,
        starts_on=moment, expires_on=moment, disabled=False,
    )  # fmt: skip
    yield age(published, AS_OF)
    yield from notes(published, AS_OF)


def _listed(ending: Ending) -> Iterator[str]:
    """What `keyaudit expiring` says in each format."""
    shown = {name: io.StringIO() for name in EXPIRING}
    for name, out in shown.items():
        EXPIRING[name](expiring((ending,)), out, Options())
    yield str(json.loads(shown["json"].getvalue())["items"][0]["days"])
    yield next(csv.DictReader(io.StringIO(shown["csv"].getvalue())))["days"]
    for name in ("text", "table"):
        yield re.findall(r"expired \S+ d ago|in \S+ d\b", shown[name].getvalue())[0]


@pytest.mark.parametrize("by", NEARLY)
@pytest.mark.parametrize(("side", "outputs"), [(1, 9), (-1, 10)], ids=["ahead", "past"])
def test_every_output_says_eight_days(by: int, side: int, outputs: int) -> None:
    shown = list(said(AS_OF + side * by))
    assert len(shown) == outputs
    assert [re.findall(r"\d+", text) for text in shown] == [["8"]] * outputs, shown
