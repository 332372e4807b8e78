"""Mistakes in a bot file are told with their place, what is wrong, and what to do: all of them at once."""

import os
from pathlib import Path

import pytest

from botkit.spec.loader import load_file, load_folder

GOOD = "persona: You are kind.\nmodel: gpt-4.1-mini\n"

NO_WAY = (
    "3:1: line: needs `channel_id`, without which the bot cannot answer; add it with the digits that LINE's console "
    "shows as Channel ID under Basic settings (or `channel_access_token`, with a token of yours)"
)
DIGITS = (
    'must be the digits that LINE\'s console shows as Channel ID under Basic settings, such as "2001234567"; '
    "it is no secret, and stands here itself"
)

MISTAKES = {
    # the file as a whole
    "": ["1:1: a bot file is a mapping; start with `persona:` and `model:`"],
    "just words\n": ["1:1: a bot file is a mapping; start with `persona:` and `model:`"],
    "persona: hi\n": ["1:1: `model` is missing; add a line such as `model: gpt-4.1-mini`"],
    "model: m\n": ["1:1: `persona` is missing; add a line such as `persona: You are a friendly assistant.`"],
    GOOD + "---\n" + GOOD: ["3:1: a second document starts here; one file holds one bot"],
    # what YAML can do and a bot file may not
    "persona: &a hi\nmodel: *a\n": [
        "1:10: anchors (`&a`) are not supported; leave it out",
        "2:8: aliases (`*a`) are not supported; write the value out",
    ],
    "persona: !!python/object:os.system {}\nmodel: m\n": [
        "1:10: tags (`tag:yaml.org,2002:python/object:os.system`) are not supported; leave it out"
    ],
    GOOD + "history:\n  <<: {window: 3}\n": ["4:3: merge keys (`<<`) are not supported; write the keys out"],
    GOOD + "model: other\n": ["3:1: `model` stands here twice; keep one"],
    GOOD + "? [a]\n: b\n": ["3:3: a key must be a word; put quotes around a text that starts with {, [ or *"],
    "persona: [a\n": [
        "2:1: this is not valid YAML: did not find expected ',' or ']'; a bracket is not closed, or a comma is missing"
    ],
    GOOD + "history: " + "[" * 60 + "]" * 60: ["3:60: nested deeper than 50; flatten it"],
    # options
    GOOD + "histroy: 3\n": ["3:1: histroy: unknown option; did you mean `history`?"],
    GOOD + "history: {widnow: 3}\n": ["3:11: history.widnow: unknown option; did you mean `window`?"],
    GOOD + "history: many\n": ["3:1: history.window: 'many' must be a whole number"],
    GOOD + "history: 1.5\n": ["3:1: history.window: 1.5 must be a whole number"],
    GOOD + "history: {window: -1}\n": ["3:11: history.window: -1 must be 0 or more"],
    GOOD + "history: {scope: room}\n": ["3:11: history.scope: 'room' must be one of: 'user' or 'group'"],
    GOOD + "history: {keep: 30}\n": [
        "3:11: history.keep: 30 is not a duration; write a number and a unit, such as 45s, 10m, 24h or 30d"
    ],
    GOOD + "history: [1]\n": ["3:1: history: must be a mapping (`name: value` lines, indented)"],
    GOOD + "timezone: Tokyo\n": ["3:1: timezone: 'Tokyo' is not a time zone; write a name such as Asia/Tokyo or UTC"],
    GOOD + "timezone: ../../etc/passwd\n": [
        "3:1: timezone: '../../etc/passwd' is not a time zone; write a name such as Asia/Tokyo or UTC"
    ],
    GOOD + "groups: {answer: sometimes}\n": [
        "3:10: groups.answer: 'sometimes' must be one of: 'addressed', 'always' or 'never'"
    ],
    "persona: hi\nmodel: {name: m, temperature: 3}\n": ["2:18: model.temperature: 3 must be 2 or less"],
    "persona: hi\nmodel: {name: m, temperature: .nan}\n": ["2:18: model.temperature: '.nan' must be a number"],
    "persona: hi\nmodel: {temperature: 1}\n": ["2:1: model.name: is required; add it"],
    "persona: hi\nmodel: {name: m, base_url: example.com}\n": [
        "2:18: model.base_url: does not have the right form; write an address that begins with http:// or https://"
    ],
    # LINE's limits
    GOOD + "reply: {loading: yes}\n": ["3:9: reply.loading: 'yes' must be true or false"],
    GOOD + "reply: {quick_replies: [aaaaabbbbbcccccddddde]}\n": [
        "3:25: reply.quick_replies[0].label: 'aaaaabbbbbcccccddddde' may have 20 characters at most"
    ],
    GOOD + f"reply: {{quick_replies: [{', '.join('abcdefghijklmn')}]}}\n": [
        "3:9: reply.quick_replies: may have 13 entries at most"
    ],
    GOOD + "reply: {quick_replies: [{label: a, txt: b}]}\n": [
        "3:25: reply.quick_replies[0].text: is required; add it",
        "3:36: reply.quick_replies[0].txt: unknown option; did you mean `text`?",
    ],
    GOOD + "reply: {sender: {name: aaaaabbbbbcccccddddde}}\n": [
        "3:18: reply.sender.name: 'aaaaabbbbbcccccddddde' may have 20 characters at most"
    ],
    GOOD + "reply: {sender: {nmae: a}}\n": ["3:18: reply.sender.nmae: unknown option; did you mean `name`?"],
    # secrets are never shown
    "persona: hi\nmodel: {name: m, api_key: sk-live-1234}\n": [
        "2:18: model.api_key: is not a secret reference; write env:NAME, ssm:/path/name or secretsmanager:id#key; the value is not shown"
    ],
    GOOD + "line: {channel_secret: 0123456789abcdef, channel_access_token: env:T}\n": [
        "3:8: line.channel_secret: is not a secret reference; write env:NAME, ssm:/path/name or secretsmanager:id#key; the value is not shown"
    ],
    GOOD + "line: {channel_secret: ssm:a, channel_access_token: 'secretsmanager:'}\n": [
        "3:8: line.channel_secret: is not a well-formed ssm: reference; write ssm:/path/name, the name of a parameter with its leading slash; the value is not shown",
        "3:31: line.channel_access_token: is not a well-formed secretsmanager: reference; write secretsmanager:id#key, the name or ARN of a secret and a key of its JSON, or secretsmanager:id for all of its text; the value is not shown",
    ],
    GOOD + "line: {channel_secret: env:S}\n": [NO_WAY],
    GOOD + "line: {channel_secret: env:S, channel_id: , channel_access_token: }\n": [NO_WAY],
    GOOD + "line:\n  channel_id: 2001234567\n  channel_secret: env:S\n  channel_access_token: env:T\n": [
        "6:3: line.channel_access_token: is not needed beside `channel_id`; remove one of the two",
    ],
    GOOD + "line: {channel_id: 2001234567}\n": ["3:1: line.channel_secret: is required; add it"],
    **{
        GOOD + f"line: {{channel_secret: env:S, channel_id: {wrong}}}\n": [f"3:31: line.channel_id: {DIGITS}"]
        for wrong in ("env:ID", "20_01", "0x12", "1.5", "-5", "true", "'٣٤'", "' 12'", "''", "1" * 16)
    },
    GOOD + "line: {channel_secret: env:S, channel_id: [1]}\n": [
        "3:31: line.channel_id: must be one text, not a list",
    ],
    GOOD + "line: {channel_secret: env:S, channel_access_token: env:T, user_id: U1}\n": [
        "3:60: line.user_id: does not have the right form; it must match ^U[0-9a-f]{32}$"
    ],
    # the persona
    "persona: '{{ usr.name }}'\nmodel: m\n": ["1:1: persona: unknown variable `usr`; did you mean `user`?"],
    "persona: '{% if false %}{{ user.nmae }}{% endif %}x'\nmodel: m\n": [
        "1:1: persona: `user.nmae` does not exist; did you mean `user.name`?"
    ],
    "persona: |\n  a\n  {% if %}\nmodel: m\n": ["3:3: persona: Expected an expression, got 'end of statement block'"],
    "persona: '{{ 1 / 0 }}'\nmodel: m\n": ["1:1: persona: it cannot be rendered: division by zero"],
    "persona: '{{ bot.__class__ }}'\nmodel: m\n": [
        "1:1: persona: `bot.__class__` does not exist; there is bot.description, bot.name"
    ],
    "persona: ''\nmodel: m\n": ["1:1: persona: the persona is empty; say who the bot is"],
    "persona: {file: a.j2, text: b}\nmodel: m\n": ["1:1: persona: needs either text or file; write one of them"],
    "persona: {file: nope.j2}\nmodel: m\n": [
        "1:1: persona: there is no file nope.j2 in the bots folder; the path counts from there"
    ],
    "persona: {file: ../../etc/passwd}\nmodel: m\n": [
        "1:1: persona: ../../etc/passwd is outside the bots folder; move it there"
    ],
    # the pipeline
    GOOD + "pipeline: []\n": [
        "3:1: pipeline: must be a list of steps, such as [reply, groups, events, commands, limits, media, moderation, history, persona, model]"
    ],
    GOOD + "pipeline: [persona, modle]\n": [
        "2:1: model: has options here but is not in the pipeline; add it there, or remove this",
        "3:21: pipeline: `modle` is not a step; did you mean `model`?",
    ],
    GOOD + "pipeline: [persona, {use: os:system}, model]\n": [
        "3:22: pipeline[1].use: 'os:system' does not have the right form; "
        r"it must match ^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+:[A-Za-z_]\w*$"
    ],
    GOOD + "pipeline: [persona, {use: os.path:join}, model]\n": [
        "3:22: pipeline[1].use: `os.path:join` does not start with the bots folder's name; write {folder}.…"
    ],
    GOOD + "groups: {names: [" + "a, " * 6000 + "a]}\n": ["3:15003: more than 5,000 values; no bot needs so many"],
    "persona: '{{ " + " ~ ".join(["user.name"] * 1000) + " }}'\nmodel: m\n": [
        "1:1: persona: it cannot be compiled: it has more than 3,000 words and signs in braces; make it simpler"
    ],
    "persona: " + "x" * 70_000 + "\nmodel: m\n": [
        "1:1: persona: it cannot be compiled: it has 70,000 characters; 65,536 are the most; make it simpler"
    ],
    GOOD + "pipeline: [" + "a, " * 4000 + "a]\n": ["3:1: pipeline: 4,001 steps; 50 are the most"],
    # more of each kind
    GOOD + "temperature: 0.5\n": [
        "3:1: temperature: belongs under `model:`; move it there",
    ],
    GOOD + "window: 3\n": [
        "3:1: window: belongs under `history:`; move it there",
    ],
    GOOD + "history: {temperature: 1}\n": [
        "3:11: history.temperature: belongs under `model:`; move it there",
    ],
    GOOD + "names: [x]\n": [
        "3:1: names: belongs under `groups:`; move it there",
    ],
    GOOD + "user_id: U1\n": [
        "3:1: user_id: belongs under `line:`; move it there",
    ],
    GOOD + "tools: [{use: bots.tools.rooms:free_rooms}]\n": [
        "3:1: tools: is not available in this version; remove it",
    ],
    GOOD + "groups: {overhear: 3}\n": [
        "3:10: groups.overhear: needs a shared conversation; write `history: {scope: group}`, so that everybody there "
        "shares one conversation, or remove this",
    ],
    "persona: hi\nmodel: mine\nlimits: {bot: {cost: 3 USD/day}}\n": [
        "3:1: limits: what mine costs is not known, so no cost can be limited; write under `model:`, in USD a million "
        "tokens, `prices: {mine: {input: 0.4, output: 1.6}}`",
    ],
    GOOD + "limits: {user: {cost: 3 USD/day}}\nmedia: {transcription: {model: mine}}\n": [
        "3:1: limits: what mine costs is not known, so no cost can be limited; choose whisper-1 for "
        "`media.transcription`, or write `audio: text`",
    ],
    GOOD + "line: 8c570fa6dd201bb328f1c1eac23a96d8\n": [
        "3:1: line: must be a mapping (`name: value` lines, indented)",
    ],
    GOOD + "line: {8c570fa6dd201bb328f1c1eac23a96d8: x, channel_secret: env:S, channel_access_token: env:T}\n": [
        "3:8: line: unknown option (not shown); there is channel_access_token, channel_id, channel_secret, user_id",
    ],
    GOOD + "line: {channel_secret: [], channel_access_token: env:T}\n": [
        "3:8: line.channel_secret: is empty; write env:NAME",
    ],
    GOOD + "line: {channel_secret: [env:A, sk-1], channel_access_token: env:T}\n": [
        "3:8: line.channel_secret: is not a secret reference; write env:NAME, ssm:/path/name or secretsmanager:id#key; the value is not shown",
    ],
    GOOD + "line: {channel_secret: env:A-B, channel_access_token: 'env:'}\n": [
        "3:8: line.channel_secret: is not a well-formed env: reference; write env:NAME, the name of an environment variable; the value is not shown",
        "3:33: line.channel_access_token: is not a well-formed env: reference; write env:NAME, the name of an environment variable; the value is not shown",
    ],
    "persona: hi\nmodel: {name: m, temperature: true}\n": [
        "2:18: model.temperature: true must be a number",
    ],
    "persona: hi\nmodel: {name: m, max_output_tokens: true}\n": [
        "2:18: model.max_output_tokens: true must be a whole number",
    ],
    "persona: hi\nmodel: {name: m, max_output_tokens: 8000}\n": [
        "2:1: model: max_output_tokens: 8000 of a context window of 8192 leave too little for the prompt; lower it, or set context_tokens to what the model has",
    ],
    "persona: hi\nmodel: {name: m, context_tokens: 10}\n": [
        "2:18: model.context_tokens: 10 must be 1000 or more",
    ],
    "persona: hi\nmodel: {name: ' '}\n": [
        "2:9: model.name: ' ' must not be empty",
    ],
    "persona: hi\nmodel: {name: m, timeout: 0s}\n": [
        "2:18: model.timeout: '0s' is not a duration; write a number and a unit, such as 45s, 10m, 24h or 30d",
    ],
    "persona: hi\nmodel: {name: m, timeout: 5 minutes}\n": [
        "2:18: model.timeout: '5 minutes' is not a duration; write a number and a unit, such as 45s, 10m, 24h or 30d",
    ],
    "persona: hi\nmodel: {name: m, fallback: gpt-4o}\n": [
        "2:18: model.fallback: 'gpt-4o' must be a list",
    ],
    "persona: hi\nmodel: [m]\n": [
        "2:1: model: must be a mapping (`name: value` lines, indented)",
    ],
    "persona: hi\nmodel:\n": [
        "2:1: model.name: is required; add it",
    ],
    "persona:\nmodel: m\n": [
        "1:1: persona: needs either text or file; write one of them",
    ],
    GOOD + "history: true\n": [
        "3:1: history.window: true must be a whole number",
    ],
    GOOD + "history: {window: '20'}\n": [
        "3:11: history.window: '20' must be a whole number",
    ],
    GOOD + "history: {window: 2000}\n": [
        "3:11: history.window: 2000 must be 1000 or less",
    ],
    GOOD + "reply: {error: ' '}\n": [
        "3:9: reply.error: ' ' must not be empty",
    ],
    GOOD + "reply: {sender: Yoshi}\n": [
        "3:9: reply.sender: 'Yoshi' must be a mapping (`name: value` lines, indented)",
    ],
    GOOD + "reply: {sender: {icon: http://x.example/i.png}}\n": [
        "3:18: reply.sender.icon: 'http://x.example/i.png' does not have the right form; write an address that begins with https://",
    ],
    GOOD + "reply: {quick_replies: One}\n": [
        "3:9: reply.quick_replies: 'One' must be a list",
    ],
    GOOD + "groups: {names: ['']}\n": [
        "3:18: groups.names[0]: '' must not be empty",
    ],
    GOOD + "description: [a]\n": [
        "3:1: description: must be one text, not a list",
    ],
    GOOD + "reply: {error: {text: a}}\n": [
        "3:9: reply.error: must be one text, not a mapping",
    ],
    GOOD + "commands: {reset_text: [a, b]}\n": [
        "3:12: commands.reset_text: must be one text, not a list",
    ],
    GOOD + "events: {unfollow: Bye, leave: Bye}\n": [
        "3:10: events.unfollow: nothing can be said to somebody who has gone; see `forget_on_unfollow`",
        "3:25: events.leave: nothing can be said to somebody who has gone; see `forget_on_unfollow`",
    ],
    GOOD + "events: {follow: {ask: modal}}\n": [
        "3:19: events.follow.ask: 'modal' must be `model`",
    ],
    GOOD + "events: {postback: {'': hi}}\nmedia: {max_image_mb: 0}\n": [
        "3:21: events.postback: a word must not be empty",
        "4:9: media.max_image_mb: 0 must be more than 0",
    ],
    GOOD + "commands: {hours: '9 to 6', rest: off}\n": [
        "3:12: commands.hours: unknown option; words of your own belong under `say:`",
        "3:29: commands.rest: unknown option; did you mean `reset`?",
    ],
    GOOD + "'[key]': 1\nlimits: {user: {'[key]': 1}}\n": [
        "3:1: [key]: unknown option; there is commands, description, events, extends, groups, history, limits, line, "
        "media, model, moderation, persona, pipeline, reply, timezone",
        "4:17: limits.user.[key]: unknown option; there is cost, messages, tokens",
    ],
    GOOD + "commands: off\n": [
        "3:1: commands: 'off' must be a mapping; write a command's name with `off`, such as `usage: off`, or leave "
        "`commands` out of the pipeline",
    ],
    GOOD + "moderation: refuse\n": [
        "3:1: moderation: 'refuse' must be a mapping; write `input: refuse` under it, or remove the line if nothing is "
        "to be judged",
    ],
    GOOD + "limits: {user: , group: 20/min, bot: {messages: [20/min, 30/min], tokens: 20 USD/day, cost: 5/month}}\n": [
        "3:10: limits.user: is empty; write its options, or remove the line",
        "3:18: limits.group: '20/min' must be a mapping; write `messages: 20/min` under it",
        "3:39: limits.bot.messages: has two limits for the same period (min); keep one",
        "3:67: limits.bot.tokens: '20 USD/day' is money, which belongs under `cost:`",
        "3:87: limits.bot.cost: '5/month' is not money in a period; did you mean `5 USD/month`? The periods are min, "
        "hour, day and month",
    ],
    "persona: hi\nmodel: {name: m, prices: {my: 5}}\n": [
        "2:27: model.prices.my: '5' must say what each model costs, in USD a million tokens: `{my-model: {input: 0.4, "
        "output: 1.6}}`",
    ],
    "persona: hi\nmodel: {name: m, prices: 5}\n": [
        "2:18: model.prices: 5 must say what each model costs, in USD a million tokens: `{my-model: {input: 0.4, "
        "output: 1.6}}`",
    ],
    GOOD + "pipeline: [persona, persona, model]\n": [
        "3:21: pipeline: `persona` stands here twice; keep one",
    ],
    GOOD + "pipeline: [model, persona]\n": [
        "3:19: pipeline: `persona` stands after `model`, which answers; move it before",
    ],
    GOOD + "pipeline: [~, persona, model]\n": [
        "3:12: pipeline: nothing is not a step; there is commands, events, groups, history, limits, media, model, moderation, persona, reply",
    ],
    GOOD + "pipeline: [persona, model, {use: a.b:C}]\n": [
        "3:28: pipeline: `this step` stands after `model`, which answers; move it before",
        "3:29: pipeline[2].use: `a.b:C` does not start with the bots folder's name; write {folder}.…",
    ],
    GOOD + "pipeline: [persona, {with: {}}, model]\n": [
        "3:21: pipeline[1].use: is required; add it",
    ],
    GOOD + "pipeline: reply\n": [
        "3:1: pipeline: must be a list of steps, such as [reply, groups, events, commands, limits, media, moderation, history, persona, model]",
    ],
    "persona: You are: kind\nmodel: m\n": [
        "1:17: this is not valid YAML: mapping values are not allowed in this context; a text that holds `: ` needs quotes around it, or this line is indented too far",
    ],
    "persona: @bot\nmodel: m\n": [
        "1:10: this is not valid YAML: found character that cannot start any token; a text that starts with @, `, % or a tab needs quotes around it",
    ],
    "persona: 'You\nmodel: m\n": [
        "3:1: this is not valid YAML: found unexpected end of stream; a quote or a bracket is not closed",
    ],
    "persona： hi\nmodel: m\n": [
        "2:6: this is not valid YAML: mapping values are not allowed in this context; a key ends with a half-width `: `, not with `：`",
    ],
    "persona: hi\n model: m\n": [
        "2:7: this is not valid YAML: mapping values are not allowed in this context; a text that holds `: ` needs quotes around it, or this line is indented too far",
    ],
    "persona: hi\nmodel\n": [
        "3:1: this is not valid YAML: could not find expected ':'; a line lacks its `: `, or a quote is not closed",
    ],
    "persona: hi\n\tmodel: m\n": [
        "2:1: this is not valid YAML: found a tab character that violates indentation; indent with spaces, not with tabs",
    ],
    "persona: {text: hi, vars: {user: x}}\nmodel: m\n": [
        "1:1: persona: vars: `user` cannot be used as a name; choose another",
    ],
    "persona: {text: hi, vars: {a b: x}}\nmodel: m\n": [
        "1:1: persona: vars: `a b` cannot be used as a name; choose another",
    ],
    "persona: |\n  One {{ a }}.\n  Two {{ user.nam }} {{ b }}.\nmodel: m\n": [
        "2:10: persona: unknown variable `a`; there is bot, user, chat, now, today",
        "3:15: persona: `user.nam` does not exist; did you mean `user.name`?",
        "3:25: persona: unknown variable `b`; there is bot, user, chat, now, today",
    ],
    "persona: '{% for i in range(10**9) %}{% endfor %}x'\nmodel: m\n": [
        "1:1: persona: it cannot be rendered: a range has 1,000,000,000 numbers; 5,000 are the most",
    ],
    "persona: '{% for i in range(4000) %}{% for j in range(4000) %}{% endfor %}{% endfor %}x'\nmodel: m\n": [
        "1:1: persona: it cannot be rendered: its loops run more than 5,000 times",
    ],
    "persona: '{{ \"a\" * 10**9 }}'\nmodel: m\n": [
        "1:1: persona: it cannot be rendered: `*` is for numbers only",
    ],
    "persona: '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'\nmodel: m\n": [
        "1:1: persona: it cannot be rendered: it calls or nests itself too often",
    ],
    "persona: '{% if user.name %}a'\nmodel: m\n": [
        "1:1: persona: an `{% if %}` is not closed; add `{% endif %}`",
    ],
    "persona: '{% for a in [1] %}a'\nmodel: m\n": [
        "1:1: persona: a `{% for %}` is not closed; add `{% endfor %}`",
    ],
    "persona: 'Hi {{ user.name, welcome'\nmodel: m\n": [
        "1:1: persona: `{{` is not closed; add `}}`",
    ],
    "persona: 'Hi {{ user.name }, I am {{ bot.name }}'\nmodel: m\n": [
        "1:1: persona: `{{` is not closed; add `}}`",
    ],
    "persona: 'Hi {% if user.name'\nmodel: m\n": [
        "1:1: persona: `{%` is not closed; add `%}`",
    ],
    "persona: '{{ user name }}'\nmodel: m\n": [
        "1:1: persona: expected token 'end of print statement', got 'name'",
    ],
    "persona: 'a {{ user.name.foo }}'\nmodel: m\n": [
        "1:1: persona: `user.name.foo` does not exist",
    ],
    "persona: '{{ (user.name ~ 1).foo }}'\nmodel: m\n": [
        "1:1: persona: a value has no `foo`",
    ],
    "persona: '{{ user.name[0] }}'\nmodel: m\n": [
        "1:1: persona: it cannot be rendered: str object has no element 0",
    ],
    "persona: '{% include \"x\" %}'\nmodel: m\n": [
        "1:1: persona: a template cannot take in other files; write the text out here",
    ],
    "persona: '{{ now.yeer }}'\nmodel: m\n": [
        "1:1: persona: `now.yeer` does not exist; did you mean `now.year`?",
    ],
    "persona: '{{ today|nope }}'\nmodel: m\n": [
        "1:1: persona: No filter named 'nope'.",
    ],
    "persona: {file: .}\nmodel: m\n": [
        "1:1: persona: . cannot be read: Is a directory; name a text file",
    ],
    "persona: {file: /etc/passwd}\nmodel: m\n": [
        "1:1: persona: /etc/passwd is outside the bots folder; move it there",
    ],
    GOOD + "extends: base\n": [
        "3:1: extends: 'base' is not a file of this folder; write a name such as _inn.yaml",
    ],
    GOOD + "extends: ../x.yaml\n": [
        "3:1: extends: '../x.yaml' is not a file of this folder; write a name such as _inn.yaml",
    ],
    GOOD + "extends: nope.yaml\n": [
        "3:1: extends: there is no file nope.yaml in this folder; it counts from there",
    ],
    GOOD + "extends: bot.yaml\n": [
        "3:1: extends: goes round in a circle (bot.yaml → bot.yaml); take one of them out",
    ],
    GOOD + "extends: [a.yaml]\n": [
        "3:1: extends: ['a.yaml'] is not a file of this folder; write a name such as _inn.yaml",
    ],
    GOOD + "timezone: 9\n": [
        "3:1: timezone: 9 is not a time zone; write a name such as Asia/Tokyo or UTC",
    ],
    GOOD + "timezone: UTC+9\n": [
        "3:1: timezone: 'UTC+9' is not a time zone; write a name such as Asia/Tokyo or UTC",
    ],
    GOOD + "histroy: 3\nextends: nope.yaml\nmodel: x\n": [
        "3:1: histroy: unknown option; did you mean `history`?",
        "4:1: extends: there is no file nope.yaml in this folder; it counts from there",
        "5:1: `model` stands here twice; keep one",
    ],
}


