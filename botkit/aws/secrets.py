"""Secrets by reference."""

from collections.abc import Mapping

from botkit.errors import SecretError


class EnvSecrets:
    """Resolves `env:NAME` in a given environment. Lives as long as the process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, reference: str) -> str:
        """The value, without the white space that copying leaves around it. Raises SecretError where it is unset."""
        kind, _, name = reference.partition(":")
        value = self._environ.get(name, "").strip() if kind == "env" else ""
        if not value:
            raise SecretError(f"{reference} is not set; put the secret into the environment variable {name}")
        return value
