"""The modules that bots bring with them, at hand only while their bots are at work."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import invalidate_caches
from pathlib import Path
from types import ModuleType


class OwnModules:
    """What the bots of one folder import of their own. Lives as long as they are played in a process.

    Every bots folder may be called `bots`, and to Python that name is one package. So while another folder's bots
    are at work, and in all the rest of the process, these modules are out of sight.
    """

    def __init__(self, folder: Path) -> None:
        self._home = folder.resolve()
        self._kept: dict[str, ModuleType] = {}

    @contextmanager
    def at_hand(self) -> Iterator[None]:
        """Have them importable; afterwards `sys.path` and `sys.modules` are as they were. In one thread at a time."""
        path, before = [*sys.path], dict(sys.modules)
        for name in [name for name in before if _top(name) == self._home.name]:
            del sys.modules[name]
        sys.path.insert(0, str(self._home.parent))
        sys.modules.update(self._kept or self._package())
        try:
            yield
        finally:
            tops = {_top(name) for name in before}
            self._kept = {name: one for name, one in [*sys.modules.items()] if self._is_own(_top(name), tops)}
            for name in self._kept:
                del sys.modules[name]
            sys.modules.update({name: one for name, one in before.items() if _top(name) == self._home.name})
            sys.path[:] = path

    def _package(self) -> Mapping[str, ModuleType]:
        """The folder as a package. Without an `__init__.py` Python would put together all folders of its name."""
        invalidate_caches()
        if (self._home / "__init__.py").exists():
            return {}
        package = ModuleType(self._home.name)
        package.__path__ = [str(self._home)]
        return {self._home.name: package}

    def _is_own(self, top: str, before: set[str]) -> bool:
        """Whether a package is the bots folder, or has newly come from beside it."""
        if top == self._home.name:
            return True
        module = sys.modules.get(top)
        if top in before or module is None:
            return False
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
        return any(Path(place).parent == self._home.parent for place in places if isinstance(place, str))


def _top(name: str) -> str:
    return name.partition(".")[0]
