"""What is loaded at its first use: a process that only takes webhooks in pays for no pipeline and no model SDK.

The one place of lazy imports: modules that are used late are named here or where these are called, never in functions.
"""

from importlib import import_module
from threading import Lock
from typing import Any


def module(name: str) -> Any:
    """Stands for a module until something of it is used."""
    return _Module(name)


class _Module:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


class Adapter:
    """Stands for the adapter `name` of a module, imported and built with `arguments` at its first use, once."""

    def __init__(self, module: str, name: str, *arguments: object) -> None:
        self._where = module, name
        self._arguments = arguments
        self._adapter: Any = None
        self._lock = Lock()

    def build_adapter(self) -> Any:
        """The adapter itself, built now where it was not yet. Raises what its making does."""
        with self._lock:
            if self._adapter is None:
                module, kind = self._where
                self._adapter = getattr(import_module(module), kind)(*self._arguments)
            return self._adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self.build_adapter(), name)
