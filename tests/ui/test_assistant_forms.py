"""The forms of the panel: generated options, presets and sliders, the source chooser."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QComboBox, QSlider, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.options import make_options, option_fields
from gptdesk.tasks.registry import TASKS
from gptdesk.ui.assistant.options_form import OptionsForm
from gptdesk.ui.assistant.presets import PRESETS
from gptdesk.ui.assistant.sampling_form import SamplingForm
from gptdesk.ui.assistant.source_chooser import SourceChooser
from gptdesk.ui.widgets.chips import Chip, ChipGroup


@pytest.mark.parametrize("task_id", list(TASKS))
def test_the_form_has_every_option_and_gives_valid_values(qtbot: QtBot, task_id: str) -> None:
    task = TASKS[task_id]
    form = OptionsForm(task)
    qtbot.addWidget(form)
    values = form.values()
    assert values.keys() == {field.name for field, _ in option_fields(task.options_type)}
    assert make_options(task.options_type, values) == task.options_type()
    for field, info in option_fields(task.options_type):
        widget = form.findChild(QWidget, f"assistant.option.{task_id}.{field.name}")
        assert widget is not None
        assert widget.accessibleName() == info.label
        kind = ChipGroup if 0 < len(info.choices) <= 4 else QComboBox if info.choices else QSpinBox
        assert isinstance(widget, kind)


def test_a_click_chooses_and_tells(qtbot: QtBot) -> None:
    form = OptionsForm(TASKS["continue"])
    qtbot.addWidget(form)
    with qtbot.waitSignal(form.changed):
        form.findChild(Chip, "assistant.option.continue.length.page").click()
    assert form.values() == {"length": "page"}
    form.findChild(Chip, "assistant.option.continue.length.page").click()
    assert form.values() == {"length": "page"}, "something is always chosen"


def test_saved_options_come_back_and_foreign_ones_do_no_harm(qtbot: QtBot) -> None:
    form = OptionsForm(TASKS["summarize"])
    qtbot.addWidget(form)
    form.set_values({"form": "points", "points": 99, "language": "zh", "gone": 1})
    assert form.values() == {"form": "points", "points": 3, "language": "zh"}


def test_the_number_of_points_matters_only_for_points(qtbot: QtBot) -> None:
    form = OptionsForm(TASKS["summarize"])
    qtbot.addWidget(form)
    points = form.findChild(QSpinBox, "assistant.option.summarize.points")
    assert not points.isEnabled()
    form.findChild(Chip, "assistant.option.summarize.form.points").click()
    assert points.isEnabled()


@pytest.fixture
def sampling(qtbot: QtBot) -> SamplingForm:
    form = SamplingForm()
    qtbot.addWidget(form)
    form.set_mode(advised=False)
    return form


def choose(form: SamplingForm, preset: str) -> None:
    form.findChild(Chip, f"assistant.preset.{preset}").click()


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_sets_every_number_it_names(sampling: SamplingForm, preset: str) -> None:
    choose(sampling, preset)
    values = sampling.values()
    assert {key: values[key] for key in PRESETS[preset]} == pytest.approx(dict(PRESETS[preset]))
    assert "seed" not in values
    Sampling().with_values(values)


def test_moving_a_slider_is_custom_and_custom_is_remembered(sampling: SamplingForm) -> None:
    slider = sampling.findChild(QSlider, "assistant.sampling.temperature")
    slider.setValue(slider.value() + 3)
    assert sampling.preset == "custom"
    own = sampling.values()
    choose(sampling, "precise")
    assert sampling.values() != own
    choose(sampling, "custom")
    assert sampling.values() == own


def test_a_seed_is_given_only_when_it_is_not_random(sampling: SamplingForm, qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QCheckBox

    sampling.findChild(QCheckBox, "assistant.sampling.random").setChecked(False)
    sampling.findChild(QSpinBox, "assistant.sampling.seed").setValue(4711)
    assert sampling.values()["seed"] == 4711
    assert sampling.preset == "balanced"


def test_where_the_task_has_advice_nothing_is_sent_until_something_is_chosen(
    sampling: SamplingForm,
) -> None:
    sampling.set_mode(advised=True)
    assert sampling.values() == {}
    choose(sampling, "creative")
    assert sampling.values()["temperature"] == pytest.approx(1.1)
    choose(sampling, "creative")
    assert sampling.values() == {}, "a second click takes the choice back"


def test_sampling_of_the_last_session_comes_back(sampling: SamplingForm, qtbot: QtBot) -> None:
    slider = sampling.findChild(QSlider, "assistant.sampling.top_p")
    slider.setValue(slider.value() - 7)
    saved = sampling.custom_values()
    again = SamplingForm()
    qtbot.addWidget(again)
    again.restore("custom", saved)
    assert again.values() == sampling.values()
    assert again.preset == "custom"


def test_a_selection_takes_over_as_source_and_gives_back(qtbot: QtBot) -> None:
    chooser = SourceChooser()
    qtbot.addWidget(chooser)
    assert chooser.kind == "document"
    chooser.set_selection(True)
    assert chooser.kind == "selection"
    chooser.set_selection(False)
    assert chooser.kind == "document"
    chooser.choose("pasted")
    chooser.set_selection(True)
    assert chooser.kind == "pasted", "who pasted a text means it"