def problems_of(path: Path) -> list[str]:
    spec, problems = load_file(path)
    assert spec is None
    return [str(problem).removeprefix(f"{path}:") for problem in problems]


@pytest.mark.parametrize(("text", "expected"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_mistake_is_told_to_the_letter(tmp_path: Path, text: str, expected: list[str]) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text(text, "utf-8")
    assert problems_of(path) == [line.replace("{folder}", tmp_path.name) for line in expected]


def test_all_mistakes_of_all_files_come_in_one_run(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD + "one: 1\ntwo: 2\n")
    (tmp_path / "b.yaml").write_text(GOOD)
    (tmp_path / "c.yaml").write_text("persona: hi\n")
    loaded = load_folder(tmp_path)
    assert [(Path(problem.file).name, problem.line) for problem in loaded.problems] == [
        ("a.yaml", 3),
        ("a.yaml", 4),
        ("c.yaml", 1),
    ]
    assert list(loaded.bots) == ["b"]
    assert list(loaded.broken) == ["a", "c"]


@pytest.mark.parametrize("name", ["Bot", "-bot", "b_t", "a" * 33, "ボット"])
def test_a_name_that_cannot_stand_in_an_address_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.yaml").write_text(GOOD)
    (problem,) = load_folder(tmp_path).problems
    assert problem.text.startswith(f"`{name}` cannot be a bot's name; ")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"persona: \xff\n", "byte 9 is not UTF-8; save the file as UTF-8"),
        (b"x" * (256 * 1024 + 1), "262,145 bytes; a bot file may have 262,144; move long texts to a persona file"),
        (b"persona: \x00\n", "save it as plain UTF-8 text"),
    ],
    ids=["latin", "long", "control"],
)
def test_bytes_that_are_no_text_file_are_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "bot.yaml").write_bytes(content)
    (problem,) = load_folder(tmp_path).problems
    assert problem.text.endswith(expected)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_a_problem_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text(GOOD)
    path.chmod(0)
    assert problems_of(path) == [f"{path}: it cannot be read: Permission denied; check the file"]
