"""The tasks that can be run, by their ids.

To add one: a module with an options dataclass whose fields carry `option(…)`, a class that
satisfies `base.Task`, its prompts in `resources/prompts/` and in the table of
`prompt_files.py`, and a line in `TASKS`; the window's form and the command line follow by
themselves. Test it with operations whose model is a function (`tests/tasks/operations.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from gptdesk.errors import NotBuiltError, OptionError
from gptdesk.tasks.base import Task
from gptdesk.tasks.continue_text import ContinueTask
from gptdesk.tasks.rewrite import RewriteTask
from gptdesk.tasks.summarize import SummarizeTask
from gptdesk.tasks.translate import TranslateTask

TASKS: Mapping[str, Task] = {
    task.id: task for task in (ContinueTask(), SummarizeTask(), TranslateTask(), RewriteTask())
}

PLANNED = frozenset({"chat", "classify"})
"""Tasks that are documented and that this version does not have."""


def get_task(task_id: str) -> Task:
    """The task with this id.

    Raises:
        NotBuiltError: it belongs to a later version.
        OptionError: there is no such task.
    """
    if task_id in PLANNED:
        raise NotBuiltError(
            f"The task {task_id!r} is not built yet in this version of gptdesk.",
            f"These tasks are: {', '.join(TASKS)}.",
        )
    if task_id not in TASKS:
        raise OptionError(f"There is no task {task_id!r}.", f"Known: {', '.join(TASKS)}.")
    return TASKS[task_id]
