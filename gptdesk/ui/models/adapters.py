"""The LoRA adapter of the model in use: put on, switched, taken out, and put on again at the next start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gptdesk import paths
from gptdesk.jobs import SetAdapter, SwitchAdapter
from gptdesk.settings import Settings

if TYPE_CHECKING:
    from gptdesk.ui.models.controller import ModelController


class AdapterControl:
    """What the person does with adapters, as jobs of the worker.

    An adapter belongs to one model: loading another one, or the same again, leaves it behind. Only
    at the start does the last model get its adapter back, and if that fails it runs without.
    """

    def __init__(self, models: ModelController, settings: Settings) -> None:
        self._models, self._settings = models, settings
        self._kept = ("", "", True)  # a model, its adapter, and whether that was on

    @property
    def place(self) -> str:
        """Where to begin looking for an adapter."""
        last = self._settings.get("model.adapter")
        return str(Path(last).parent) if last else str(paths.user_models_dir())

    def put_on(self, path: str, *, enabled: bool = True) -> None:
        """Put an adapter on the model in use, in place of the one before."""
        # Were loading it to end the process, the next start would do without.
        self._remember("", enabled=True)
        self._models.change(SetAdapter(path, enabled), self._changed)

    def switch(self, enabled: bool) -> None:
        """Switch the adapter on or off."""
        self._models.change(SwitchAdapter(enabled), self._changed)

    def remove(self) -> None:
        """Take the adapter out."""
        self._models.change(SetAdapter(""), self._changed)

    def keep_for(self, model: str) -> None:
        """Give this model, which is about to be loaded, the adapter of the last session."""
        path, enabled = self._settings.get("model.adapter"), self._settings.get("model.adapter_on")
        self._kept = (model, path, enabled)

    def load_with(self, model: str, path: str) -> None:
        """Load a model and put an adapter on it."""
        self._kept = (model, path, True)
        self._models.load(model)

    def model_loaded(self) -> None:
        """A model was loaded: it has no adapter yet."""
        (model, path, enabled), self._kept = self._kept, ("", "", True)
        if path and model == self._models.last_loaded:
            self.put_on(path, enabled=enabled)
        elif self._settings.get("model.adapter"):
            self._remember("", enabled=True)

    def _changed(self) -> None:
        opened = self._models.current
        adapter = opened.adapter if opened is not None else None
        enabled = opened is None or adapter is None or opened.adapter_enabled
        self._remember(str(adapter.path) if adapter is not None else "", enabled=enabled)

    def _remember(self, path: str, *, enabled: bool) -> None:
        self._settings.set("model.adapter", path)
        self._settings.set("model.adapter_on", enabled)
        self._models.save_settings()
