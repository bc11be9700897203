"""The columns of a key's rotation policy. Key Vault and ARM send the same form, in different case."""

from collections.abc import Iterator

from msgspec import UNSET, Raw, Struct, UnsetType

from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import parse_duration

ROTATION = ("auto_rotates", "rotates_after", "rotates_before_expiry", "rotation_expiry")
_EXPIRIES = ("rotation_expiry", "expires_on")
_KNOWN = frozenset({"rotate", "notify"})
_ACTIONS = ("auto_rotates", "rotates_after", "rotates_before_expiry")


class Lifetime(Struct, rename="camel"):
    """The attributes of a rotation policy."""

    expiry_time: Wire = UNSET


class RotationPolicy(Struct, rename="camel"):
    """A rotation policy. The default one has one Notify action and null attributes."""

    lifetime_actions: Wire = UNSET
    attributes: Wire = UNSET


BY_HAND = RotationPolicy(lifetime_actions=Raw(b"[]"), attributes=Raw(b"null"))
"""Stands for the policy of an external key, which has none: the service has no automatic rotation for it.

https://learn.microsoft.com/azure/key-vault/managed-hsm/external-key-management-key-lifecycle
"""


class _Trigger(Struct, rename="camel"):
    time_after_create: Wire = UNSET
    time_before_expiry: Wire = UNSET


class _ActionType(Struct):
    type: str


class _Action(Struct):
    action: _ActionType
    trigger: _Trigger


def put_rotation(row: Row, policy: RotationPolicy) -> None:
    """Fill the rotation columns. `expires_on` must be filled before, because rotation before expiry needs it."""
    _put_expiry(row, policy.attributes)
    actions = [] if is_null(policy.lifetime_actions) else read(policy.lifetime_actions, list[_Action])
    if isinstance(actions, Refusal):
        row.refuse(_ACTIONS, actions.reason)
        return
    if not all(action.action.type.lower() in _KNOWN for action in actions):
        # The effect of an unknown action on the key is not known.
        row.refuse(_ACTIONS, Reason.UNRECOGNISED)
        return
    rotate = [action.trigger for action in actions if action.action.type.lower() == "rotate"]
    if not all(_is_set(trigger.time_after_create) or _is_set(trigger.time_before_expiry) for trigger in rotate):
        row.refuse(_ACTIONS, Reason.BAD_BODY)
        return
    _put_soonest(row, "rotates_after", [trigger.time_after_create for trigger in rotate], last=False)
    _put_soonest(row, "rotates_before_expiry", [trigger.time_before_expiry for trigger in rotate], last=True)
    _put_auto_rotates(row)


def no_rotation(row: Row) -> None:
    """Fill the rotation columns of a certificate's key, which has no rotation policy."""
    row.clear(ROTATION)


def _put_expiry(row: Row, raw: Wire) -> None:
    if is_null(raw):
        row.put("rotation_expiry", None)
        return
    attributes = read(raw, Lifetime)
    if isinstance(attributes, Refusal):
        row.refuse(("rotation_expiry",), attributes.reason)
    else:
        # Left out, not null, if it was never set.
        left_out = isinstance(attributes.expiry_time, UnsetType)
        row.put("rotation_expiry", None if left_out else attributes.expiry_time)


def _put_soonest(row: Row, column: str, triggers: list[Wire], *, last: bool) -> None:
    """Fill the earliest of several triggers: the shortest age, the longest time before expiry."""
    try:
        periods = sorted(_periods(triggers))
    except ValueError:
        row.refuse((column,), Reason.BAD_VALUE)
        return
    row.put(column, (periods[-1] if last else periods[0]) if periods else None)


def _periods(triggers: list[Wire]) -> Iterator[int]:
    for trigger in triggers:
        if _is_set(trigger):
            text = read(trigger, str)
            if isinstance(text, Refusal):
                raise ValueError
            yield parse_duration(text)


def _is_set(trigger: Wire) -> bool:
    return isinstance(trigger, Raw) and not is_null(trigger)


def _put_auto_rotates(row: Row) -> None:
    """True if proven; false only if no unknown value could make it true."""
    values, unknown = row.values, row.unknown
    before_expiry = values.get("rotates_before_expiry") is not None
    expires = any(values.get(name) is not None for name in _EXPIRIES)
    if values.get("rotates_after") is not None or (before_expiry and expires):
        row.put("auto_rotates", True)
        return
    doubtful = ("rotates_after", "rotates_before_expiry", *(_EXPIRIES if before_expiry else ()))
    reason = next((unknown[name] for name in doubtful if name in unknown), None)
    if reason is None:
        row.put("auto_rotates", False)
    else:
        row.refuse(("auto_rotates",), reason)
