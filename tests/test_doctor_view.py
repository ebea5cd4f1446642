"""What the report's folds are made of (`gan_play/ui/doctor_view.py`)."""

from gan_play.ui.doctor_view import bars


def test_each_of_many_folders_has_a_bar_the_largest_first():
    found = {f"folder {n:03}": 10 + n for n in range(300)}
    rows = bars(found)["rows"]
    assert len(rows) == 300
    assert [row["count"] for row in rows[:2]] == ["309", "308"]
    assert rows[-1]["name"] == "folder 000"


def test_a_set_without_folders_has_no_bars():
    assert bars({}) is None
