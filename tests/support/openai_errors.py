"""OpenAI's refusals, in OpenAI's own shape."""

from collections.abc import Mapping

from starlette.responses import JSONResponse


class Refusal(Exception):
    """A 4xx with OpenAI's error object."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        self.response = error_response(status, message, code=code, param=param)
        super().__init__(message)


def error_response(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """OpenAI's error body: `{"error": {"message", "type", "param", "code"}}`."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status, headers)
