"""The view of uses: whether each is expected, with related data from the inventory and other uses."""

from collections.abc import Iterable

from keyaudit.inventory.facts.fact import ABSENT, Derived, Doubt, Fact, Truth, case, known, possible, strict, unknown
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import One, Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.logs.groups import OF_USERS, target_of
from keyaudit.inventory.views.entra import agent_bursts
from keyaudit.inventory.views.entra.agents import object_id
from keyaudit.inventory.views.entra.service_principal import environments
from keyaudit.inventory.views.logs.log_gaps import unshown
from keyaudit.inventory.views.logs.recorded_uses import unseen, whole_since
from keyaudit.inventory.views.vaults import versions
from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.usage import SIGN_IN_LOGS
from keyaudit.model.usage import ANY, PRIVILEGED, Facet
from keyaudit.model.values.times import DAY

_NOT_SHOWN = because(Reason.NOT_SUPPLIED)


def facts(sources: Sources, as_of: int, *, baseline: bool) -> dict[str, Derived]:
    """The derived columns. Without a `baseline`, whether a use is expected is unknown."""
    rows = Rows(sources, "usage")
    of_key = rows["target_kind"].eq("key")
    used = _version(rows)
    unlisted = unread("principals", ("service_principal.list",)) | because(Reason.NOT_VISIBLE)
    return {
        "environment": used["environment"].where(of_key),
        "actor_environment": _actor_environment(rows, unlisted).where(of_key),
        "superseded_on": used["newer"].where(of_key),
        "signed_in_with": rows["operation"].eq("add-credential") & _signed_in_with(rows),
        "target_home": _target_home(rows, unlisted),
        **agent_bursts.facts(rows),
        "logs_until": _logs_until(rows, as_of),
        "expected": _expected(rows) if baseline else Truth("CAST(NULL AS BOOLEAN)", _NOT_SHOWN),
    }


def with_gaps(query: str, made: Iterable[str], sources: Sources, scope_id: str, as_of: int) -> str:
    """The view in `query`, whose derived columns are `made`, and rows for gaps in logs. `scope_id`: the tenant's."""
    names = (*(column.name for column in TABLES["usage"].stored), *made, "unknown")
    return f"{query} UNION ALL {unshown(sources, scope_id, as_of, names)}"


def _version(rows: Rows) -> One:
    """The version of a key that was used: its environment, and when the first newer enabled version was created."""
    versions_ = Rows(rows.sources, "key", "version")
    facts = {"environment": versions.environment(versions_), "newer": _newer(versions_)}
    return one(versions_, key=rows["target_id"], missing=because(Reason.NOT_VISIBLE), facts=facts)


def _newer(version: Rows) -> Fact:
    whole_key = f"(PARTITION BY {version.alias}.key_id)"
    created = version["created_on"]
    later = f"(PARTITION BY {version.alias}.key_id ORDER BY {created.value} RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
    enabled = f"CASE WHEN {version['enabled'].value} THEN {created.value} END"
    why = versions.unlisted(version) | version["enabled"].why | created.why
    doubt = Doubt((f"min({why.sql}) OVER {whole_key}",), why.reads)
    # A version without a date was created before the service recorded dates.
    newer = f"CASE WHEN {created.value} IS NULL THEN min({enabled}) OVER {whole_key} ELSE min({enabled}) OVER {later} END"
    return Fact(f"CASE WHEN {doubt.sql} IS NULL THEN {newer} END", doubt, absent=True)


def _actor_environment(rows: Rows, unlisted: Doubt) -> Fact:
    """Where the service principal that did it is at home: by its object id, else by its client id. Microsoft's have none."""
    principal, app = rows["principal_id"], rows["actor_app_id"]
    by_object, at_object = _home(rows, "by_object", "object_id", principal)
    by_app, at_app = _home(rows, "by_app", "app_id", app)
    return case(
        (by_object, at_object),
        (app.among(FIRST_PARTY), ABSENT),
        (by_app, at_app),
        otherwise=unknown(unlisted),
    )


def _home(rows: Rows, alias: str, column: str, key: Fact) -> tuple[Truth, Fact]:
    """Whether a service principal was read, and its environment."""
    homes = environments(rows.sources)
    homes = homes.under(alias, homes.relation)
    home = one(homes, by=homes[column], key=key)
    unnamed = unknown(because(Reason.NOT_CONFIGURED))
    return home[column].present, case((home.flag("unnamed"), unnamed), otherwise=home["environment"])


def _signed_in_with(rows: Rows) -> Truth:
    """Whether somebody signed in with the credential from then on. A record that tells no credential may be of any."""
    uses = Rows(rows.sources, "usage", "sign_in")
    signed_in = uses["operation"].eq("sign-in") & uses.flag("succeeded")
    its = groups(uses, "own", by=uses["credential_key_id"], key=rows["credential_key_id"], each=signed_in)
    added_on = rows["used_on"]
    used = its.greatest("used", uses["used_on"]).exceeds(added_on.map(lambda on: f"({on} - 1)"))
    return used | unseen(whole_since(rows, SIGN_IN_LOGS[0], "sign_ins"), added_on)


def _target_home(rows: Rows, unlisted: Doubt) -> Fact:
    held = rows["operation"].among(("add-credential", "remove-credential", "add-service-principal"))
    principals = Rows(rows.sources, "service_principal", "holder")
    home = one(principals, by=object_id(principals), key=rows["target_id"], missing=unlisted)["home"]
    kind = rows["target_kind"]
    whose = case((kind.eq("application"), known("own")), (kind.eq("service-principal"), home), otherwise=ABSENT)
    return whose.where(held)


def _logs_until(rows: Rows, as_of: int) -> Fact:
    logs = Rows(rows.sources, "usage_log", "log")
    last = groups(logs, "logs", by=logs["source"], key=rows["source"]).latest("last", logs["last_on"])
    return last.or_else(known(as_of)).map(lambda last: f"least({as_of}, {last} + {DAY})")


def _expected(rows: Rows) -> Truth:
    """Whether the baseline knows the actor for this operation on the same class of targets."""
    usual = Rows(rows.sources, "usage_baseline", "usual")
    held = rows["target_kind"].among(("key", "secret", "certificate", "mailbox"))
    opens = rows["operation"].eq("grant-mailbox-access")
    change = (opens | ~held) & ~rows["operation"].among(("sign-in", *OF_USERS))
    named = rows["target_id"].map(
        lambda target: f"CASE WHEN {target} IS NOT NULL THEN {target_of(rows.alias, rows.sources.sql)} END"
    )
    principal = case((change, rows["principal_id"]), otherwise=ABSENT)
    who = rows["actor_app_id"].or_else(principal).total(lambda who: f"coalesce({who}, '')")
    privileged = change & rows["privileged"].present
    of_class = case((privileged, known(PRIVILEGED)), (change, rows["issuer"].or_else(known(ANY))), otherwise=named)
    here = (rows["operation"], rows["target_kind"], of_class)
    there = (usual["operation"], usual["target_kind"], usual["target_class"])
    app = usual["app_id"]
    of_app = groups(
        usual,
        "known",
        by=_joined(*there, Fact(f"coalesce({app.value}, '')")),
        key=_joined(*here, who),
        each=usual["facet"].eq(Facet.APP) & app.is_known,
    )
    of_any = groups(usual, "unnamed", by=_joined(*there), key=_joined(*here), each=usual["facet"].eq(Facet.APP))
    return of_app.any_of("known") | of_any.any_of("unnamed", possible(app.why))


def _joined(*texts: Fact) -> Fact:
    return strict(lambda *values: " || '\n' || ".join(values), *texts)
