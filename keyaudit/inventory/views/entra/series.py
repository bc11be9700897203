"""Certificates that a platform renews by itself on a service principal: several at a time, short-lived, all of one issuer."""

from keyaudit.inventory.facts.fact import Fact, Truth, case, known, strict
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows
from keyaudit.model.values.times import DAY

_SHORT = 120 * DAY
_SEVERAL = 3


def series(rows: Rows, as_of: int) -> Fact:
    """Of a credential, its place in the series of its holder's certificates: newest or older; absent if it is in none.

    It is in one if the holder has at least three unexpired credentials, and all are certificates of one issuer, which is none
    of themselves, and valid for 120 days at most. A holder's credentials are listed with it, so those of a listed one are
    complete.
    """
    each = Rows(rows.sources, "credential", "of_series")
    subject, issuer, start, end = (each[name] for name in _READ)
    live = end.told(lambda sql: f"{sql} > {as_of}", absent=True)
    issued = strict(lambda subject, issuer: f"{subject} <> {issuer}", subject, issuer).truth()
    short = strict(lambda start, end: f"{end} - {start} <= {_SHORT}", start, end).truth()
    fits = each["kind"].eq("certificate") & issued & short
    of = groups(each, "series", by=each["holder_id"], key=rows["holder_id"], missing_of_row=each["key_id"].why)
    several = of.count_of("in_series", live).exceeds(known(_SEVERAL - 1))
    one_issuer = ~of.count_of("issuers", live, different=issuer).exceeds(known(1))
    in_series = several & one_issuer & ~of.any_of("misfits", live & ~fits) & _live(rows, as_of)
    newest = of.latest("newest", start, live)
    place = case(
        (strict(lambda own, newest: f"{own} >= {newest}", rows["starts_on"], newest).truth(), known("newest")),
        otherwise=known("older"),
    )
    return place.where(in_series)


_READ = ("certificate_subject", "certificate_issuer", "starts_on", "expires_on")


def _live(rows: Rows, as_of: int) -> Truth:
    expires: Fact = rows["expires_on"]
    return expires.told(lambda end: f"{end} > {as_of}", absent=True)
