"""Every fault that is tried: what stands in the way of one operation, everywhere, at one address, or in one item."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from msgspec import Struct
from multidict import CIMultiDict

from keyaudit.cloud.clients import Answer
from keyaudit.model.operations import OPERATIONS, Paging, Surface
from keyaudit.model.operations.kinds import TOGETHER
from tests.collect.refusals import BY_ITSELF
from tests.sweep import copies, members
from tests.sweep.envelopes import COUNTS, ENVELOPES, emptied
from tests.sweep.members import ANY
from tests.sweep.others import instead, is_another
from tests.sweep.tenant import Call
from tests.sweep.twice import PAIRS, all_twice, twice

Answering = Callable[[Call], Answer]
Effect = Callable[[Call, Answering, int], Answer]
"""Given the call, what answers it, and how often this address was asked before."""

LEFT_OUT = copies.LEFT_OUT
OLDER = "another version's answer"
ANOTHERS = "another's answer"
"""The kind of an answer about another object than the one asked for."""

TYPE = "type"
"""The kind that comes first of a member's: by it shows whether anybody reads the member."""

_AT_MOST = 2
"""Items that are struck one by one for one member; then all of them at once."""

_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Its operation and its name say all of it, so that it can be tried again by itself."""

    operation: str
    name: str
    kind: str
    """Its name without what it is about: faults of one kind are one line of the table."""
    at: Call | None
    """The one address that it is at; None for every address of the operation."""
    effect: Effect = field(compare=False, repr=False)
    about: tuple[str, ...] = ()
    """The name of the one object that it affects, in lower case; empty if it affects several."""
    member: str = ""
    everywhere: bool = False
    """It strikes all members of that name."""
    also: tuple[str, ...] = ()
    """Operations that it strikes as well."""
    elsewhere: bool = False
    """It strikes every operation, its own in another way than the others."""
    moment: str = ""
    """The name of the change that some of the answers are from before (`moments`)."""

    @property
    def single(self) -> bool:
        """Whether it strikes one object, so that nothing else may suffer."""
        return bool(self.about)

    def strikes(self, call: Call) -> bool:
        """Whether it strikes that request."""
        if self.elsewhere:
            # The parts of a batch are struck by themselves.
            return call.operation != "graph.batch"
        return call.operation in (self.operation, *self.also) and self.at in (None, call)

    @property
    def again(self) -> str:
        """How to try it again."""
        return f"--operation {self.operation} --fault '{self.name}'"


class Meddling:
    """Puts faults between the gateway and the tenant, for one run.

    Where a query is struck that is only sent by itself if that for several is refused, that one is.
    """

    def __init__(self, *faults: Fault) -> None:
        self._faults = faults
        self._struck = {operation for fault in faults for operation in (fault.operation, *fault.also)}
        self._asked: dict[Call, int] = defaultdict(int)
        self.struck = 0

    def __call__(self, call: Call, true: Answering) -> Answer:
        """What comes back."""
        if call.operation == TOGETHER and not BY_ITSELF.isdisjoint(self._struck):
            return REFUSED.effect(call, true, 0)
        for fault in self._faults:
            if fault.strikes(call):
                self.struck += 1
                self._asked[call] += 1
                return fault.effect(call, true, self._asked[call] - 1)
        return true(call)


Fails = Callable[[Sequence[str]], frozenset[str]]
"""The policies that fail for something called so, or for what names it."""


def all_faults(calls: Mapping[Call, Answer], fails: Fails) -> list[Fault]:
    """Every fault of every operation that was asked, ordered by operation, what is struck, and kind.

    Of several addresses or items that could be struck, those are that policies fail for, since a fail that turns into a pass
    is the worst that can happen: the one with most of them, and for members and items as many more as bring in others.
    """
    by_operation: dict[str, dict[Call, Answer]] = defaultdict(dict)
    for call, answer in calls.items():
        by_operation[call.operation][call] = answer
    found: list[Fault] = []
    for operation in sorted(by_operation):
        found += _of_operation(operation, by_operation[operation], fails)
    return found


def _of_operation(operation: str, calls: Mapping[Call, Answer], fails: Fails) -> Iterator[Fault]:
    addresses = sorted(call for call, answer in calls.items() if answer.status == 200)
    if not addresses:
        return
    heaviest = max(addresses, key=lambda call: (len(fails(_named(call, calls[call]))), _depth(call), _size(calls[call])))
    for kind, effect in _answers(operation):
        yield Fault(operation, kind, kind, None, effect)
        if len(addresses) > 1:
            yield Fault(operation, f"{kind} at one", kind, heaviest, effect, _named(heaviest, calls[heaviest]))
    if operation == "graph.batch":
        yield from _of_batch(heaviest, calls[heaviest])
        return
    yield from _of_members(operation, {call: calls[call] for call in addresses}, fails)
    yield from _of_others(operation, {call: calls[call] for call in addresses}, heaviest, fails)
    yield from _of_items(operation, {call: calls[call] for call in addresses}, fails)
    yield from _of_copies(operation, {call: calls[call] for call in addresses}, fails)


REFUSED = Fault(
    TOGETHER, "400", "400", None, lambda call, true, before: Answer(400, CIMultiDict(), b'{"error": {"code": "BadRequest"}}')
)


def _of_others(operation: str, calls: Mapping[Call, Answer], struck: Call, fails: Fails) -> Iterator[Fault]:
    """The whole answer about another object: the longest one, and the one that fewest policies fail for."""
    about = _named(struck, calls[struck])
    yield from _of_older(operation, calls, fails)
    others = [call for call in sorted(calls) if is_another(call, struck) and not _is_empty(calls[call])]
    if not others:
        return
    longest = max(others, key=lambda call: _size(calls[call]))
    best = min(others, key=lambda call: (len(fails(_named(call, calls[call]))), -_size(calls[call])))
    for number, other in enumerate(dict.fromkeys((longest, best)), 1):
        name = ANOTHERS if number == 1 else f"{ANOTHERS} #{number}"
        yield Fault(operation, name, ANOTHERS, struck, instead(other), about)
        yield Fault(operation, f"{name} everywhere", ANOTHERS, None, instead(other))


def _of_older(operation: str, calls: Mapping[Call, Answer], fails: Fails) -> Iterator[Fault]:
    """What a cache may have kept from before a rotation: another version's answer in place of the current one."""
    current = {call.url.partition("?")[0]: call for call in calls if call.url.partition("?")[0].endswith("/")}
    pairs = [
        (current[at], other)
        for other in sorted(calls)
        if (at := f"{other.url.partition('?')[0].rpartition('/')[0]}/") in current and other != current[at]
    ]
    if pairs:
        struck, other = max(pairs, key=lambda pair: len(fails(_named(pair[0], calls[pair[0]]))))
        about = _named(struck, calls[struck])
        yield Fault(operation, OLDER, OLDER, struck, lambda call, true, before: true(other), about)


