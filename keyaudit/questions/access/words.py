"""Grants in words. Names of the tenant are made safe for one line here."""

from collections.abc import Mapping, Sequence

from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import ADVICE
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.questions.access.answer import Access, Way, Who
from keyaudit.report.lines import listed, parted, plural, wrap
from keyaudit.report.missing import extent
from keyaudit.report.summary import closing, header

_CAN: Mapping[str, str] = {
    "wrap": "unwrap",
    "read-private": "read private parts and secrets",
    "manage": "change or delete",
    "purge-vault": "purge the vault",
    "backup": "back up",
    "grant": "grant itself access",
    "set-policy": "write access policies",
    "connect": "set the external key manager",
}
"""Permissions in words; others are shown as they are."""

_MODELS: Mapping[str, str] = {
    "rbac": "uses Azure RBAC (role assignments)",
    "access-policy": "uses access policies: data roles have no effect, and principals that can change the vault can grant "
    "themselves access",
    "hsm-local": "uses local role assignments of the Managed HSM",
}
_SCOPES: Mapping[str, str] = {
    "root": "all of the tenant",
    "tenant": "all of the tenant",
    "management-group": "management group",
    "subscription": "subscription",
    "resource-group": "resource group",
    "vault": "vault",
    "hsm": "Managed HSM",
}
_PERMISSIONS: Mapping[str, str] = {"app-role": "application permission", "delegated": "delegated permission"}
_NAME, _CONDITION = 200, 300


def can(allows: Sequence[str]) -> str:
    """ "sign, unwrap and give itself access"; unknown if nothing is known."""
    return listed([_CAN.get(each) or one_line(each, _NAME) for each in allows]) or "unknown"


def spoken(kind: str) -> str:
    """A kind of principal or permission, safe for one line: "service principal"."""
    return one_line(_PERMISSIONS.get(kind) or kind.replace("-", " "), _NAME)


def called(who: Who) -> str:
    """ "Ada Lovelace (user ada@contoso.example, guest)"."""
    facts = [word for word in (spoken(who.kind or "of unknown kind"), who.sign_in or who.id) if word]
    notes = [", from another tenant"] * (who.home == "foreign") + [", disabled"] * (who.enabled is False)
    return f"{one_line(who.name or who.id, _NAME)} ({one_line(' '.join(facts), _NAME)}{''.join(notes)})"


def grant_text(way: Way) -> str:
    """ "custom role Key Keeper on resource group rg, through group A > B": the grant, and the groups in between."""
    if way.kind == "access-policy":
        grant = "access policy of the vault"
    elif way.api:
        grant = f"{spoken(way.kind)} {one_line(way.role or way.id, _NAME)} on {one_line(way.api, _NAME)}"
    else:
        role = {"hsm-role": "local role", "directory-role": "directory role"}.get(way.kind, "role")
        grant = f"{'custom ' if way.custom else ''}{role} {one_line(way.role or 'of unknown name', _NAME)} on {place(way)}"
    return f"{grant}{through(way)}"


def through(way: Way) -> str:
    """ ", through group A > B"; empty for a direct grant."""
    if not way.through:
        return ""
    if way.through[0].kind == "service-principal":
        return f", inherited from blueprint {one_line(way.through[0].name or way.through[0].id, _NAME)}"
    groups = [one_line(group.name or group.id, _NAME) for group in way.through]
    return f", through group {' > '.join(groups)}{' and perhaps groups in it' if way.unplaced else ''}"


def place(way: Way) -> str:
    """ "management group mg-prod", "key consumer-token-signing"."""
    if way.scope_kind == "object":
        if way.scope.endswith("/keys"):
            return "all keys"
        kind = way.scope.split("/")[-2].removesuffix("s")
        return f"{one_line(kind)} {one_line(way.scope_name, _NAME)}"
    if way.scope_kind not in _SCOPES:
        return one_line(way.scope, _NAME)
    if way.scope_kind in ("root", "tenant"):
        return _SCOPES[way.scope_kind]
    return f"{_SCOPES[way.scope_kind]} {one_line(way.scope_name, _NAME)}".rstrip()


def notes(way: Way) -> str:
    """Its limits and uncertainties, each after a semicolon."""
    found = [f"only through application {one_line(way.application_id)}"] if way.application_id else []
    found += [f"under a condition: {one_line(way.condition, _CONDITION)}"] if way.condition else []
    found += ["only once activated"] * (not way.standing)
    found += [f"until {times.iso_date(way.expires_on)}"] if way.expires_on is not None else []
    found += [f"not sure: {ADVICE[way.doubt].meaning} ({way.doubt})"] if way.doubt else []
    return "; ".join(found)


def above(found: Access, width: int, colour: bool) -> list[str]:
    """The beginning of every rendering for people."""
    subject = f"{found.noun[0].upper()}{found.noun[1:]} {one_line(found.name, _NAME)} ({one_line(found.id, 300)})"
    described = _MODELS.get(found.note) or (f"is a {spoken(found.note)}" if found.note else "is of unknown kind")
    said = f"{'Its vault' if found.noun in ('key', 'certificate') else 'It'} {described}."
    return [*header(found.run, found.verdict, width, colour), "", *wrap(subject, width), *wrap(said, width), ""]


def below(found: Access, width: int, colour: bool) -> list[str]:
    """The counts, then their limitations."""
    return parted(
        wrap(_counts(found), width),
        [line for each in found.open for line in wrap(_opened(each.who, ADVICE[each.reason].meaning), width, rest="    ")],
        [
            line
            for record in found.unlisted
            for line in _unlisted(record.operation, record.scope.name, str(record.reason), width)
        ],
        *closing(found.verdict, width, colour),
    )


def _opened(who: Who, meaning: str) -> str:
    return f"There may be more: {called(who)} includes unknown principals:  {meaning}."


def _unlisted(operation: str, place_: str, reason: str, width: int) -> list[str]:
    return wrap(f"Not read from {one_line(place_)}: {OPERATIONS[operation].noun} ({reason}).", width, rest="    ")


def _counts(found: Access) -> str:
    standing = [reach for reach in found.reaches if reach.way.standing]
    inert = (
        f" {plural(found.inert, 'other grant')} {'opens' if found.inert == 1 else 'open'} nothing there." if found.inert else ""
    )
    least = "At least " if found.open or extent(found.verdict) else ""
    if found.by_principal:
        if not standing:
            now = " now" if found.reaches else ""
            return f"No vault can be used{now}{', in the data that was read' if least else ''}.{inert}"
        vaults = len({reach.vault_id for reach in standing})
        return f"{least}{plural(vaults, 'vault')} can be used, in {plural(len(standing), 'way')}.{inert}"
    people = {reach.who.id: reach.who for reach in standing}
    kinds = [who.kind for who in people.values()]
    foreign = sum(who.home == "foreign" for who in people.values())
    parts = [plural(kinds.count("user"), "user"), plural(len(kinds) - kinds.count("user"), "other", "others")]
    beyond = {reach.who.id for reach in found.reaches} - people.keys()
    more = f" {len(beyond):,} more could, once activated." if beyond else ""
    said = f"{least}{plural(len(people), 'principal')} can use it now: {listed(parts)}; {foreign:,} from other tenants."
    return said + more + inert
