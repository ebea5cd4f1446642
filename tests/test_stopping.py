"""Stopping long work: what was asked for before the stop ends, what was asked for after it doesn't."""

from types import SimpleNamespace

from gan_play.ui import stopping, translate

PAGE, OTHER = SimpleNamespace(session_hash="page"), SimpleNamespace(session_hash="other")


def test_a_stop_ends_what_was_asked_for_before_it_and_nothing_that_came_after():
    first = stopping.asker(PAGE, "find", "1700000000001")
    assert not first()
    stopping.stop(PAGE, "find", "1700000000005")
    assert first()
    assert not stopping.asker(PAGE, "find", "1700000000009")()
    assert stopping.asker(PAGE, "find", "1700000000004")()  # it has waited for its turn since before the stop
    stopping.stop(PAGE, "find", "1700000000002")  # one that arrives late takes nothing back
    assert stopping.asker(PAGE, "find", "1700000000004")()


def test_a_stop_is_for_one_work_of_one_page():
    stopping.stop(PAGE, "film", "1800000000005")
    assert not stopping.asker(PAGE, "taste", "1800000000001")()
    assert not stopping.asker(OTHER, "film", "1800000000001")()


def test_what_is_no_moment_is_the_beginning_of_time_and_can_be_stopped():
    for text in (None, "", "<b>", "-1", "1e9", "9" * 40, {}):
        asked = stopping.asker(OTHER, "nonsense", text)
        assert stopping.number(text) == 0.0 and not asked()
    stopping.stop(OTHER, "nonsense", "x")
    assert asked()


def test_only_so_many_stops_are_remembered():
    for page in range(stopping.MOST_REMEMBERED + 5):
        stopping.stop(SimpleNamespace(session_hash=f"page {page}"), "film", "5")
    assert len(stopping._stops) == stopping.MOST_REMEMBERED


def test_a_painting_is_overtaken_by_another_desk_and_by_nothing_else(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(translate.time, "monotonic", lambda: clock[0])
    desks, page, other = (
        translate.Desks(),
        SimpleNamespace(session_hash="a"),
        SimpleNamespace(session_hash="b"),
    )
    old, new = ("toy", "draw", ""), ("toy", "", "photo.png")
    assert not desks.overtaken(page, old)()  # a page that outlived its server
    desks.lay(page, old)
    over, mine = desks.overtaken(page, old), desks.overtaken(other, old)
    desks.lay(page, old)  # a list of choices tells twice what was chosen
    assert not over()
    desks.lay(page, new)
    assert over() and not mine()
    assert desks.overtaken(page, old)()  # asked for before the page was told
    clock[0] += translate.STRAY_S + 1
    assert not desks.overtaken(page, old)()  # answers came in another order: the page knows what it shows


def test_only_so_many_desks_are_remembered(monkeypatch):
    monkeypatch.setattr(translate.Desks, "MOST", 2)
    desks = translate.Desks()
    pages = [SimpleNamespace(session_hash=str(number)) for number in range(3)]
    for page in pages:
        desks.lay(page, ("toy", "draw", ""))
    assert [desks.overtaken(page, ("toy", "", ""))() for page in pages] == [False, True, True]
