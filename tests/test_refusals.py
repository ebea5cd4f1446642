"""The sentences: short, plain, whole, safe to show; each code used by the program."""

import string
from pathlib import Path

import pytest

import gan_play
from gan_play.refusals import REASONS, Refused, printable, refuse

PACKAGE = Path(gan_play.__file__).parent


def details(reason: str, value: str) -> dict[str, str]:
    names = {name for _, name, _, _ in string.Formatter().parse(REASONS[reason]) if name}
    return {name: value for name in names if name != "file"}


@pytest.mark.parametrize("reason", REASONS)
def test_each_sentence_is_short_even_for_the_longest_names(reason):
    refusal = refuse(reason, "n" * 500 + ".jpg", **details(reason, "9" * 500))
    assert len(refusal.sentence) <= 160
    assert refusal.reason == reason and refusal.file == "n" * 500 + ".jpg"


@pytest.mark.parametrize("reason", REASONS)
def test_each_sentence_is_whole_for_usual_names(reason):
    refusal = refuse(reason, "painting.jpg", **details(reason, "12"))
    assert refusal.sentence.endswith((".", "12")) and "…" not in refusal.sentence
    starts = (*string.ascii_uppercase, "painting.jpg", "12")
    assert "{" not in refusal.sentence and refusal.sentence.startswith(starts)


@pytest.mark.parametrize("reason", REASONS)
def test_each_code_is_used_by_the_program(reason):
    sources = [p.read_text() for p in PACKAGE.rglob("*.py") if p.name != "refusals.py"]
    assert any(f'"{reason}"' in source for source in sources), f"nobody refuses with {reason}"


def test_no_sentence_names_a_class_a_path_or_a_traceback():
    for sentence in REASONS.values():
        assert not any(
            word in sentence for word in ("Error", "Exception", "Traceback", "/", "None ", "errno")
        ) or (sentence.startswith("None of"))


@pytest.mark.parametrize(
    "name, shown",
    [
        ("a\nb\x1b[31m.jpg", "a?b?[31m.jpg is empty"),
        ("\u202egpj.exe", "?gpj.exe is empty"),
        ("", "It is empty"),
        ("{reason} %s", "{reason} %s is empty"),
        ("x" * 40 + "y" * 40 + ".jpg", "x" * 31),
    ],
)
def test_names_are_shown_without_what_could_mislead(name, shown):
    assert refuse("empty", name).sentence.startswith(shown)


def test_half_a_surrogate_pair_in_a_name_can_still_be_written_as_text():
    refuse("empty", "\udcff.jpg").file.encode()


def test_an_unknown_code_is_our_bug():
    with pytest.raises(KeyError):
        refuse("no such code")


def test_refused_carries_the_refusals_on_the_way():
    first, second = refuse("empty", "a.jpg"), refuse("not-a-picture", "b.txt")
    error = Refused(refuse("none-readable", count=2, first=first.sentence), (first, second))
    assert str(error) == error.refusal.sentence and error.others == (first, second)


def test_a_long_name_keeps_its_ending():
    assert printable("very " * 30 + "long.jpg").endswith("long.jpg")
    assert len(printable("x" * 200, most=20)) == 20