def _is_empty(answer: Answer) -> bool:
    """Whether it is a list that names nothing, because nothing is in it."""
    return not members.items(members.decoded(answer.body))


def _depth(call: Call) -> int:
    """A version's address is deeper than that of the key, which is asked for only to learn which version is in use."""
    return call.url.partition("?")[0].rstrip("/").count("/")


def _size(answer: Answer) -> int:
    return len(answer.body)


def _named(call: Call, answer: Answer) -> tuple[str, ...]:
    """The name of the object in an address: its vault, key, group or resource."""
    host, _, path = call.url.removeprefix("https://").partition("?")[0].partition("/")
    parts = path.split("/")
    if ".vault." in host or ".managedhsm." in host:
        thing = "/".join(parts[:2]) if len(parts) > 1 and parts[1] else ""
        name = host.partition(".")[0]
        return (
            (f"https://{host}/{thing}".lower(),) if thing else (f"https://{host}/", f"/vaults/{name}", f"/managedhsms/{name}")
        )
    if path.lower().startswith("subscriptions/"):
        return (f"/{path}".lower().partition("/providers/microsoft.insights")[0],) if len(parts) > 4 else (f"/{path}".lower(),)
    guids = [part.lower() for part in parts if members.GUID.fullmatch(part)]
    return tuple(guids) or tuple(part.lower() for part in parts[-2:-1])


# What comes back in place of an answer ------------------------------------------------------------------------------------


def _error(status: int, body: object, headers: Mapping[str, str] | None = None) -> Effect:
    given = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status, CIMultiDict({"Content-Type": _JSON, **(headers or {})}), given)
    return lambda call, true, before: answer


def _code(code: str, inner: str = "", message: str = "no") -> dict[str, object]:
    error: dict[str, object] = {"code": code, "message": message}
    if inner:
        error["innererror"] = {"code": inner}
    return {"error": error}


