"""Steps of the user's own, found by `use: bots.steps.hours:Hours`."""

import sys
from importlib import import_module
from pathlib import Path

from botkit.pipeline import Step


class NotAStep(Exception):
    """What is wrong with a `use:`, and what to do."""


def import_step(use: str, folder: Path) -> type[Step]:
    """The step class `use` names, from the folder that holds the bots folder. Raises NotAStep."""
    module_name, _, class_name = use.partition(":")
    bots = folder.resolve()
    if module_name.partition(".")[0] != bots.name:
        raise NotAStep(f"`{use}` does not start with the bots folder's name; write {bots.name}.…")
    if str(bots.parent) not in sys.path:
        sys.path.append(str(bots.parent))
    try:
        found = getattr(import_module(module_name), class_name, None)
    except (
        Exception,
        SystemExit,
    ) as error:  # the user's own module runs here: whatever it raises is for the user to read
        why = f"{type(error).__name__}: {error}; {_cure(error)}"
        raise NotAStep(f"`{module_name}` cannot be imported: {why}") from error
    if found is None:
        raise NotAStep(f"`{module_name}` has no `{class_name}`; name the class as it stands there")
    if not isinstance(found, type) or not issubclass(found, Step) or found is Step:
        raise NotAStep(f"`{use}` is not a step; subclass botkit.Step")
    if found.__call__ is Step.__call__:
        raise NotAStep(f"`{use}` does nothing; define __call__(self, turn, call_next)")
    return found


def _cure(error: BaseException) -> str:
    """What to do about a module that cannot be imported."""
    if isinstance(error, ModuleNotFoundError) and error.name and "." not in error.name:
        return "correct it, or install that package here and name it in requirements.txt of the bots folder"
    return "correct it"
