"""The style sheet of a theme: resources/themes/window.qss with colours put in for its roles."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from string import Template

from gptdesk import paths
from gptdesk.ui.theme.colors import Colors


@cache
def _template() -> Template:
    path = paths.resources_dir() / "themes" / "window.qss"
    return Template(path.read_text(encoding="utf-8"))


def make_style_sheet(colors: Colors) -> str:
    """The application's style sheet; `$role` in the file stands for a colour of `Colors`."""
    icons = (paths.resources_dir() / "icons").as_posix()
    shade = "dark" if colors.dark else "light"
    return _template().substitute(asdict(colors), icons=icons, shade=shade)
