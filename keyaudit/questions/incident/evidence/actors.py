"""Follows the actors of a key through the logs: forward to what they did, and back to who gave them the credential."""

# ruff: noqa: S608 - every name in this SQL is declared in this program; ids are parameters

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import duckdb
from msgspec import Struct, field, structs

from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.usage import Window
from keyaudit.questions.incident.answer import Act, Link
from keyaudit.questions.incident.evidence.acts import FOLLOWED, acts, unknown_marks

_DEEPEST = 10
"""How many times the chain is followed."""
_MARKS = {Link.NETWORK: ("network", "came from network"), Link.CLIENT: ("client", "used the program")}
"""The column of `usage`, and the words."""
_FREE = "id NOT IN (SELECT id FROM taken)"

Who = tuple[str, str]
"""The application and the principal by which an actor is followed; one of them may be empty."""


class Why(Struct, frozen=True):
    """Why acts belong to the key: in words, with the id of the other actor that these mention."""

    link: Link
    because: str = ""
    mentioned: Sequence[str] = ()


def followed(
    connection: duckdb.DuckDBPyConnection,
    subject: tuple[str, Mapping[str, Any]],
    window: Window,
    uses: Sequence[Act],
    *,
    apps: Mapping[str, str],
    changes: tuple[str, Mapping[str, Any]],
    held: bool,
) -> list[Act]:
    """The acts of the key's users outside the baseline, and of those who belong to them, in the order of their first act.

    With a baseline these are also the acts of `apps`, the applications that have the key, each with the reason in words, and of
    those who made one of the `changes`, an SQL condition on `usage` with its parameters, outside the baseline.
    Others belong by a credential that one added and the other signed in with, or by a network or program that the baseline does
    not know. Without a baseline nothing is followed by these two, since everybody may use them. `subject`: the SQL condition on
    `usage` of the key's own uses, with its parameters.
    """
    following = _Following(connection, subject, window, held)
    for act in uses:
        if not held or act.outside:
            following.actors.setdefault(who(act), Why(Link.KEY))
    following.found += uses
    if held:
        for app, because in apps.items():
            following.acts_as(app, because)
        following.changed(*changes)
    for _ in range(_DEEPEST):
        # A shared network says less than a credential, so it is looked at last.
        if not following.actors_and_credentials() and not following.networks_and_programs():
            break
    return sorted(following.found[len(uses) :], key=lambda act: (act.first_on, act.operation, act.target))


def who(act: Act) -> Who:
    """The id by which an actor is followed: the application, or the principal for Microsoft's programs and without an
    application.
    """
    app, principal = act.actor.app_id or "", act.actor.principal_id or ""
    return ("", principal) if principal and (not app or app in FIRST_PARTY) else (app, "")


class _Following(Struct):
    connection: duckdb.DuckDBPyConnection
    subject: tuple[str, Mapping[str, Any]]
    window: Window
    held: bool
    actors: dict[Who, Why] = field(default_factory=dict)
    """Those to follow, and why."""
    found: list[Act] = field(default_factory=list)
    done: set[tuple[str, ...]] = field(default_factory=set)

    def acts_as(self, app: str, because: str) -> None:
        """Takes what was done in the name of an application that has the key. Microsoft's own come from new networks daily."""
        kinds = [kind for kind in FOLLOWED if kind != "new-network" or app not in FIRST_PARTY]
        self._take("actor_app_id = $app", {"app": app}, Why(Link.KEY, because), kinds)

    def changed(self, condition: str, values: Mapping[str, Any]) -> None:
        """Takes the changes of the subject's credentials and federation, and follows who made them."""
        for act in self._take(condition, values, Why(Link.CAUSE, "changed its credentials or its federation")):
            self.actors.setdefault(who(act), Why(Link.CAUSE, "changed its credentials or its federation"))

    def actors_and_credentials(self) -> bool:
        """Follows the actors known so far, and their credentials. Returns whether there was anything new."""
        before = len(self.done)
        for each, why in list(self.actors.items()):
            if any(each) and self._new("actor", *each):
                app, principal = each
                condition = "(actor_app_id = $app OR $app = '') AND (principal_id = $principal OR $principal = '')"
                self._take(condition, {"app": app, "principal": principal}, why)
        self._to_their_credentials()
        if self.held:
            self._back_to_the_cause()
        return len(self.done) > before

    def networks_and_programs(self) -> bool:
        """Takes what came from their networks, or was done with their programs. Returns whether there was anything new."""
        if not self.held:
            return False
        before = len(self.done)
        for link, class_, whose, values in list(unknown_marks(self.connection, self.window)):
            if self._new(link, class_):
                column, verb = _MARKS[link]
                why = Why(link, f"{verb} {class_}, as {whose} did", (whose,))
                self._take(f"list_contains($values, {column})", {"values": values}, why)
        self._to_their_credentials()
        return len(self.done) > before

    def _new(self, *what: str) -> bool:
        known = what in self.done
        self.done.add(what)
        return not known

    def _take(self, condition: str, values: Mapping[str, Any], why: Why, kinds: Collection[str] = FOLLOWED) -> list[Act]:
        """The acts outside the baseline that meet the condition, and are no uses of the key."""
        of_subject, own = self.subject
        condition = f"{condition} AND {_FREE} AND NOT {of_subject}"
        given = {**own, **values}
        found = acts(
            self.connection, self.window, condition, given, held=self.held, kinds=kinds, strange=True, **structs.asdict(why)
        )
        found = [act for act in found if not self.held or act.outside]
        self.found += found
        return found

    def _to_their_credentials(self) -> None:
        """Follow applications that signed in with a credential that one of them added."""
        added = {act.credential: act for act in self.found if act.operation == "add-credential" and act.credential}
        for app, credential in self._signed_in_with(added):
            by = who(added[credential])
            because = f"signed in with credential {credential}, which {by[0] or by[1]} added"
            self.actors.setdefault((app, ""), Why(Link.CREDENTIAL, because, by))

    def _back_to_the_cause(self) -> None:
        """Follow those who added a credential that one of them signed in with, if adding it is outside the baseline."""
        signed_in = [act for act in self.found if act.operation == "sign-in" and act.credential]
        for act in signed_in:
            if self._new("cause", act.credential or ""):
                user = act.actor.app_id or act.actor.principal_id or "somebody"
                why = Why(Link.CAUSE, f"added credential {act.credential}, with which {user} signed in", (user,))
                condition = "operation = 'add-credential' AND credential_key_id = $added"
                for cause in self._take(condition, {"added": act.credential}, why):
                    self.actors.setdefault(who(cause), why)

    def _signed_in_with(self, credentials: Iterable[str]) -> Iterator[tuple[str, str]]:
        query = f"""
            SELECT DISTINCT actor_app_id, credential_key_id FROM usage
            WHERE operation = 'sign-in' AND list_contains($credentials, credential_key_id) AND actor_app_id IS NOT NULL
                AND used_on >= {self.window.since} AND used_on < {self.window.until} ORDER BY ALL"""
        found = self.connection.execute(query, {"credentials": sorted(credentials)}).fetchall()
        yield from ((app, credential) for app, credential in found)
