"""Steps of the user's own, imported anew when their source has changed."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType


@contextmanager
def fresh_imports(folder: Path) -> Iterator[None]:
    """Within it, modules of `folder` are taken from there, and from their sources as they are now.

    Python's own bytecode is found by the source's second and size, so it would miss an edit within one second.
    """
    finder = _Finder(folder.resolve())
    importlib.invalidate_caches()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def forget_modules(folder: Path) -> None:
    """Let the modules of `folder` be imported anew. Objects made of the old ones live on with them."""
    folder = folder.resolve()
    top = sys.modules.get(folder.name)
    if top is not None and not _may_go(top, folder):
        return
    for name in [name for name in sys.modules if name == folder.name or name.startswith(f"{folder.name}.")]:
        del sys.modules[name]


def _may_go(module: ModuleType, folder: Path) -> bool:
    """Whether it is of this folder, or of a bots folder of the same name; never a package that is installed."""
    if module.__file__ is None or isinstance(module.__loader__, _FromSource):
        return True
    return Path(module.__file__).resolve().is_relative_to(folder)


class _Finder(MetaPathFinder):
    """Finds the modules of one folder; `bots.steps.hours` where the folder is `bots`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the module is; None for those of other folders, and for what is not there."""
        top, _, below = fullname.partition(".")
        if top != self._folder.name:
            return None
        spec = PathFinder.find_spec(fullname, path if below else [str(self._folder.parent)], target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _FromSource(fullname, spec.loader.path)
        if spec is not None and not below and spec.submodule_search_locations is not None:
            # A namespace package would look into all folders of this name that Python knows.
            spec.submodule_search_locations = [str(self._folder)]
        return spec


class _FromSource(SourceFileLoader):
    """Compiles the source each time."""

    def get_code(self, fullname: str) -> CodeType:
        """The module's code. Raises SyntaxError, and OSError where the file is gone."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code
