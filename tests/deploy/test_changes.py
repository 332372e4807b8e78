"""What a change set does, in plain words; the change sets are as AWS answers them (CloudFormation API reference)."""

from typing import Any

import pytest

from botkit.deploy.changes import Side, counted, read_changes, told
from botkit.deploy.conditions import settled


def function(**properties: Any) -> dict[str, Any]:
    """A template with a function and its parameters."""
    declared = {"Memory": {"Type": "Number", "Default": 512}, "Url": {"Type": "String", "Default": ""}}
    return {
        "Parameters": {**declared, "Key": {"Type": "String", "NoEcho": True}},
        "Conditions": {"Other": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Url"}, ""]}]}},
        "Mappings": {"Sizes": {"512": {"Small": 1}, "1024": {"Small": 2}}},
        "Resources": {"Worker": {"Type": "AWS::Lambda::Function", "Properties": properties}},
    }


def change(action: str = "Modify", type_: str = "AWS::Lambda::Function", **more: Any) -> dict[str, Any]:
    resource = {"Action": action, "LogicalResourceId": "Worker", "ResourceType": type_, **more}
    return {"Type": "Resource", "ResourceChange": resource}


def lines(changes: list[dict[str, Any]], old: Side, new: Side) -> list[str]:
    return [told(one) for one in read_changes(changes, old, new)]


NOWHERE = Side({}, {})


def test_what_changes_is_told_with_both_values() -> None:
    properties = {"MemorySize": {"Ref": "Memory"}, "Timeout": 60, "Code": {"S3Key": "a"}}
    old = Side(function(**properties), {"Memory": "512"})
    new = Side(function(**properties | {"Timeout": 90, "Code": {"S3Key": "b"}}), {"Memory": "1024"})
    assert lines([change(Replacement="False")], old, new) == [
        "the function Worker: memory 512 → 1024 MB, timeout 60 → 90 s, new code"
    ]


def test_of_the_environment_names_are_told_and_no_values() -> None:
    old = Side(function(Environment={"Variables": {"A": "secret-1", "GONE": "secret-2", "SAME": "x"}}), {})
    new = Side(function(Environment={"Variables": {"A": "secret-3", "NEW": "secret-4", "SAME": "x"}}), {})
    assert lines([change()], old, new) == ["the function Worker: environment (+NEW, −GONE, A)"]


def test_what_a_condition_brings_or_takes_is_seen() -> None:
    variables = {"Variables": {"URL": {"Fn::If": ["Other", {"Ref": "Url"}, {"Ref": "AWS::NoValue"}]}}}
    template = function(Environment=variables, Size={"Fn::FindInMap": ["Sizes", {"Ref": "Memory"}, "Small"]})
    old, new = Side(template, {"Url": "", "Memory": "512"}), Side(template, {"Url": "https://x", "Memory": "1024"})
    assert lines([change()], old, new) == ["the function Worker: environment (+URL), size 1 → 2"]


def test_a_secret_that_changes_is_named_by_its_property() -> None:
    template = function(Environment={"Variables": {"KEY": {"Ref": "Key"}}})
    details = [
        {
            "Target": {"Attribute": "Properties", "Name": "Environment", "RequiresRecreation": "Never"},
            "Evaluation": "Static",
            "ChangeSource": "ParameterReference",
            "CausingEntity": "Key",
        }
    ]
    assert lines([change(Details=details)], Side(template, {}), Side(template, {})) == [
        "the function Worker: environment"
    ]


def test_what_may_follow_another_change_is_told_apart() -> None:
    template = function(Role={"Fn::GetAtt": ["Role", "Arn"]})
    details = [
        {
            "Target": {"Attribute": "Properties", "Name": "Role", "RequiresRecreation": "Never"},
            "Evaluation": "Dynamic",
            "ChangeSource": "ResourceAttribute",
            "CausingEntity": "Role.Arn",
        }
    ]
    (found,) = read_changes([change(Details=details)], Side(template, {}), Side(template, {}))
    assert (found.action, told(found)) == ("follows", "the function Worker may change with others")


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (change("Add"), "the function Worker is made"),
        (change("Remove", PolicyAction="Delete"), "the function Worker is deleted"),
        (change(Replacement="True"), "the function Worker is made anew"),
        (
            change(Replacement="True", type_="AWS::ApiGatewayV2::Api"),
            "the API Worker is made anew; the webhook addresses change with it",
        ),
        (
            change("Remove", "AWS::DynamoDB::Table", PolicyAction="Retain"),
            "the table Worker is let go: it stays in the account, with all that is in it, and the bots do not use it",
        ),
        (
            change("Remove", "AWS::DynamoDB::Table", PolicyAction="Delete"),
            "the table Worker would be DELETED, with all conversations",
        ),
        (
            change(Replacement="True", PolicyAction="ReplaceAndRetain", type_="AWS::DynamoDB::Table"),
            "the table Worker would be REPLACED by an empty one: the bots would not know their conversations any more",
        ),
        (change("Add", "AWS::Some::NewThing"), "the Some NewThing Worker is made"),
    ],
)
def test_every_kind_of_change_has_its_sentence(answer: dict[str, Any], line: str) -> None:
    assert lines([answer], NOWHERE, NOWHERE) == [line]


