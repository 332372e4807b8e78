import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.line.signature import sign, verify
from tests.line.facts import fact, load

BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
SIGNATURE = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


def test_the_example_of_lines_documentation() -> None:
    assert sign(SECRET, BODY) == SIGNATURE
    assert verify([SECRET], BODY, SIGNATURE)


def test_every_recorded_vector() -> None:
    vectors = load(fact("signature-vectors.json"))["vectors"]
    assert vectors
    for vector in vectors:
        assert sign(vector["secret"], vector["body"].encode()) == vector["signature"], vector["source"]


@pytest.mark.parametrize("secrets", [[SECRET, "new"], ["new", SECRET], ["", SECRET]])
def test_while_a_secret_is_rotated_each_of_them_is_good(secrets: list[str]) -> None:
    assert verify(secrets, BODY, SIGNATURE)


def test_every_secret_is_tried_even_after_a_match() -> None:
    tried = []

    def secrets():
        for secret in (SECRET, "second", "third"):
            tried.append(secret)
            yield secret

    assert verify(secrets(), BODY, SIGNATURE)
    assert tried == [SECRET, "second", "third"]


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "=",
        "not base64 at all!",
        "Ｇ" + SIGNATURE[1:],
        "\ud800",
        "\x00",
        SIGNATURE + "\n",
        " " + SIGNATURE,
        SIGNATURE.rstrip("="),
        SIGNATURE.lower(),
        f"{SIGNATURE},{SIGNATURE}",
        "A" * 1_000_000,
    ],
)
def test_a_hostile_signature_is_just_wrong(signature: str) -> None:
    assert not verify([SECRET], BODY, signature)


def test_a_changed_body_is_not_verified() -> None:
    assert not verify([SECRET], BODY + b" ", SIGNATURE)


def test_an_empty_secret_verifies_nothing() -> None:
    assert not verify([""], BODY, sign("", BODY))
    assert not verify([], BODY, sign("", BODY))


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.binary(), st.text(st.characters(exclude_categories=())))
def test_whatever_comes_nothing_is_raised(secret: str, body: bytes, signature: str) -> None:
    assert verify([secret], body, signature) == (signature == sign(secret, body) and secret != "")
