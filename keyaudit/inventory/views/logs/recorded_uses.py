"""What logs say of keys, the tenant and signing certificates: certain if a record shows it, or if the log is complete.

A log that is complete from some day until now proves that something was not done; any other log only proves what was done.
"""

from collections.abc import Callable, Mapping

from keyaudit.inventory.facts.extremes import BELOW, greatest_of, settled
from keyaudit.inventory.facts.fact import FALSE, Count, Derived, Fact, Truth, case, known, strict, unknown
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.prepared import shared
from keyaudit.inventory.facts.relation import Rows, because, one
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.usage import KEY_VAULT_LOG, REACHES, USER_SIGN_IN_LOG
from keyaudit.model.values.times import DAY

USES = ("sign", "verify", "encrypt", "decrypt", "wrap", "unwrap", "release")
"""The operations that use a version. Copying it is not a use."""
_SIGNING = 30 * DAY
_NOT_SHOWN = because(Reason.NOT_SUPPLIED)
"""The relevant part of the log was not supplied."""
_PERHAPS = Truth("CAST(NULL AS BOOLEAN)", _NOT_SHOWN)
_EVERY = known("every one")


def whole_since(rows: Rows, log: str, alias: str, *, of: Fact = _EVERY, reaching: int | None = None) -> Fact:
    """Since when a log of something with that id is complete, by default of anything; unknown without one. `reaching`: only
    logs with an event since then.
    """
    logs = Rows(rows.sources, "usage_log", "log")
    each = logs["source"].eq(log)
    if reaching is not None:
        each &= logs["last_on"].told(lambda last: f"{last} >= {reaching}")
    by = of if of is _EVERY else logs["logged_id"]
    return groups(logs, alias, by=by, key=of, each=each).least("since", logs["whole_since"])


def unseen(since: Fact, begun: Fact) -> Truth:
    """False, but unknown where a log is not complete since something began; false if it never does."""
    seen = strict(lambda since, begun: f"({since} <= {begun})", since.or_else(unknown(_NOT_SHOWN)), begun).truth()
    return case((begun.present & ~seen, unknown(_NOT_SHOWN)), otherwise=FALSE).truth()


def _keys(rows: Rows, as_of: int) -> dict[str, Derived]:
    uses, key_id = Rows(rows.sources, "usage", "use"), rows["key_id"]
    done = uses["target_kind"].eq("key") & uses["operation"].among(USES) & uses.flag("succeeded")
    used_on, target = uses["used_on"], uses["target_id"]
    # A record that names no version may be of any.
    used = greatest_of(
        groups(uses, "own", by=target, key=rows["id"], each=done).greatest("used", used_on),
        groups(uses, "unnamed", by=target, key=key_id, each=done & _PERHAPS).greatest("used", used_on),
    )
    whole = _complete(rows, as_of)
    since = whole.or_else(unknown(_NOT_SHOWN))
    created_on, expires_on = rows["created_on"], rows["expires_on"]
    was_used = Truth(f"({used.least} > {BELOW})", reads=used.reads)
    # Nothing is used before it is created.
    made = case((was_used, Fact(used.least, reads=used.reads)), otherwise=created_on.or_else(unknown(_NOT_SHOWN)))
    seen = strict(lambda since, made: f"({since} <= {made})", since, made).truth()
    latest = Fact(used.most, used.doubt, exact=False, reads=used.reads)
    begun = case((was_used, known(BELOW)), otherwise=created_on.total(lambda on: f"coalesce({on}, {BELOW})"))
    unused = strict(_greatest, since, latest, begun)
    return {
        "last_used_on": case((seen, settled(used)), otherwise=unknown(_NOT_SHOWN)),
        "unused_since": unused,
        "used_after_expiry": used.exceeds(expires_on) | unseen(whole, expires_on),
        "signing_apps": _signing_apps(rows, since, as_of),
    }


def _greatest(*times: str) -> str:
    """SQL of the greatest, NULL if one is."""
    return f"CASE WHEN {' AND '.join(f'{each} IS NOT NULL' for each in times)} THEN greatest({', '.join(times)}) END"


