"""TLS: one context for the process, which accepts whom it is told to trust, and nobody else."""

import json
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import SSLError

from botkit.wire import tls
from botkit.wire.client import AwsClient
from botkit.wire.services import SERVICES
from botkit.wire.settings import Settings
from botkit.wire.signature import Credentials
from botkit.wire.tls import tls_context
from tests.support.wire import Canned, serving

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two authorities of our own, each of them a server's certificate besides: NAME.pem, NAME.key."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("right", "wrong"):
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"),
            ],
            check=True,
            capture_output=True,
        )
    return folder


@contextmanager
def secured(certificates: Path, name: str) -> Iterator[Canned]:
    """A server with the certificate of that name."""
    server = Canned([(200, {"MessageId": "1"})])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with serving(server):
        yield server


def client_of(server: Canned, bundle: Path | None, host: str = "127.0.0.1") -> AwsClient:
    found = Settings("us-east-1", "https", host, server.server_port, Credentials("k", "s"), bundle and str(bundle))
    return AwsClient(SERVICES["sqs"][1], found, 2, 2, 1)


def test_a_server_that_the_bundle_vouches_for_is_asked(certificates: Path) -> None:
    with secured(certificates, "right") as server, closing(client_of(server, certificates / "right.pem")) as client:
        assert client.call("SendMessage", {"MessageBody": "{}"}) == {"MessageId": "1"}
    assert server.bodies == [{"MessageBody": "{}"}]


@pytest.mark.parametrize("bundle", ["wrong.pem", None])
def test_a_server_that_nobody_vouches_for_is_told_nothing(certificates: Path, bundle: str | None) -> None:
    with (
        secured(certificates, "right") as server,
        closing(client_of(server, certificates / bundle if bundle else None)) as client,
        pytest.raises(SSLError, match=r"SSL validation failed for https://127.0.0.1:.*certificate verify failed"),
    ):
        client.call("SendMessage", {"MessageBody": "{}"})
    assert server.bodies == []


def test_a_certificate_holds_for_the_names_in_it(certificates: Path) -> None:
    with (
        secured(certificates, "right") as server,
        closing(client_of(server, certificates / "right.pem", "localhost")) as client,
        pytest.raises(SSLError, match="Hostname mismatch"),
    ):
        client.call("SendMessage", {})
    assert server.bodies == []


def test_a_bundle_without_certificates_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    with serving(Canned([(200, {})])) as server, pytest.raises(SSLError, match="SSL validation failed"):
        client_of(server, empty)


def test_threads_get_one_context_that_verifies() -> None:
    together = Barrier(8)

    def get(_: int) -> ssl.SSLContext:
        together.wait()
        return tls_context()

    tls._context.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        contexts = list(pool.map(get, range(8)))
    assert len(set(map(id, contexts))) == 1
    assert contexts[0].verify_mode is ssl.CERT_REQUIRED
    assert contexts[0].check_hostname


WHOM = "import json; from botkit.wire.tls import tls_context; print(json.dumps(tls_context().cert_store_stats()))"


def trusted(**environ: str) -> int:
    """How many authorities a fresh process trusts by name."""
    ran = subprocess.run([sys.executable, "-c", WHOM], env=environ, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return int(found["x509_ca"])


def test_the_environment_names_whom_to_trust(certificates: Path) -> None:
    assert trusted(SSL_CERT_FILE=str(certificates / "right.pem"), SSL_CERT_DIR="/nowhere") == 1
    assert trusted(SSL_CERT_FILE="/nowhere", SSL_CERT_DIR="/nowhere") == 0


ASK_BOTH = """
import ssl, sys
from botkit.line.client import LineClient
from botkit.messages import Message
from botkit.models.openai import OpenAIModel
from botkit.ports import ChatRequest
from botkit.testing import MovableClock
made, new = [], ssl.SSLContext.__new__
ssl.SSLContext.__new__ = lambda kind, *how: (made.append(kind), new(kind, *how))[1]
LineClient(sys.argv[1]).reply("token", "reply-token", [{"type": "text", "text": "hi"}])
asked = ChatRequest(messages=(Message("user", "hi"),), model="m", timeout=9.0, base_url=sys.argv[1], api_key="k")
model = OpenAIModel(MovableClock())
assert model.complete(asked).text == "hello"
model.close()
print(len(made))
"""


def test_line_and_the_model_are_asked_with_the_same_context(certificates: Path) -> None:
    told = {"choices": [{"message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop", "index": 0}]}
    with secured(certificates, "right") as server:
        server.answers = [(200, {}), (200, told)]
        ran = subprocess.run(
            [sys.executable, "-c", ASK_BOTH, f"https://127.0.0.1:{server.server_port}"],
            env={"SSL_CERT_FILE": str(certificates / "right.pem")},
            capture_output=True,
            text=True,
        )
    assert (ran.stdout, ran.stderr) == ("1\n", "")


def test_where_openssl_knows_nobody_certifi_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nowhere = ssl.DefaultVerifyPaths(None, str(tmp_path), "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile=None: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert tls._context.__wrapped__(None).cert_store_stats()["x509_ca"] > 100
    (tmp_path / "002c0b4f.0").touch()
    assert tls._context.__wrapped__(None).cert_store_stats()["x509_ca"] == 0
