"""The language of the window: chosen, or the system's; changed while the window is open."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from gptdesk import paths

CHOICES = ("auto", "en", "zh_CN")


def resolve(choice: str) -> str:
    """The language that `choice` means: "en" or "zh_CN"."""
    if choice in ("en", "zh_CN"):
        return choice
    wanted = QLocale.system().uiLanguages()
    return "zh_CN" if wanted and wanted[0].replace("_", "-").lower().startswith("zh") else "en"


class Translators(QObject):
    """Installs and removes the application's translators."""

    def __init__(self) -> None:
        super().__init__()
        self._installed: list[QTranslator] = []
        self.language = "en"

    def apply(self, choice: str) -> None:
        """Speak `choice` ("auto", "en", "zh_CN"); every widget hears of it by LanguageChange."""
        for translator in self._installed:
            QCoreApplication.removeTranslator(translator)
            translator.deleteLater()
        self._installed = []
        self.language = resolve(choice)
        QLocale.setDefault(QLocale(self.language))
        if self.language != "en":
            qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
            self._install(f"qtbase_{self.language}", qt)
            self._install(f"gptdesk_{self.language}", str(paths.resources_dir() / "translations"))

    def _install(self, name: str, folder: str) -> None:
        translator = QTranslator(self)
        if translator.load(name, folder):
            QCoreApplication.installTranslator(translator)
            self._installed.append(translator)


@cache
def translators() -> Translators:
    """The one set of translators of this process."""
    return Translators()