def _complete(rows: Rows, as_of: int) -> Fact:
    """Since when the log of the vault of a key is complete; absent without such a log. It names the vault, or its address."""
    vaults = Rows(rows.sources, "vault", "place")
    address = vaults["vault_uri"].map(lambda uri: f"'https://' || split_part({uri}, '/', 3)")
    by_id, by_address = (
        whole_since(rows, KEY_VAULT_LOG, alias, of=of, reaching=as_of - REACHES - DAY)
        for alias, of in (("by_id", vaults["id"]), ("by_address", address))
    )
    both = strict(lambda *times: f"least({', '.join(times)})", by_id, by_address)
    facts: dict[str, Derived] = {"id": vaults["id"], "since": both.or_else(by_id).or_else(by_address)}
    return one(shared(rows.sources, facts, vaults.sql, "complete"), key=rows["vault_id"])["since"]


def _signing_apps(rows: Rows, since: Fact, as_of: int) -> Count:
    uses, sql = Rows(rows.sources, "usage", "use"), rows.sources.sql
    signed = uses["target_kind"].eq("key") & uses["operation"].eq("sign") & uses.flag("succeeded")
    recent = signed & uses["used_on"].told(lambda on: f"{on} >= {as_of - _SIGNING}")
    of_key = uses["target_id"].map(lambda target: sql.joined(sql.first_items(sql.divided(target, "/"), 5), "/"))
    its = groups(uses, "signed", by=of_key, key=rows["key_id"], each=recent)
    app = uses["actor_app_id"]
    # Uses without an application may each be of another one, and a row may stand for several.
    single = case((app.is_known | uses["uses"].eq(1), known(1)), otherwise=unknown(app.why | _NOT_SHOWN))
    started = since.told(lambda since: f"{since} <= {as_of - _SIGNING}")
    unseen = case((started, known(1)), otherwise=unknown(_NOT_SHOWN)).why
    count = its.count_of("apps", different=app.total(lambda app: f"coalesce({app}, '')"))
    return count.lacking(its.doubt_of("single", single)).lacking(unseen)


def _vaults(rows: Rows, as_of: int) -> dict[str, Derived]:
    """Who calls a vault now: what closes its network must not shut out. Other addresses may be in what no log shows."""
    uses, sql = Rows(rows.sources, "usage", "use"), rows.sources.sql
    recent = uses["target_kind"].among(("key", "secret", "certificate")) & uses.flag("succeeded")
    recent &= uses["used_on"].told(lambda on: f"{on} >= {as_of - _SIGNING}")
    of_vault = uses["target_id"].map(lambda target: sql.joined(sql.first_items(sql.divided(target, "/"), 3), "/"))
    address = rows["vault_uri"].map(lambda uri: f"'https://' || lower(split_part({uri}, '/', 3))")
    calls = groups(uses, "callers", by=of_vault, key=address, each=recent)
    return {"caller_addresses": calls.items_of("from", uses["network"])}


def _tenant(rows: Rows, _: int) -> dict[str, Derived]:
    baseline = Rows(rows.sources, "usage_baseline", "usual")
    of = groups(baseline, "baseline", by=_EVERY, key=_EVERY)
    return {"appid_baseline_on": of.latest("learned", baseline["learned_until"])}


def _signing_certificates(rows: Rows, as_of: int) -> dict[str, Derived]:
    uses, lower = Rows(rows.sources, "usage", "use"), rows.sources.sql.lower
    done = uses["operation"].eq("saml-sign-in") & uses.flag("succeeded")
    used = groups(uses, "signed_in", by=uses["target_id"], key=rows["app_id"].map(lower), each=done).greatest(
        "used", uses["used_on"]
    )
    since = whole_since(rows, USER_SIGN_IN_LOG, "sign_ins", reaching=as_of - REACHES - DAY)
    after = used.exceeds(rows["expires_on"]) | unseen(since, rows["expires_on"])
    return {"used_after_expiry": rows["kind"].eq("saml") & rows.flag("active") & after}


FACTS: Mapping[str, Callable[[Rows, int], dict[str, Derived]]] = {
    "key": _keys,
    "vault": _vaults,
    "tenant": _tenant,
    "signing_certificate": _signing_certificates,
}
"""By table, the derived columns from logs, given the rows of the view and `as_of`."""
