"""Print what may stand in a bot file, or a test file: a JSON Schema for editors, or a page for people.

example:
  botkit schema                                             the JSON Schema
  botkit schema --output docs/bot-file.schema.json          … into a file
  botkit schema --markdown --output docs/bot-file.md        the page
  botkit schema --tests --output docs/test-file.schema.json
                                                            the schema of NAME.test.yaml

An editor with the YAML language server uses it where a bot file begins with the line
  # yaml-language-server: $schema=../docs/bot-file.schema.json
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from botkit.errors import BotkitError
from botkit.scenarios.file.reference import scenarios_reference
from botkit.scenarios.file.schema import scenarios_schema
from botkit.spec.reference import reference
from botkit.spec.schema import bot_schema


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--tests", action="store_true", help="of test files, NAME.test.yaml, instead of bot files")
    parser.add_argument("--markdown", action="store_true", help="the reference page instead of the schema")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write to this file instead of the terminal")


def run(options: Namespace, environ: Mapping[str, str]) -> int:  # noqa: ARG001  the shape of every command
    """Print or write it. Raises BotkitError where the file cannot be written."""
    text = _page(tests=options.tests) if options.markdown else schema_text(tests=options.tests)
    if options.output is None:
        print(text, end="")  # noqa: T201  for programs: nothing may be wrapped
        return 0
    try:
        options.output.write_text(text, "utf-8", newline="\n")
    except OSError as error:
        raise BotkitError(f"{options.output} cannot be written: {error.strerror}; check the path") from error
    return 0


def schema_text(*, tests: bool = False) -> str:
    """The schema as it is checked in: in the order of a file, other scripts readable."""
    return json.dumps(scenarios_schema() if tests else bot_schema(), indent=2, ensure_ascii=False) + "\n"


def _page(*, tests: bool) -> str:
    return scenarios_reference() if tests else reference()
