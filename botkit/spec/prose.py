"""What the reference page says in words of its own: everything that no option's description can."""

INTRODUCTION = """
<!-- Made by `botkit schema --markdown --output docs/bot-file.md`. Change the models, or botkit/spec/prose.py. -->

# The bot file

One YAML file in the `bots` folder is one bot, and the file's name is the bot's name: `bots/concierge.yaml` is the bot
`concierge`. A name has up to 32 characters, a–z, 0–9 and `-`, and does not begin with `-`. Files that begin with `_`
and files that end in `.test.yaml` are not bots.

## The smallest bot

```yaml
persona: You are the night concierge of a small inn in Kyoto. Answer in the guest's language.
model: gpt-4.1-mini
```

`persona` and `model` are required, here or in the file that this one `extends`; everything else may be left out.
`botkit check` says what is wrong in a file, where, and what to write instead.

## How a file is built

Each section (`history`, `reply`, …) holds the options of one step on the way from a message to its answer. A section
that has a *short form* may be written as one value in place of all its options:

```yaml
history: 10         # short: the one value is `window`
```

```yaml
history:            # long: any of the options
  window: 10
  keep: 24h
```

In the tables, `sender.name` is the option `name` inside `sender`, and `quick_replies[].label` is the option `label` of
each entry of the list `quick_replies`. A `–` means that there is no default.

Editors with the YAML language server (VS Code with the YAML extension, Neovim, Helix, …) complete, explain and check
the options when this is the first line of the file. The path counts from the bot file:

```yaml
# yaml-language-server: $schema=../docs/bot-file.schema.json
```
"""

NOTES = {
    "persona": (
        "Write either `text` or `file`. Both are\n"
        "[Jinja2 templates](https://jinja.palletsprojects.com/en/stable/templates/); what they may use stands under\n"
        "[persona variables](#persona-variables)."
    ),
    "events": "What stands here is said at once, without the model, unless you write `ask: model`.",
    "sayings": (
        "What the options of `events` say is a text, or one of the mappings below, or a list of up to five of them:\n"
        "`follow: [Welcome!, {sticker: 446/1988}]`. Texts are templates like the persona, with the same variables and\n"
        "`vars`; what comes out blank is not said."
    ),
    "pipeline": "A section that has options in the file must stand in the pipeline.",
    "variables": (
        "A persona is filled in anew for each message: `Good evening, {{ user.name }}!` greets everyone by name.\n"
        "Besides the variables below it knows what you give it under `vars`: with `vars: {inn: Yoshi-an}`,\n"
        "`{{ inn }}` is Yoshi-an. A misspelt variable is found by `botkit check`.\n\n"
        "It is a Jinja2 template in a sandbox: conditions, loops, macros and the filters for texts, numbers and lists\n"
        "are there; files cannot be taken in, and it may have 3,000 words and signs in braces, run 5,000 rounds of\n"
        "its loops, and become 65,536 characters long. Names of your own do not begin with `_`."
    ),
    "secrets": (
        "A secret itself never stands in a bot file, only where it is found. `botkit check` refuses a literal one,\n"
        "and never shows it."
    ),
}

VARIABLE_WORDS = {
    "bot.name": "The bot's name: its file's name without `.yaml`.",
    "bot.description": "What the bot's `description` says.",
    "user.name": "The person's name on LINE; empty where LINE does not tell it.",
    "user.id": "LINE's id of the person.",
    "user.language": "The language the person's LINE is set to, such as `ja`; empty where LINE does not tell it.",
    "chat.kind": "`user` (a 1:1 chat), `group`, or `room` (several people in a chat without a name).",
    "chat.name": "The group's name; in a 1:1 chat the person's; empty where LINE does not tell it.",
    "now": 'Date and time in the bot\'s `timezone`; `{{ now.strftime("%H:%M") }}` is 21:30.',
    "today": "The date in the bot's `timezone`, such as 2026-01-31.",
}

EVENT_WORDS = {
    "members": "Under `events`, in what is said on `member_joined`: who joined, with commas between.",
    "data": "Under `events`, in what is said on a `postback`: the data of the button.",
}
"""Variables that only some texts know."""

SECRETS = {
    "env:NAME": "In the environment variable `NAME`.",
    "ssm:/path/name": "In the parameter `/path/name` of AWS Systems Manager.",
    "secretsmanager:id": "In AWS Secrets Manager: all of the text of the secret `id`, a name or an ARN.",
    "secretsmanager:id#key": "In AWS Secrets Manager: the value of `key` in the JSON of the secret `id`.",
}

VALUES = """
## Values

- A **text** needs no quotes, unless it begins with `- ` or one of ``{ } [ ] , & * # | > ! % @ ` " '``, or holds `: ` or
  ` #`. Whatever it looks like, it stays as you wrote it: the name `1e3` is 1e3. For several lines, write `|` and indent
  them below.
- A **duration** is a number and a unit: `45s` (seconds), `10m` (minutes), `24h` (hours), `30d` (days).
- A **rate** is a number, `/` and a period: `20/min`, `200/hour`, `100k/day`, `1.5M/month`; k is a thousand and M a
  million. **Money** is `1 USD/month` or `0.50 USD/day`. The periods are the calendar's, in the bot's `timezone`: a day
  begins at midnight, a month on the first.
- A **time zone** is a name of the [IANA database](https://en.wikipedia.org/wiki/List_of_tz_database_time_zones), such
  as `Asia/Tokyo` or `UTC`.
- A **mapping** is a group of `name: value` lines, indented; a **list** is a group of `- value` lines, or `[one, two]`.
"""

OWN_STEPS = """
### Steps of your own

A step of your own is a Python class that stands in the pipeline with `use`, and its options with `with`:

```yaml
pipeline:
  - reply
  - groups
  - events
  - commands
  - limits
  - use: bots.steps.opening_hours:OpeningHours
    with: {opens: 8}
  - media
  - moderation
  - history
  - persona
  - model
```

This is the class `OpeningHours` in `bots/steps/opening_hours.py`; the first name is always the bots folder's own. It
subclasses `botkit.Step`, and its fields are its options: the [README](../README.md#a-step-of-your-own) shows one.
"""

YAML = """
## What YAML may be used

- One file holds one document, in UTF-8, of {kilobytes} KB at most, nested {depth} levels deep at most.
- No tags (`!name`), no anchors and aliases (`&name`, `*name`), no merge keys (`<<`): what you read is what there is.
- No key twice in the same mapping.
- `true` and `false` are the only booleans, as in YAML 1.2: `yes`, `no`, `on` and `off` are words.
"""
