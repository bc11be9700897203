"""Texts, docstrings and comments of keyaudit have none of the words that `tests.words` forbids."""

from tests.words import COINED, coined, said, written


def test_no_coined_word_is_said() -> None:
    found = {place: words for place, text in said() if (words := coined(text))}
    assert found == {}


def test_no_docstring_or_comment_has_a_coined_word() -> None:
    found = {place: words for place, text in written() if (words := coined(text))}
    assert found == {}


def test_the_texts_are_all_there() -> None:
    places = [place for place, _ in said()]
    assert len(places) > 500
    assert {"messages", "README.md", "admin.md", "keyaudit.toml", "github.yml"} <= set(places)


def test_the_list_finds_its_words_and_no_others() -> None:
    assert coined("Mended, and graver than before: it went dark") == ["Mended", "graver", "went dark"]
    assert coined("What is good is judged by whoever lies in wait") == ["What is good is", "judged by", "whoever", "lies in"]
    assert coined("recommended; a gravel path; the darkest keys; living relatives") == []
    assert len(COINED) > 15
