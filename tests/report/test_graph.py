"""The drawing of a blast radius has what the list has, as far as there is room, and no box is on another."""

import io
from itertools import pairwise

import pytest
from msgspec.structs import replace

from keyaudit.model.blast_radius import BlastRadius, Edge, Kind, Node, Relation
from keyaudit.model.errors import Exit
from keyaudit.model.incident import Incident
from keyaudit.model.reasons import Reason
from keyaudit.report.blast_radius.picture import picture
from keyaudit.report.incident.html import render
from tests.report.example import PROD, RUN, VERDICT

HOSTILE = "<script>alert(1)</script> of a principal with a very long name"


def radius(users: int) -> BlastRadius:
    """A key of a vault that so many can use, of whom it is unsure whether the first can; one of them controls the tenant."""
    named = {f"u{number}": Node(id=f"u{number}", kind=Kind.PRINCIPAL, name=f"{number} {HOSTILE}") for number in range(users)}
    facts = {"vault_id": PROD.id, "vault_name": "kv", "thing_id": "https://kv.vault.azure.net/keys/signing", "noun": "key"}
    unsure = {"u0": Reason.PERMISSION}
    nodes = [
        Node(id="s", kind=Kind.SUBJECT, name="signing", note="key"),
        Node(id="k", kind=Kind.KEY, name="kv/signing"),
        Node(id="t", kind=Kind.TENANT, name="the whole tenant"),
        Node(id="x", kind=Kind.UNSEEN, name=f"other parties {HOSTILE}"),
    ]
    return BlastRadius(
        run=RUN,
        verdict=VERDICT,
        target="kv/signing",
        subject=nodes[0],
        digests=(),
        nodes={**{node.id: node for node in nodes}, **named},
        edges=[
            Edge(source="s", target="k", relation=Relation.KEPT_IN, facts=facts),
            Edge(source="s", target="x", relation=Relation.KEPT_IN, doubt=Reason.NOT_SUPPLIED),
            *(Edge(source="k", target=id_, relation=Relation.USED_BY, doubt=unsure.get(id_)) for id_ in named),
            *([Edge(source="u1", target="t", relation=Relation.CONTROLS)] if users else []),
            *([Edge(source="t", target="k", relation=Relation.REACHES)] if users else []),
        ],
        verify=False,
    )


def test_each_thing_is_a_box_one_column_behind_what_leads_to_it() -> None:
    drawn = picture(radius(3))
    columns = sorted({box.x for box in drawn.boxes})
    assert [[box.name.split(" ")[0] for box in drawn.boxes if box.x == x] for x in columns] == [
        ["signing"],
        ["kv/signing", "other"],
        ["1", "2", "0"],
        ["the"],
    ]
    assert [box.tone for box in drawn.boxes] == ["subject", "", "doubted", "", "", "doubted", "tenant"]
    assert (len(drawn.lines), sum(line.doubted for line in drawn.lines), drawn.left_out) == (7, 2, "")
    assert drawn.title.startswith("The key and 6 things up to 3 steps away")


def test_no_box_is_on_another_and_the_rest_is_counted() -> None:
    drawn = picture(radius(40))
    for x in {box.x for box in drawn.boxes}:
        rows = sorted(box.y for box in drawn.boxes if box.x == x)
        assert all(after - before > drawn.box_height for before, after in pairwise(rows))
        assert rows[-1] + drawn.box_height <= drawn.height
    assert max(box.x for box in drawn.boxes) + drawn.box_width <= drawn.width
    assert drawn.left_out == "26 more things are in the list below."
    assert all(len(box.name) <= 27 for box in drawn.boxes)
    assert "doubted" not in {box.tone for box in drawn.boxes if box.name.split(" ")[0].isdigit()}


@pytest.mark.parametrize(
    ("exit_", "words"), [(Exit.CLEAN, "0: everything required was read"), (Exit.FINDINGS, "1: something still accepts it")]
)
def test_the_page_shows_it_and_no_name_is_markup_and_no_exit_code_is_called_clean(exit_: Exit, words: str) -> None:
    out = io.StringIO()
    found = replace(radius(0), verdict=replace(VERDICT, exit=exit_))
    render(Incident(radius=found, keys=(), observed=None, extractable=None, compared=False), out)
    assert "<svg class=graph role=img" in out.getvalue()
    assert "is kept in key</text>" in out.getvalue()
    assert "<script>alert" not in out.getvalue()
    assert words in out.getvalue()


def test_a_permission_that_is_too_long_stands_without_its_api() -> None:
    held = ("Microsoft Graph: Directory.ReadWrite.All", "Graph: Mail.Read", f"Microsoft Graph: {'Long.' * 9}All")
    found = radius(1)
    nodes = {name: Node(id=name, kind=Kind.PERMISSION, name=name) for name in held}
    edges = [Edge(source="u0", target=name, relation=Relation.HOLDS) for name in held]
    drawn = picture(replace(found, nodes={**found.nodes, **nodes}, edges=[*found.edges, *edges]))
    names = [box.name for box in drawn.boxes]
    assert {"Directory.ReadWrite.All", "Graph: Mail.Read", f"{'Long.' * 5}L…"} <= {*names}
