"""Gradio is imported without writing stubs for editors, and otherwise as it is installed."""

import importlib.util

import pytest

from gan_play.ui import stubless


def loaded(folder, source: str):
    """A module of this source under the name of Gradio's writer of stubs, as the finder hands it out."""
    folder.joinpath("component_meta.py").write_text(source)
    spec = stubless.Stubless().find_spec(stubless.WRITES_STUBS, [str(folder)])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_writer_of_stubs_does_nothing_and_all_else_stays(tmp_path):
    module = loaded(
        tmp_path, "kept = 7\ndef create_or_modify_pyi(*given):\n    raise AssertionError(given)\n"
    )
    assert module.create_or_modify_pyi(int, "int", []) is None
    assert module.kept == 7


def test_a_gradio_that_has_no_writer_of_stubs_is_left_alone(tmp_path):
    module = loaded(tmp_path, "kept = 7\n")
    assert not hasattr(module, "create_or_modify_pyi") and module.kept == 7


@pytest.mark.parametrize("name", ["gradio", "gradio.components", "torch"])
def test_other_modules_are_found_as_ever(name):
    assert stubless.Stubless().find_spec(name, None) is None


def test_a_gradio_that_lacks_the_module_is_left_to_say_so(tmp_path):
    assert stubless.Stubless().find_spec(stubless.WRITES_STUBS, [str(tmp_path)]) is None
