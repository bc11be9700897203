"""The columns about a credential's holder: permissions, accepted accounts, last sign-in."""

from dataclasses import replace

from keyaudit.inventory.facts.fact import ABSENT, Derived, Fact, Truth, case, unknown
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import cells, of_own_row
from keyaudit.inventory.facts.relation import One, Rows, because, one, unread
from keyaudit.inventory.views.entra.privileges import applications
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

_POWERS = (
    *("tier0", "tenant_wide", "opens_subscriptions", "opens_vaults", "opens_signing"),
    *("directory_sync", "unprivileged"),
)
_REPORT = TABLES["sign_in_activity"].listed_by


def facts(rows: Rows, app_id: Fact, application: One) -> dict[str, Derived]:
    """Those columns of credentials. `application`: that of the holder, by `app_id`, its client id in lower case."""
    granted = applications(rows.sources)
    # Applications and service principals are listed with their credentials: a holder without either is a managed identity that
    # only ARM returns.
    holder = one(granted, key=app_id, by=granted["app_id"], missing=because(Reason.NOT_VISIBLE))
    return {
        **{f"holder_{name}": _power(holder, name) for name in _POWERS},
        "holder_policy_vaults": holder.items("policy_vaults", granted.items("policy_vaults")),
        "holder_audience": case(
            (elsewhere(rows).certainly & ~application.found, ABSENT),
            (~holder.found, unknown(app_id.why | because(Reason.NOT_VISIBLE))),
            otherwise=application["audience"],
        ),
        "holder_last_sign_in_on": last_sign_in(rows, app_id, "last_client_sign_in_on"),
    }


def _power(holder: One, name: str) -> Truth:
    """A permission of the holder; an application whose client id is unknown has none that is known."""
    flag = holder.flag(name)
    return replace(flag, reads=flag.reads | of_own_row(cells("application.app_id")))


def elsewhere(rows: Rows) -> Truth:
    """Whether the holder of a credential has no application in this tenant."""
    return rows["holder_home"].among(("microsoft", "foreign", "none"))


def last_sign_in(rows: Rows, app_id: Fact, column: str) -> Fact:
    """The time in this column of the report of sign-ins, for the application of a row; `app_id`: in lower case."""
    used = Rows(rows.sources, "sign_in_activity", "used")
    unreported = unread("activity", _REPORT, scope=f"{rows.alias}.scope_id")
    # The report has one record of an application: https://learn.microsoft.com/graph/api/resources/serviceprincipalsigninactivity
    of = groups(used, "records", by=used["app_id"], key=app_id, missing=unreported, single=True)
    return of.latest("last", used[column])
