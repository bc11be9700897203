"""Why a use is unusual or unknown, in words. Text from the logs is made safe for one line here."""

from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.usage import ANY, DATA, NOBODY, PRIVILEGED, SIGN_IN, Kind, Unusual, Why
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import iso_date
from keyaudit.report.lines import plural

_NEW: dict[Kind, tuple[str, str]] = {
    Kind.NEW_CLIENT_APP: (
        "called by a client application that is new here",
        "called by {} client applications that are new here",
    ),
    Kind.NEW_PRINCIPAL: ("for a principal that is new here", "for {} principals that are new here"),
    Kind.NEW_API: ("through an API that is new here", "through {} APIs that are new here"),
    Kind.CREDENTIAL_FROM_NETWORK: (
        "with a credential that is new here, from a network that is new here",
        "with credentials that are new here, from {} networks that are new here",
    ),
    Kind.NEW_NETWORK: ("from a network that is new here", "from {} networks that are new here"),
    Kind.NEW_CLIENT: ("with a program that is new here", "with {} programs that are new here"),
    Kind.NEW_KEY: ("with a key or version that is new here", "with {} keys or versions that are new here"),
    Kind.RETURNED_KEY: ("with a key that a newer one had replaced", "with {} keys that newer ones had replaced"),
}
_ALONE = {
    Kind.PRIVILEGED: "it gives control of the tenant, or access to all mail or files; find out who approved it",
    Kind.READ_OF_NEW_VAULT: "first read from this vault by this application",
    Kind.CERTIFICATE_OF_NEW_VAULT: (
        "first read from this vault by this application, and a key or certificate has the name of the secret: if it can be"
        " exported, this copied the private key"
    ),
}
_COUNTED_KINDS = frozenset(
    {
        *(Kind.MANY_MAILBOXES, Kind.MAILBOX_OFTEN, Kind.MAILBOXES_FROM_NETWORK, Kind.MAILBOXES_WITH_PROGRAM),
        *(Kind.MANY_IN_AN_HOUR, Kind.USERS_FROM_NETWORK, Kind.MANY_NETWORKS),
    }
)
_ELSEWHERE = {
    Kind.NEW_CLIENT_APP: "known from other uses of the kind, or Microsoft's own",
    Kind.NEW_PRINCIPAL: "known from other uses of the kind",
    Kind.NEW_API: "other uses go through it",
    Kind.NEW_NETWORK: "other uses come from there",
}
_CONSENTED = {
    SIGN_IN: "permissions that only let an application sign users in",
    DATA: "permissions on the mail, files or chats of users, or all that they may do",
}


def app(found: Unusual) -> str:
    """The application of the use."""
    if found.operation == "saml-sign-in":
        return "users, by SAML or WS-Federation"
    if found.target in _CONSENTED:
        return f"those who consented to {one_line(found.app_id)}"
    if found.app_id == NOBODY:
        return "no application that the log names"
    return one_line(found.app_id) + (f" ({found.app_name}, Microsoft's own)" if found.app_name else "")


def target(found: Unusual) -> str:
    """The target of the use."""
    if found.target_kind == "mailbox":
        return f"mailboxes of {one_line(found.target)}"
    if found.target == PRIVILEGED:
        return f"{one_line(found.target_kind)}, a privileged change"
    if found.target in _CONSENTED:
        return _CONSENTED[found.target]
    if _trusts(found):
        return f"{one_line(found.target_kind)} that trusts {one_line(found.target, 512)}"
    if found.target == ANY:
        return f"any {one_line(found.target_kind)}"
    name = FIRST_PARTY.get(found.target)
    return f"{one_line(found.target_kind)} {one_line(found.target, 512)}" + (f" ({name})" if name else "")


def _trusts(found: Unusual) -> bool:
    """Whether the class of its targets is an issuer."""
    return found.operation == "add-credential" and found.target not in (ANY, PRIVILEGED)


def reason(found: Unusual, why: Why) -> str:
    """Why these uses are unusual."""
    match why.kind:
        case kind if kind in _ALONE:
            return _ALONE[kind]
        case Kind.NEW_OPERATION | Kind.NEW_APP:
            return _new_app(found, why)
        case Kind.NEW_TARGET:
            known = "the target is new; the application is known to do this to others"
            if found.target in _CONSENTED:
                known = "nobody got such permissions before; this application got others"
            return "no federated credential in the baseline trusts this issuer" if _trusts(found) else known
        case kind if kind in _COUNTED_KINDS:
            return _much(why)
        case kind:
            single, several = _NEW[kind]
            said = single if why.count == 1 else several.format(f"{why.count:,}")
            values = ", ".join(one_line(value) or "(none named)" for value in why.values)
            more = f" and {why.count - len(why.values):,} more" if why.count > len(why.values) else ""
            known = f"; {_ELSEWHERE[kind]}" if why.elsewhere and kind in _ELSEWHERE else ""
            return f"{said}: {values}{more}{known}"


def _new_app(found: Unusual, why: Why) -> str:
    if found.operation == "device-code-sign-in":
        return "first sign-in of a user to this application by device code, which signs in the program that asked for the code"
    if why.kind is Kind.NEW_OPERATION:
        return "never seen in the baseline" + (" for this target" if found.target not in (ANY, PRIVILEGED, *_CONSENTED) else "")
    if found.app_id == NOBODY:
        return "the log names no application, and always named one before"
    if found.app_name:
        return "first time that this application did this here; it is Microsoft's own, which a forged token can name as well"
    if why.elsewhere:
        return "first time that this application did this here; it is known to do it to other targets"
    return "first time that this application did this"


def _much(why: Why) -> str:
    several_days = why.kind is Kind.MAILBOXES_FROM_NETWORK and why.days > 1
    mailboxes = f"read {plural(why.count, 'mailbox', 'mailboxes')}{'' if several_days else ' in one day'}"
    if why.kind is Kind.MANY_IN_AN_HOUR:
        return f"{plural(why.count, 'call')} in one hour; the maximum in the baseline is {why.usual:,}"
    if why.kind is Kind.MANY_MAILBOXES:
        return f"{mailboxes}; the maximum in the baseline is {why.usual:,}"
    values = ", ".join(map(one_line, why.values))
    if why.kind is Kind.MAILBOX_OFTEN:
        box = f"the mailbox {values}" if len(why.values) == 1 else f"one of the mailboxes {values}"
        return f"read {box} {plural(why.count, 'time')} in one day; the maximum in the baseline is {why.usual:,}"
    if why.kind is Kind.MANY_NETWORKS:
        said = f"read mail from {plural(why.count, 'new network')} in one day, such as {values}"
        return f"{said}; in the baseline at most {why.usual:,} came on one day"
    if why.kind is Kind.USERS_FROM_NETWORK:
        mailboxes = f"{plural(why.count, 'user')} signed in on one day"
    word, what = ("with", "program") if why.kind is Kind.MAILBOXES_WITH_PROGRAM else ("from", "network")
    usual = (
        f"usual for a new {what} is at most {why.usual:,}{' on one day' * several_days}"
        if why.usual
        else f"a new {what} is unusual here"
    )
    return f"{mailboxes} {word} a new {what}: {values}; {usual}"


def extent(why: Why) -> str:
    """How often, and when."""
    refused = f", {'all' if why.refused == why.uses else f'{why.refused:,}'} refused" if why.refused else ""
    first, last = iso_date(why.first_on), iso_date(why.last_on)
    when = f"on {first}" if first == last else f"on {plural(why.days, 'day')}, {first} to {last}"
    return f"{plural(why.uses, 'use')}{refused} {when}"
