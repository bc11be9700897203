"""Reads one setting that names a key or secret, as its kind of consumer is declared."""

import re
from collections.abc import Iterator, Sequence

from msgspec import Raw, Struct

from keyaudit.cloud.environment import Environment
from keyaudit.collect.services.items import UNREADABLE, flag, member, text
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.collect.x509 import read_leaf
from keyaudit.model.consumers import KEY, Consumer
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

_HOST, _NAME, _VERSION = r"([a-z0-9.-]{1,253})", r"([a-z0-9-]{1,127})", r"(?:/([a-z0-9]{1,64}))?/?"
_URLS = {
    True: re.compile(rf"https://{_HOST}(?::443)?/keys/{_NAME}{_VERSION}", re.ASCII),
    False: re.compile(rf"https://{_HOST}(?::443)?/(?:secrets|certificates)/{_NAME}{_VERSION}", re.ASCII),
}
_RESOURCE = re.compile(
    rf"/.+/providers/microsoft\.keyvault/vaults/([a-z0-9-]{{1,24}})(?:/(?:secrets|certificates)/{_NAME})?{_VERSION}", re.ASCII
)
_VAULT = re.compile(rf"(?:https://{_HOST}(?::443)?/?|([a-z0-9-]{{1,24}}))", re.ASCII)
_WORD = re.compile(r"[a-z0-9-]{1,127}", re.ASCII)
VERSION = re.compile(r"[0-9a-f]{32}", re.ASCII)
"""A version of an object in a vault: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates"""
_SHA1 = re.compile(r"[0-9A-F]{40}", re.ASCII)
_UNNAMED = Refusal(Reason.BAD_BODY, "something in a vault, and no name of it")


class Object(Struct, frozen=True):
    """A key or secret of the vault at `host`, possibly with a version; all in lower case."""

    host: str
    name: str
    version: str | None


class NamingSetting(Struct, frozen=True, kw_only=True):
    """One setting, with the values of the columns of the same names."""

    of: Object | Refusal
    pinned: bool | Refusal
    version_in_use: str | Refusal | None
    thumbprint_in_use: str | Refusal | None
    status: str | Refusal | None
    broken: bool | Refusal | None

    @property
    def named(self) -> str:
        """What distinguishes it among the settings of its resource."""
        return "unread" if isinstance(self.of, Refusal) else f"{self.of.host}/{self.of.name}"


def settings(declared: Consumer, found: Wire, path: str, environment: Environment) -> Iterator[NamingSetting]:
    """The settings of a kind at a path of what was found that name something in a vault."""
    tokens = [token for token in path.replace("[]", ".[]").split(".") if token]
    if declared.always and is_null(member(found, *tokens)):
        found, tokens = UNREADABLE, []
    for raw in _at(found, tokens):
        of = _reported(declared, raw, _object(declared, raw, environment))
        if of is not None:
            yield _setting(declared, raw, of)


def _at(raw: Wire, path: Sequence[str], *, listed: bool = False) -> Iterator[Wire]:
    """Everything at a path, in order, where [] is each item of a list. Where a value on the way is null there is nothing, but
    inside an item of a list (`listed`) null cannot be read.
    """
    if is_null(raw):
        yield from [UNREADABLE] * listed
        return
    if not path:
        yield raw
    elif path[0] == "[]":
        items = read(raw, list[Raw])
        for item in [UNREADABLE] if isinstance(items, Refusal) else items:
            yield from _at(item, path[1:], listed=True)
    else:
        yield from _at(member(raw, path[0]), path[1:], listed=listed)


def _object(declared: Consumer, raw: Wire, environment: Environment) -> Object | Refusal | None:
    """What a setting names; None if it names nothing in a vault."""
    of_key = declared.names == KEY
    if not (declared.resource or declared.vault):
        url = text(raw if isinstance(read(raw, str), str) else member(raw, *declared.url.split(".")))
        if url is None or isinstance(url, Refusal):
            return url
        match = _URLS[of_key].fullmatch(url.lower())
        return Object(match[1], match[2], match[3]) if match else Refusal(Reason.BAD_VALUE)
    parts = [
        text(member(raw, *path.split("."))) if path else None
        for path in (declared.resource or declared.vault, declared.name, declared.version)
    ]
    for part in parts:
        if isinstance(part, Refusal):
            return part
    vault, name, version = (part.lower() if isinstance(part, str) else None for part in parts)
    if vault is None and name is None:
        return _UNNAMED if declared.always else None
    return _joined(declared, vault, name, version, environment) if vault else _UNNAMED