_FORBIDDEN: Mapping[Surface, Mapping[str, object]] = {
    Surface.ARM: {"403": _code("AuthorizationFailed")},
    Surface.GRAPH: {
        "403": _code("Authorization_RequestDenied"),
        "403 licence": _code("Authentication_RequestFromNonPremiumTenantOrB2CTenant"),
    },
    Surface.VAULT: {
        "403": _code("Forbidden", "ForbiddenByRbac"),
        "403 policy": _code("Forbidden", "ForbiddenByPolicy"),
        "403 firewall": _code("Forbidden", "ForbiddenByFirewall"),
        "403 private": _code("Forbidden", "ForbiddenByConnection"),
    },
    Surface.MANAGED_HSM: {"403": _code("AccessDenied", message="Not authorized to access x on /keys (Activity ID: y)")},
    Surface.LOGIN: {},
    Surface.LOGS: {"403": _code("InsufficientAccessError")},
}
"""As the services answer: see `../../recorded` of the design, and azure.md."""


def _dropped(call: Call, true: Answering, before: int) -> Answer:
    raise aiohttp.ServerDisconnectedError


def _cut(call: Call, true: Answering, before: int) -> Answer:
    raise aiohttp.ClientPayloadError("Response payload is not completed")


def _once(effect: Effect) -> Effect:
    return lambda call, true, before: true(call) if before else effect(call, true, before)


def _edited(edit: Callable[[Any, Call], Any]) -> Effect:
    def effect(call: Call, true: Answering, before: int) -> Answer:
        answer = true(call)
        body = members.decoded(answer.body)
        if answer.status != 200 or body is None:
            return answer
        return Answer(answer.status, answer.headers, json.dumps(edit(body, call)).encode())

    return effect


def _answers(operation: str) -> Iterator[tuple[str, Effect]]:
    declared = OPERATIONS[operation]
    unavailable = _error(500, _code("InternalServerError"))
    yield "401", _error(401, _code("InvalidAuthenticationToken"))
    for kind, body in _FORBIDDEN[declared.surface].items():
        yield kind, _error(403, body)
    yield "403 odd", _error(403, _code("SomethingNew", "AndInner"))
    yield "404", _error(404, _code("ResourceNotFound"))
    yield "429", _error(429, _code("TooManyRequests"))
    yield "500", unavailable
    yield "500 once", _once(unavailable)
    yield "dropped", _dropped
    yield "dropped once", _once(_dropped)
    yield "cut", _cut
    yield "200 error", _error(200, _code("ServiceUnavailable"))
    yield "200 empty object", _error(200, {})
    yield "200 no JSON", _error(200, b"{")
    yield "html", _error(200, b"<html><body>Sign in</body></html>", {"Content-Type": "text/html"})
    if declared.paging is Paging.NONE:
        return
    yield "empty list", _edited(lambda body, call: emptied(body))
    for kind, edit in ENVELOPES.items():
        yield kind, _edited(_of_list(edit))
    yield "page loop", _edited(lambda body, call: _linked(body, call, call.url))
    if declared.paging is not Paging.RESOURCE_GRAPH:
        yield "foreign link", _edited(lambda body, call: _linked(body, call, "https://elsewhere.example/next"))
    yield "copy in place of an item", _edited(_of_list(_copied))
    yield "second page repeats the first", _in_two(_repeats, declared.paging)
    yield "item moved between pages", _in_two(_moved, declared.paging)
    yield "second page refused", _second(_error(403, next(iter(_FORBIDDEN[declared.surface].values()))), declared.paging)


def _of_list(edit: Callable[[Any], Any]) -> Callable[[Any, Call], Any]:
    """The edit of a list; what is no list stays as it is."""
    return lambda body, call: edit(body) if members.is_list(body) else body


def _linked(body: Any, call: Call, link: str) -> Any:
    if not isinstance(body, dict):
        return body
    if "totalRecords" in body:
        return {**body, "$skipToken": "again"}
    return {**body, ("@odata.nextLink" if "@odata.context" in body else "nextLink"): link}


_SECOND = "$skiptoken=sweep-second"


def _second(refused: Effect, paging: Paging) -> Effect:
    """A list whose second half fails. If it has one item, that item is returned, and the empty second page fails."""

    def effect(call: Call, true: Answering, before: int) -> Answer:
        if _first(call) != call:
            return refused(call, true, before)
        return _page(call, true, paging, lambda first, second: first)

    return effect


