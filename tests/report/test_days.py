"""One date is the same number of days in every output: whole days, rounded towards zero."""

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest
from msgspec import structs

from keyaudit.model.results.expiring import Ending, Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.listing import Listing
from keyaudit.model.results.run import Past, Report
from keyaudit.model.tables import TABLES
from keyaudit.model.values import times
from keyaudit.policy.reading.placeholders import template
from keyaudit.questions.expiring import FORMATS as EXPIRING
from keyaudit.questions.trust.answer import PublishedKey
from keyaudit.questions.trust.words import age, notes
from keyaudit.report.formats import FORMATS
from keyaudit.report.html.signing import timeline
from keyaudit.report.options import Options
from tests.policy.test_templates import COLUMNS, Row
from tests.report.example import AS_OF, AUDIENCE, DAY, EXPIRED, REPORT, finding, holding, key_row, row
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


def test_an_expiry_that_only_the_message_names_has_its_columns() -> None:
    end = AS_OF + 25 * DAY
    named = finding(AUDIENCE, Outcome.FAIL, row("application", app_id="a-client"), "", times={"live_until": end})
    soon = structs.replace(named, durations={"until(live_until)": 25 * DAY, "since(created_on)": 3 * DAY})
    [record] = written(soon)
    assert (record["expires_at"], record["days_to_expiry"]) == (times.iso_time(end), "25")
    assert record["message_dates"] == f"live_until={times.iso_time(end)}"
    assert record["message_days"] == "until(live_until)=25|since(created_on)=3"
    [record] = written(structs.replace(named, durations={"since(live_until)": 25 * DAY}))
    assert (record["expires_at"], record["days_to_expiry"]) == ("", "")
    # A row that has an end of its own keeps it.
    [record] = written(structs.replace(soon, policy=EXPIRED, row=key_row("k", expires_on=AS_OF + DAY)))
    assert record["days_to_expiry"] == "1"


def test_a_finding_has_its_client_environment_tags_cause_and_first_command() -> None:
    key = key_row("k", environment="prod", tags={"b": "2", "a": "1"})
    tagged = finding(EXPIRED, Outcome.FAIL, key, "", fix={"cli": "az keyvault key show"})
    [record] = written(tagged)
    columns = ("client_id", "resource_environment", "resource_tags", "cause_id", "first_command")
    assert [record[name] for name in columns] == ["", "prod", "a=1,b=2", tagged.id, "az keyvault key show"]
    [record] = written(finding(AUDIENCE, Outcome.FAIL, row("application", app_id="a-client"), ""))
    assert record["client_id"] == "a-client"
    # A command that takes something away is never there without the words that come before it.
    for fix in ({"cli": "az keyvault key delete"}, {"text": "First ask.", "cli": "az keyvault key delete"}):
        [record] = written(structs.replace(tagged, fix=fix))
        assert record["first_command"] == ""


def test_a_finding_is_first_seen_in_the_snapshot_since_which_nothing_shows_it_gone() -> None:
    key = finding(EXPIRED, Outcome.FAIL, key_row("k"), "")

    def seen(*runs: tuple[int, bool, bool]) -> str:
        """Of kept snapshots, by their age in days, with whether the finding failed and whether all was read."""
        kept = [
            Past(run_id="", as_of=AS_OF - days * DAY, open={}, unknown=0, complete=whole, failing=frozenset([key.id] * failed))
            for days, failed, whole in runs
        ]
        [record] = written(key, structs.replace(holding(REPORT, [key]), history=tuple(kept)))
        return record["first_seen_at"]

    assert seen() == ""
    assert seen((9, True, True), (8, True, True)) == times.iso_time(AS_OF - 9 * DAY)
    assert seen((9, True, True), (8, False, False), (7, True, True)) == times.iso_time(AS_OF - 9 * DAY)
    assert seen((9, True, True), (8, False, True), (7, True, True)) == times.iso_time(AS_OF - 7 * DAY)
    assert seen((9, True, True), (8, False, True)) == ""
    assert seen((9, True, True), (-1, False, True)) == times.iso_time(AS_OF - 9 * DAY)


def written(found: Finding, report: Report | None = None) -> list[dict[str, str]]:
    out = io.StringIO()
    FORMATS["csv"](report or holding(REPORT, [found]), out, Options())
    return [record for record in csv.DictReader(io.StringIO(out.getvalue())) if record["status"] == "fail"]
