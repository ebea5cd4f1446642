"""The page as Gradio gets it: plain data for a browser, answers that undo nothing, and clicks that count."""

from pathlib import Path

import gradio as gr

from gan_play.pictures.datasets import Progress, Taken
from gan_play.ui import gather, page


def strange(value: object, path: tuple = ()) -> list[str]:
    """Where something lies in a value that isn't JSON's."""
    if isinstance(value, dict):
        return [found for key, part in value.items() for found in strange(part, (*path, key))]
    if isinstance(value, list | tuple):
        return [found for at, part in enumerate(value) for found in strange(part, (*path, at))]
    plain = value is None or isinstance(value, str | int | float | bool)
    return [] if plain else [f"{path}: {type(value).__name__}"]


def test_what_describes_the_page_is_plain_data(tmp_path: Path):
    # `gr.HTML` makes an event of every quoted word in its script that somebody asks for: a comment with `every` in it
    # once put the whole server into the description of the page, which is copied for each visitor.
    config = page.make(tmp_path).get_config_file()
    assert strange(config["components"]) == []


def test_what_was_read_is_chosen_once_and_the_last_answer_says_nothing(tmp_path: Path):
    # Gradio sends the last answer once more when all is over: another set may have been chosen by then.
    def reading():
        yield Progress(1, 1, 0.0, "Looking at the pictures")
        return Taken("0123456789abcdef", tmp_path, {})

    answers = list(gather.taking(reading(), "Waves", "#ffffff"))
    told = [answer[2]["value"] for answer in answers if answer[2] != gr.skip()]
    assert len(told) == 1 and "0123456789abcdef" in told[0]
    assert answers[-1] == (gr.skip(), gr.skip(), gr.skip())


def test_who_says_no_to_deleting_and_presses_again_is_not_passed_over(tmp_path: Path):
    events = page.make(tmp_path).get_config_file()["dependencies"]
    (deleting,) = [event for event in events if event["api_name"] == "ui_delete"]
    assert deleting["trigger_mode"] == "multiple"


def test_what_only_programs_ask_is_not_laid_out_and_not_waited_for(tmp_path: Path):
    config = page.make(tmp_path).get_config_file()
    parameters = {one["id"]: one["props"] for one in config["components"] if one["type"] == "api"}
    assert len(parameters) > 200 and not any(props.get("visible", True) for props in parameters.values())

    def laid_out(node: dict) -> set[int]:
        return {node["id"]}.union(*(laid_out(child) for child in node.get("children", [])))

    assert not laid_out(config["layout"]) & parameters.keys()