def _in_two(second_page: Callable[[list[Any], list[Any], int], list[Any]], paging: Paging) -> Effect:
    """A list in two pages. `second_page` is given what belongs on each, and how often the second was asked for before."""

    def effect(call: Call, true: Answering, before: int) -> Answer:
        if _first(call) == call:
            return _page(call, true, paging, lambda first, second: first)
        return _page(_first(call), true, paging, lambda first, second: second_page(first, second, before), last=True)

    return effect


def _first(call: Call) -> Call:
    """The request for the first page of the same list."""
    url = call.url.removesuffix(f"?{_SECOND}").removesuffix(f"&{_SECOND}")
    if b"sweep-second" not in call.body:
        return Call(call.operation, url, call.body)
    body = json.loads(call.body)
    del body["options"]["$skipToken"]
    return Call(call.operation, url, json.dumps(body).encode())


def _page(
    call: Call,
    true: Answering,
    paging: Paging,
    items: Callable[[list[Any], list[Any]], list[Any]],
    *,
    last: bool = False,
) -> Answer:
    """One of two pages with the `items` that are chosen of both halves."""
    answer = true(call)
    body = members.decoded(answer.body)
    if answer.status != 200 or not members.is_list(body):
        return answer
    name, _ = members.place(body, 0)
    middle = len(body[name]) // 2
    chosen = items(body[name][:middle], body[name][middle:])
    body = {**body, name: chosen}
    if paging is Paging.RESOURCE_GRAPH:
        body |= {"count": len(chosen), "$skipToken": None if last else "sweep-second"}
    elif not last:
        link = f"{call.url}{'&' if '?' in call.url else '?'}{_SECOND}"
        body["@odata.nextLink" if paging is Paging.ODATA else "nextLink"] = link
    return Answer(200, answer.headers, json.dumps(body).encode())


def _repeats(first: list[Any], second: list[Any], before: int) -> list[Any]:
    return first or second


def _moved(first: list[Any], second: list[Any], before: int) -> list[Any]:
    """An item of the second page moved to the first after that was read, and another one from there to the second."""
    return second if before or not first else [first[-1], *second[1:]]


def _copied(body: Any) -> Any:
    """A list that announces how many items it has, with a copy of the first in place of the last."""
    if not any(isinstance(body.get(count), int) for count in COUNTS):
        return body
    name, found = members.place(body, 0)[0], members.items(body)
    return {**body, name: [*found[:-1], *found[:1]]}


# Members and items --------------------------------------------------------------------------------------------------------


class _Struck(Struct, frozen=True):
    """What could be struck, and the policies that fail for it."""

    fails: frozenset[str]
    call: Call
    path: members.Path
    about: tuple[str, ...]
    value: Any


def _covering(candidates: Sequence[_Struck]) -> Iterator[_Struck]:
    """The one that most policies fail for, and then those that bring in most others."""
    left, seen = list(candidates), frozenset[str]()
    for number in range(_AT_MOST):
        best = max(left, key=lambda struck: len(struck.fails - seen))
        if number and best.fails <= seen:
            return
        seen |= best.fails
        yield best


def _members_of(calls: Mapping[Call, Answer], fails: Fails) -> dict[str, list[_Struck]]:
    found: dict[str, list[_Struck]] = defaultdict(list)
    for call, answer in calls.items():
        body = members.decoded(answer.body)
        if not isinstance(body, dict):
            continue
        for member in members.members(body):
            about = members.identities(body, member.path) or _named(call, answer)
            found[member.shown].append(_Struck(fails(about), call, member.path, about, members.at(body, member.path)))
    return found


def _replaced(path: members.Path, make: Callable[[Any], Any]) -> Callable[[Any, Call], Any]:
    """The body with `make` of what is at the path there."""

    def edit(body: Any, call: Call) -> Any:
        copy = json.loads(json.dumps(body))
        for holder in members.holders(copy, path[:-1]):
            last = str(path[-1])
            made = make(holder[last]) if last in holder and holder[last] is not None else ...
            if made is members.LEFT_OUT:
                del holder[last]
            elif made is not Ellipsis:
                holder[last] = made
        return copy

    return edit