def _reported(declared: Consumer, raw: Wire, named: Object | Refusal | None) -> Object | Refusal | None:
    """The same by the service's own word, where it has one."""
    if named is None and declared.within and not is_null(member(raw, *declared.within.split("."))):
        return _UNNAMED
    says = declared.says
    word = text(member(raw, *says.member.split("."))) if says else None
    if says is None or word is None:
        return named
    if isinstance(word, Refusal):
        return word
    if word.lower() in {each.lower() for each in says.other}:
        return None
    return (named or _UNNAMED) if word.lower() in {each.lower() for each in says.vault} else Refusal(Reason.UNRECOGNISED)


def _joined(
    declared: Consumer, vault: str, name: str | None, version: str | None, environment: Environment
) -> Object | Refusal:
    match = (_RESOURCE if declared.resource else _VAULT).fullmatch(vault)
    if match is None:
        return Refusal(Reason.BAD_VALUE)
    if declared.resource:
        host, name, version = f"{match[1]}.{environment.vault_suffix}", name or match[2], version or match[3]
    else:
        host = match[1] or f"{match[2]}.{environment.vault_suffix}"
    if name is None:
        return _UNNAMED
    if not _WORD.fullmatch(name) or not _WORD.fullmatch(version or "none"):
        return Refusal(Reason.BAD_VALUE)
    return Object(host, name, version)


def _setting(declared: Consumer, raw: Wire, of: Object | Refusal) -> NamingSetting:
    def text_at(path: str) -> str | Refusal | None:
        return text(member(raw, *path.split("."))) if path else None

    pinned = _pinned(declared, raw, of)
    reported, thumbprint = text_at(declared.reports), text_at(declared.thumbprint)
    if reported is None and declared.reports_always and pinned is not True:
        reported = Refusal(Reason.BAD_BODY)
    if declared.certificate:
        encoded = text_at(declared.certificate)
        thumbprint = read_leaf(encoded) if isinstance(encoded, str) else encoded
    if isinstance(thumbprint, str):
        thumbprint = thumbprint.upper() if _SHA1.fullmatch(thumbprint.upper()) else Refusal(Reason.BAD_VALUE)
    status = text_at(declared.status.member) if declared.status else None
    if status is None and declared.status and declared.status.always:
        status = Refusal(Reason.BAD_BODY)
    return NamingSetting(
        of=of,
        pinned=pinned,
        version_in_use=_version(declared, reported) if isinstance(reported, str) else reported,
        thumbprint_in_use=thumbprint,
        status=status,
        broken=_broken(declared, status) if isinstance(status, str) else status,
    )


def _version(declared: Consumer, reported: str) -> str | Refusal | None:
    """The version in use, which services give with the whole address or alone."""
    match = _URLS[declared.names == KEY].fullmatch(reported.lower())
    if match:
        return match[3]
    return reported.lower() if VERSION.fullmatch(reported.lower()) else Refusal(Reason.BAD_VALUE)


def _pinned(declared: Consumer, raw: Wire, of: Object | Refusal) -> bool | Refusal:
    if isinstance(of, Refusal):
        return of
    follows = flag(member(raw, *declared.follows.split(".")), never_set=False) if declared.follows else False
    return follows if isinstance(follows, Refusal) else of.version is not None and not follows


def _broken(declared: Consumer, status: str) -> bool | Refusal:
    if declared.status is None:
        raise ValueError("a status without a declaration")
    for answer, words in ((True, declared.status.broken), (False, declared.status.works)):
        if status.lower() in {word.lower() for word in words}:
            return answer
    return Refusal(Reason.UNRECOGNISED)
