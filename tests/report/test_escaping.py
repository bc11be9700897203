"""How each format writes a hostile text, exactly: that no reader acts on it is tested where readers are."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from keyaudit.model.values.shell import option, powershell_quoted, shell_quoted
from keyaudit.model.values.text import one_line, visible
from keyaudit.questions.guardrails import bicep, terraform
from keyaudit.questions.incident import dot
from keyaudit.report import markdown, members
from keyaudit.report.formats import junit, prometheus, sarif, xlsx
from keyaudit.report.html.inert import LONGEST, inert, whole
from keyaudit.report.tabular.cells import escaped, guarded, marked
from keyaudit.send import digest
from tests.gate_example import RUN

ODD = "\x1b\x7f\x85\u202e\u2028\ue000\U000e0001"
SHOWN = "\\x1b\\x7f\\x85\\u202e\\u2028\\ue000\\U000e0001"
SEEN = "\u00e9\u4e00 \ufdd0\U0001f600"
"""A letter, a wide one, a code point that is none, and a picture: none of them is hidden."""
GUID = "11111111-aaaa-4111-8111-111111111111"


def _attribute(text: str) -> str:
    return junit._attributes({"n": text})


@pytest.mark.parametrize(
    ("write", "text", "written"),
    [
        (one_line, ODD + SEEN, SHOWN + SEEN),
        (one_line, "\u00ad", "\\xad"),
        (one_line, "### :::", "#\\#\\# :\\:\\:"),
        (visible, f"{ODD}### :::", f"{SHOWN}### :::"),
        (guarded, "", "'"),
        (guarded, "kv/a-b", "kv/a-b"),
        (guarded, " a", " a"),
        (guarded, "~x", "~x"),
        (guarded, "##a####", "#\\#a#\\#\\#\\#"),
        (guarded, f"a{ODD}\\\ufffe\uffff{SEEN}", f"a{SHOWN}\\\\\\ufffe\\uffff{SEEN}"),
        *((guarded, f"{mark}1", f"'{mark}1") for mark in "=+-@\uff1d\uff0b\uff0d\uff20'"),
        *((guarded, f"{mark}1", f"'\\x{ord(mark):02x}1") for mark in "\t\r\n"),
        (guarded, "\v1", "\\x0b1"),
        (guarded, "  =1", "'  =1"),
        (guarded, "a=1", "a=1"),
        *((guarded, f"a;{between}{mark}1", f"a;{between}\\{mark}1") for mark in "=@\uff1d" for between in ("", " \"'")),
        (escaped, "=\\\x1b#", "=\\\\\\x1b#"),
        (inert, f'<b a="1">&\'{ODD}', f"&lt;b a=&#34;1&#34;&gt;&amp;&#39;{SHOWN}"),
        (inert, "### ::: #:", "&#35;&#35;# &#58;&#58;: #:"),
        (inert, "\ufdd0\ufffe\U0010ffff\u00e9", "\\ufdd0\\ufffe\\U0010ffff\u00e9"),
        (inert, "x" * LONGEST, "x" * LONGEST),
        (inert, "x" * (LONGEST + 1), f"{'x' * LONGEST}... (1,001 characters)"),
        (whole, f"<{GUID.upper()}>", f'&lt;<span class="id">{GUID.upper()}</span>&gt;'),
        (whole, f"a{GUID}", f"a{GUID}"),
        (members.inert, '"\\###\x1b\x7f\u2028\u00e9', '"\\"\\\\\\u0023\\u0023#\\u001b\\u007f\\u2028\\u00e9"'),
        (digest.inert, "<a> [b] `c` *d* ~e~ |f @g", "\\x3ca\\x3e \\x5bb\\x5d \\x60c\\x60 \\x2ad\\x2a \\x7ee\\x7e \\x7cf (at)g"),
        (digest.inert, "a_b _c_ &amp; &x WWW.a http://b", "a_b \\x5fc\\x5f \\x26amp; &x WWW\\x2ea http:\\x2f/b"),
        (digest.inert, f"{ODD}###", f"{SHOWN}#\\#\\#"),
        (markdown.safe, "a-b.c (d), e/f 'g' 1;", "a-b.c (d), e/f 'g' 1;"),
        (markdown.safe, "<a> [b](c) www.d", "&#60;a&#62; &#91;b&#93;(c) www&#46;d"),
        (markdown.safe, "`*_~|!&@:\\#\x1b", "".join(f"&#{ord(mark)};" for mark in "`*_~|!&@:\\#\\") + "x1b"),
        (sarif._plain, "a [b](c) {0} \\d", "a \\[b\\](c) {{0}} \\\\d"),
        (sarif._segment, "kv-a._~", "kv-a._~"),
        (sarif._segment, "a/b c:\x1b", "a%2Fb%20c%3A%5Cx1b"),
        *((sarif._segment, text, f"_{text}") for text in ("", ".", "..")),
        (sarif._segment, "x" * 200, "x" * 200),
        (sarif._segment, "x" * 201, f"{'x' * 200}...%20%28201%20characters%29"),
        (junit._text, '<a b="c">&\ufffe\x1b', '&lt;a b="c"&gt;&amp;\\ufffe\\x1b'),
        (_attribute, "<a b=\"c\" d='e'>&\ufffe\x1b", " n=\"&lt;a b=&quot;c&quot; d='e'&gt;&amp;\\ufffe\\x1b\""),
        (prometheus.safe, 'a\\b "c"\n', 'a\\\\b \\"c\\"\\\\x0a'),
        (xlsx._text, f"={ODD}\\", f"={SHOWN}\\\\"),
        (dot.quoted, 'a\\b "c" &d;\n', '"a\\\\b \\"c\\" &amp;d;\\\\x0a"'),
        (bicep._quoted, "a\\b 'c' ${d} $e\n\r\t", "'a\\\\b \\'c\\' \\${d} $e\\n\\r\\t'"),
        (terraform._quoted, 'a\\b "c" ${d} %{e} $f %g\n', '"a\\\\b \\"c\\" $${d} %%{e} $f %g\\n"'),
    ],
)
def test_a_hostile_text_is_written_without_its_meaning_and_with_all_its_characters(
    write: Callable[[str], object], text: str, written: str
) -> None:
    assert str(write(text)) == written


@pytest.mark.parametrize(
    ("text", "shell", "powershell"),
    [
        ("kv-a_1.b/c:d", "kv-a_1.b/c:d", "kv-a_1.b/c:d"),
        ("", "''", "''"),
        ("-a", "'-a'", "'-a'"),
        ("a b", "'a b'", "'a b'"),
        ('$a `b` "c"', "'$a `b` \"c\"'", "'$a `b` \"c\"'"),
        ("it's", '"it\'s"', "'it''s'"),
        *((f"{quote}a", f'"{quote}a"', f"'{quote}{quote}a'") for quote in "\u2018\u2019\u201a\u201b"),
        *((f"'{mark}", "'A VALUE WITH QUOTES'", f"'''{mark}'") for mark in '"$`\\!\u201c\u201d\u201e'),
    ],
)
def test_a_word_of_a_command_is_one_word_in_both_shells_or_is_left_out(text: str, shell: str, powershell: str) -> None:
    assert (shell_quoted(text), powershell_quoted(text)) == (shell, powershell)
    assert option("--name", text) == (f"--name={shell}" if text.startswith("-") else f"--name {shell}")


def test_only_texts_are_written_on_a_page() -> None:
    assert str(inert(1_234)) == "1,234"
    for value in (True, None, 1.5, b"a"):
        with pytest.raises(TypeError, match=type(value).__name__):
            inert(value)
    assert inert(inert("<")) == "&lt;"


@pytest.mark.parametrize(
    ("simulated", "name", "shown"),
    [
        (False, "Contoso", "Contoso"),
        (False, "", ""),
        (True, "Contoso", "Contoso (simulated tenant)"),
        (True, "Contoso (simulated tenant)", "Contoso (simulated tenant)"),
        (True, "", "(simulated tenant)"),
    ],
)
def test_a_simulated_tenant_is_marked_once(simulated: bool, name: str, shown: str) -> None:
    assert marked(replace(RUN, simulated=simulated, tenant_name=name)) == shown