def _of_members(operation: str, calls: Mapping[Call, Answer], fails: Fails) -> Iterator[Fault]:
    """Every member: first all of that name at once, then those of single objects."""
    for shown, candidates in sorted(_members_of(calls, fails).items()):
        path = candidates[0].path
        for kind, make in _ways(str(path[-1])) if len(candidates) > 1 else ():
            if any(make(each.value) is not Ellipsis for each in candidates):
                effect = _edited(_replaced(tuple(ANY if isinstance(step, int) else step for step in path), make))
                yield Fault(operation, f"{kind} {shown} everywhere", kind, None, effect, (), shown, everywhere=True)
        for number, struck in enumerate(_covering(candidates), 1):
            about = () if shown.startswith("$") else struck.about
            for kind, make in _ways(str(struck.path[-1])):
                if (number == 1 or kind != TYPE) and make(struck.value) is not Ellipsis:
                    name = f"{kind} {shown}" if number == 1 else f"{kind} {shown} #{number}"
                    effect = _edited(_replaced(struck.path, make))
                    yield Fault(operation, name, kind, struck.call, effect, about, shown, everywhere=len(candidates) == 1)


def _ways(name: str) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """What may stand in a member's place; Ellipsis: it stays as it is."""
    yield TYPE, members.other_type
    yield "null", lambda _: None
    yield "missing", lambda _: members.LEFT_OUT
    yield "absurd", lambda value: members.absurd(name, value)
    yield "padded", lambda value: f" {value} " if members.is_text(name, value) else ...
    yield "full-width id", members.full_width
    yield "word replaced", lambda value: members.with_words(name, value, members.absurd_word, most=1)
    yield "words replaced", lambda value: members.with_words(name, value, members.absurd_word)
    yield "words in capitals", lambda value: members.with_words(name, value, str.upper)
    yield "words left out", lambda value: [] if members.is_words(value) else ...


def _of_items(operation: str, calls: Mapping[Call, Answer], fails: Fails) -> Iterator[Fault]:
    """One item that comes twice."""
    candidates: list[_Struck] = []
    for call, answer in calls.items():
        body = members.decoded(answer.body)
        if not members.is_list(body):
            continue
        for number, item in enumerate(members.items(body)):
            if isinstance(item, dict):
                path = members.place(body, number)
                about = members.identities(body, (*path, "")) or _named(call, answer)
                candidates.append(_Struck(fails(about), call, path, about, item))
    for number, struck in enumerate(_covering(candidates) if candidates else (), 1):
        for kind, pairs in PAIRS.items():
            name = kind if number == 1 else f"{kind} #{number}"
            effect = _edited(twice(struck.path, pairs))
            yield Fault(operation, name, kind, struck.call, effect, struck.about)
    if len(candidates) > 1:
        for kind, pairs in PAIRS.items():
            yield Fault(operation, f"{kind}, everywhere", kind, None, _edited(all_twice(pairs)))


def _of_batch(call: Call, answer: Answer) -> Iterator[Fault]:
    """Each request of a batch that the answer leaves out, and the first of every batch, also when it is asked for again."""
    first = _edited(copies.without(("responses", 0)))
    yield Fault(call.operation, f"{LEFT_OUT} everywhere", LEFT_OUT, None, first)
    for number in range(len(members.decoded(answer.body)["responses"])):
        effect = _edited(copies.without(("responses", number)))
        yield Fault(call.operation, f"{LEFT_OUT} #{number + 1}", LEFT_OUT, call, effect)


def _of_copies(operation: str, calls: Mapping[Call, Answer], fails: Fails) -> Iterator[Fault]:
    """One object that another copy contradicts, and one that a look-up leaves out."""
    candidates: dict[str, list[_Struck]] = defaultdict(list)
    bodies = {call: members.decoded(answer.body) for call, answer in calls.items()}
    for lie in copies.lies(operation, bodies):
        candidates[lie.name].append(_Struck(fails(lie.about), lie.call, lie.path, lie.about, lie))
    for name, of_name in sorted(candidates.items()):
        kind = LEFT_OUT if name == LEFT_OUT else "says otherwise"
        # Every id of a look-up, because each is asked for by itself.
        chosen = of_name if operation in copies.LOOK_UPS else _covering(of_name)
        for number, struck in enumerate(chosen, 1):
            shown = name if number == 1 else f"{name} #{number}"
            at = None if struck.value.anywhere else struck.call
            yield Fault(operation, shown, kind, at, _edited(struck.value.edit), struck.about)
