"""The ledger never lets an attempt go unrecorded, be recorded twice, or be closed by the wrong record."""

import pytest

from keyaudit.inventory.ledger import BreachError, Ledger
from keyaudit.model.coverage import State
from keyaudit.model.reasons import Reason
from tests.inventory.sample import KEY_OPERATIONS, TENANT, assessed, vault_scope

KV = vault_scope("kv")


def test_what_is_closed_reads_as_it_was_closed() -> None:
    ledger = Ledger()
    ledger.open(KV, KEY_OPERATIONS)
    ledger.close(KV, KEY_OPERATIONS, assessed(KV, *KEY_OPERATIONS))
    assert ledger.records() == tuple(assessed(KV, *sorted(KEY_OPERATIONS)))


def test_what_is_never_closed_reads_as_interrupted() -> None:
    ledger = Ledger()
    ledger.open(KV, KEY_OPERATIONS)
    assert [record.operation for record in ledger.records()] == sorted(KEY_OPERATIONS)
    assert {(record.state, record.reason) for record in ledger.records()} == {(State.NOT_ASSESSED, Reason.INTERRUPTED)}


def test_records_come_by_scope_and_operation_whatever_the_order_of_work() -> None:
    ledger = Ledger()
    for scope in (vault_scope("b"), TENANT, vault_scope("a")):
        ledger.open(scope, ["key.list"])
        ledger.close(scope, ["key.list"], assessed(scope, "key.list"))
    assert [record.scope.name for record in ledger.records()] == ["a", "b", "Contoso"]


def test_an_operation_that_only_then_proved_needed_is_recorded_too() -> None:
    ledger = Ledger()
    ledger.open(KV, ["key.list"])
    ledger.close(KV, ["key.list"], assessed(KV, "key.list", "arm.key.list"))
    assert [record.operation for record in ledger.records()] == ["arm.key.list", "key.list"]


def test_an_attempt_can_be_made_again_once_it_is_withdrawn() -> None:
    ledger = Ledger()
    ledger.open(KV, ["key.list"])
    ledger.forget(KV, ["key.list"])
    assert ledger.records() == ()
    ledger.open(KV, ["key.list"])
    assert len(ledger.records()) == 1


@pytest.mark.parametrize("again", [["key.list"], ["key.get", "key.list"]])
def test_opening_twice_is_a_bug(again: list[str]) -> None:
    ledger = Ledger()
    ledger.open(KV, ["key.list"])
    with pytest.raises(BreachError, match=r"key\.list on .*recorded twice"):
        ledger.open(KV, again)
    assert len(ledger.records()) == 1


def test_opening_what_was_closed_is_a_bug() -> None:
    ledger = Ledger()
    ledger.open(KV, ["key.list"])
    ledger.close(KV, ["key.list"], assessed(KV, "key.list"))
    with pytest.raises(BreachError, match="recorded twice"):
        ledger.open(KV, ["key.list"])


def test_naming_an_operation_twice_is_a_bug() -> None:
    with pytest.raises(BreachError, match="named twice"):
        Ledger().open(KV, ["key.list", "key.list"])


def test_an_operation_that_is_not_declared_is_a_bug() -> None:
    ledger = Ledger()
    with pytest.raises(BreachError, match="no such operation"):
        ledger.open(KV, ["key.backup"])
    ledger.open(KV, ["key.list"])
    with pytest.raises(BreachError, match="no such operation"):
        ledger.close(KV, ["key.list"], assessed(KV, "key.list", "key.backup"))


def test_a_breach_at_closing_closes_nothing() -> None:
    ledger = Ledger()
    ledger.open(KV, ["key.list", "key.get"])
    other = vault_scope("other")
    ledger.open(other, ["key.list"])
    wrong = {
        "no record closes it": assessed(KV, "key.list"),
        "two records close it": assessed(KV, "key.list", "key.get", "key.get"),
        "recorded twice": [*assessed(KV, "key.list", "key.get"), *assessed(other, "key.list")],
    }
    for message, coverage in wrong.items():
        with pytest.raises(BreachError, match=message):
            ledger.close(KV, ["key.list", "key.get"], coverage)
    assert {record.state for record in ledger.records()} == {State.NOT_ASSESSED}


def test_closing_what_was_not_open_or_is_closed_is_a_bug() -> None:
    ledger = Ledger()
    with pytest.raises(BreachError, match="was not open"):
        ledger.close(KV, ["key.list"], assessed(KV, "key.list"))
    ledger.open(KV, ["key.list"])
    ledger.close(KV, ["key.list"], assessed(KV, "key.list"))
    with pytest.raises(BreachError, match="was not open"):
        ledger.close(KV, ["key.list"], assessed(KV, "key.list"))