def table(**properties: Any) -> Side:
    return Side({"Resources": {"Worker": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}}, {})


@pytest.mark.parametrize(
    ("old", "new", "loses"),
    [
        ({"KeySchema": ["a"]}, {"KeySchema": ["b"]}, True),
        ({"TableName": "a"}, {"TableName": "b"}, True),
        ({"BillingMode": "a"}, {"BillingMode": "b"}, False),
        ({"AttributeDefinitions": ["a"]}, {"AttributeDefinitions": ["a", "b"]}, False),
    ],
)
def test_a_table_that_may_be_replaced_is_one_that_will_be_where_its_keys_change(
    old: dict[str, Any], new: dict[str, Any], loses: bool
) -> None:
    answer = change(type_="AWS::DynamoDB::Table", Replacement="Conditional")
    (found,) = read_changes([answer], table(**old), table(**new))
    assert found.loses is loses


@pytest.mark.parametrize(
    ("was", "will", "line"),
    [
        ("", "", None),
        ("chats", "chats", None),
        ("", "own", None),  # the same table by its name
        ("", "other", "the table own would be EXCHANGED by other"),
        ("own", "", "the table own would be EXCHANGED by a new, empty one"),
    ],
)
def test_another_table_in_the_place_of_the_one_in_use_loses_the_conversations(
    was: str, will: str, line: str | None
) -> None:
    found = read_changes([change("Add")], Side({}, {"Table": was}), Side({}, {"Table": will}), in_use="own")
    assert [one.loses for one in found] == ([True, False] if line else [False])
    assert line is None or told(found[0]).startswith(line)
    assert not any(one.loses for one in read_changes([], NOWHERE, Side({}, {"Table": "other"})))


def test_the_gravest_change_comes_first_and_all_are_counted() -> None:
    answers = [change("Add"), change("Add"), change(Replacement="True"), change("Remove", "AWS::DynamoDB::Table")]
    found = read_changes(answers, NOWHERE, NOWHERE)
    assert [one.action for one in found] == ["deleted", "replaced", "made", "made"]
    assert counted(found) == "2 made, 1 made anew, 1 deleted"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"Fn::Equals": [{"Ref": "A"}, "1"]}, True),
        ({"Fn::Equals": [{"Ref": "A"}, 1]}, True),
        ({"Fn::Not": [{"Condition": "IsOne"}]}, False),
        ({"Fn::And": [{"Condition": "IsOne"}, {"Fn::Equals": [{"Ref": "B"}, ""]}]}, False),
        ({"Fn::Or": [{"Condition": "IsOne"}, {"Fn::Equals": [{"Ref": "B"}, ""]}]}, True),
    ],
)
def test_conditions_are_worked_out_as_cloudformation_does(condition: Any, holds: bool) -> None:
    template = {"Conditions": {"IsOne": {"Fn::Equals": [{"Ref": "A"}, "1"]}, "It": condition}}
    value = {"Fn::If": ["It", ["yes", {"Ref": "AWS::NoValue"}], {"Ref": "Unknown"}]}
    assert settled(value, template, {"A": "1", "B": "x"}) == (["yes"] if holds else {"Ref": "Unknown"})
