"""A mapping that is made when somebody reads it."""

import pickle

from keyaudit.policy.evaluation.lazy import Deferred


def test_it_is_made_once_and_only_if_it_is_read() -> None:
    made: list[int] = []

    def make() -> dict[str, int]:
        made.append(1)
        return {"a": 1, "b": 2}

    found = Deferred(make)
    assert made == []
    assert list(found) == ["a", "b"]
    assert (found["b"], len(found), dict(found.items())) == (2, 2, {"a": 1, "b": 2})
    assert found == {"a": 1, "b": 2}
    assert made == [1]


def test_it_can_be_put_aside_as_what_it_holds() -> None:
    assert type(pickle.loads(pickle.dumps(Deferred(lambda: {"a": 1})))) is dict
