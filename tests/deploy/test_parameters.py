"""The values of the template's parameters: where each comes from, and what is wrong with one, before AWS says so."""

from typing import Any

import pytest

from botkit.deploy.parameters import is_local, settle, without_credentials

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Size": {"Type": "Number", "Default": 512, "MinValue": 128, "MaxValue": 1024},
        "Days": {"Type": "Number", "Default": 30, "AllowedValues": [1, 30]},
        "Mail": {
            "Type": "String",
            "Default": "",
            "AllowedPattern": r"(\S+@\S+)?",
            "ConstraintDescription": "must be a mail",
        },
        "Code": {"Type": "String", "Default": "", "AllowedPattern": "[a-z]*"},
        "OpenaiBaseUrl": {"Type": "String", "Default": ""},
        "InnSecret": {"Type": "String", "NoEcho": True, "MinLength": 1},
    },
    "Metadata": {"botkit": {"variables": {"InnSecret": "INN_SECRET"}}},
}


def test_what_is_given_goes_before_the_environment_and_that_before_what_is_deployed() -> None:
    deployed = {"Size": "256", "Days": "1", "InnSecret": "****", "OpenaiBaseUrl": "https://old"}
    environ = {"OPENAI_BASE_URL": "https://new.example.com", "INN_SECRET": " \n", "SIZE": "1024"}
    found = settle(TEMPLATE, environ, {"Days": "30"}, deployed)
    assert not found.faults
    assert found.wire() == [
        {"ParameterKey": "Size", "UsePreviousValue": True},
        {"ParameterKey": "Days", "ParameterValue": "30"},
        {"ParameterKey": "OpenaiBaseUrl", "ParameterValue": "https://new.example.com"},
        {"ParameterKey": "InnSecret", "UsePreviousValue": True},
    ]
    assert found.plain(TEMPLATE, deployed) == {
        "Size": "256", "Days": "30", "Mail": "", "Code": "", "OpenaiBaseUrl": "https://new.example.com"
    }  # fmt: skip


def test_an_address_for_trying_is_no_address_for_aws() -> None:
    environ = {"OPENAI_BASE_URL": "http://localhost:11434/v1", "INN_SECRET": "hush"}
    (fault,) = settle(TEMPLATE, environ, {}, {}).faults
    assert fault.startswith("OPENAI_BASE_URL is http://localhost:11434/v1, which AWS cannot reach")
    assert "Deploy with --set OpenaiBaseUrl= for the service's own address" in fault
    said = settle(TEMPLATE, environ, {"OpenaiBaseUrl": ""}, {})
    assert not said.faults
    assert {"ParameterKey": "OpenaiBaseUrl", "ParameterValue": ""} in said.wire()
    kept = settle(TEMPLATE, environ, {}, {"OpenaiBaseUrl": ""})
    assert not kept.faults
    assert {"ParameterKey": "OpenaiBaseUrl", "UsePreviousValue": True} in kept.wire()


def test_no_secret_is_shown_by_a_value() -> None:
    found = settle(TEMPLATE, {"INN_SECRET": "hush"}, {}, {})
    assert found.secrets == ("hush",)
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"Size": "127"}, "--set Size: '127' is less than 128"),
        ({"Size": "1025"}, "--set Size: '1025' is more than 1024"),
        ({"Size": "1e3"}, "--set Size: '1e3' is no whole number"),
        ({"Size": "-1"}, "--set Size: '-1' is no whole number"),
        ({"Size": "٣"}, "--set Size: '٣' is no whole number"),
        ({"Days": "2"}, "--set Days: '2' is none of 1, 30"),
        ({"Mail": "hana"}, "--set Mail: 'hana' must be a mail"),
        ({"Code": "A"}, "--set Code: 'A' is not of the form [a-z]*"),
        ({"Mail": "a@" + "b" * 4096}, "--set Mail: has more than 4,096 bytes, the most that CloudFormation takes"),
        ({"InnSecret": "hush"}, "--set InnSecret: a secret that stands in a command shows in `ps`"),
        ({"Sise": "1"}, "--set Sise: there is no such parameter; did you mean Size?"),
        ({"Xyz": "1"}, "--set Xyz: there is no such parameter; there is Size, Days"),
    ],
)
def test_a_value_that_aws_would_refuse_is_told_before(given: dict[str, str], fault: str) -> None:
    (found,) = settle(TEMPLATE, {}, given, {"InnSecret": "****"}).faults
    assert found.startswith(fault)


def test_a_secret_that_is_wrong_is_not_shown() -> None:
    (fault,) = settle(TEMPLATE, {"INN_SECRET": "hush" * 2000}, {}, {}).faults
    assert fault.startswith("INN_SECRET has more than 4,096 bytes")
    assert "hush" not in fault


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:11434/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://192.168.1.7/v1", True),
        ("http://ollama:11434", True),
        ("http://mac.local/v1", True),
        ("http://host.docker.internal:11434", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8/v1", False),
        ("https://LOCALHOST.example.com/v1", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_an_address_that_aws_cannot_reach_is_known(url: str, local: bool) -> None:
    assert is_local(url) is local


@pytest.mark.parametrize(
    "url",
    ["https://hana:hush@models.example.com/v1", "https://models.example.com/v1?api_key=hush", "http://hush@localhost"],
)
def test_an_address_with_a_key_in_it_is_refused_and_not_shown(url: str) -> None:
    for environ, given in (({"OPENAI_BASE_URL": url}, {}), ({}, {"OpenaiBaseUrl": url})):
        (fault,) = settle(TEMPLATE, {"INN_SECRET": "x", **environ}, given, {}).faults
        assert "has a password or a key in it" in fault
        assert "put the key into model.api_key" in fault
        assert "hush" not in fault


def test_an_address_that_only_says_a_version_is_taken() -> None:
    environ = {"OPENAI_BASE_URL": "https://models.example.com/v1?api-version=2", "INN_SECRET": "x"}
    assert not settle(TEMPLATE, environ, {}, {}).faults


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://hana:hush@models.example.com/v1?key=hush#hush", "https://…@models.example.com/v1?…"),
        ("https://hana:hu/sh?hu@sh@models.example.com", "https://…@models.example.com"),
        ("https://models.example.com/v1", "https://models.example.com/v1"),
        ("hana@example.com", "hana@example.com"),
    ],
)
def test_what_is_shown_of_an_address_holds_no_credentials(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_the_level_of_the_log_is_not_taken_from_who_deploys() -> None:
    template = {"Parameters": {"Log": {"Type": "String", "Default": "info"}}}
    assert settle(template, {"BOTKIT_LOG": "debug"}, {}, {}).wire() == []


def test_nobody_is_told_to_write_a_secret_into_a_command() -> None:
    (fault,) = settle(TEMPLATE, {}, {}, {}).faults
    assert fault == "INN_SECRET is not set: set it in the environment or in .env"
