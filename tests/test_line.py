"""Whose turn it is, where one is served at a time."""

import threading

from gan_play.ui import line


def test_who_comes_first_is_served_and_the_others_move_up_whoever_leaves():
    served = line.Line()
    with served.place() as first:
        second = served.place()
        ahead_of_second = second.__enter__()
        with served.place() as third:
            assert (first(), ahead_of_second(), third()) == (0, 1, 2)
            served.left_s = 5.0
            second.__exit__(None, None, None)  # out of the middle: who is served goes on
            assert (first(), third(), served.left_s) == (0, 1, 5.0)
    with served.place() as alone:
        assert (alone(), served.left_s) == (0, None)  # nobody knows yet how long this one takes


def test_waiting_tells_how_many_come_before_until_nobody_does_or_it_is_over(monkeypatch):
    monkeypatch.setattr(line, "LOOK_EVERY_S", 0.01)
    served, told, leave = line.Line(), [], threading.Event()

    def first() -> None:
        with served.place():
            leave.wait(30)

    other = threading.Thread(target=first)
    other.start()
    while not served._places:
        leave.wait(0.01)
    with served.place() as ahead:
        assert next(served.waiting(ahead, lambda: False)) == 1
        assert list(served.waiting(ahead, lambda: True)) == []
        for count in served.waiting(ahead, lambda: False):
            told.append(count)
            leave.set()
    other.join()
    assert set(told) == {1}
