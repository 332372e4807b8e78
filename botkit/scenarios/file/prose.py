"""What the page about test files says in words of its own: everything that no option's description can."""

INTRODUCTION = """
<!-- Made by `botkit schema --tests --markdown --output docs/test-file.md`. Change botkit/scenarios/. -->

# The test file

`bots/concierge.test.yaml` stands beside `bots/concierge.yaml` and holds *scenarios*: conversations with this bot, and
what is expected of it. `botkit test` plays them: the real handler gets real webhooks from a LINE that is played on
your machine, with LINE's rules. Nothing leaves the machine, nothing is paid for, no key is needed.

## The smallest test

```yaml
- name: says when check-in is
  turns:
    - hana: When is check-in?
      model: From three in the afternoon.
      expect: {contains: three}
```

Hana writes to the bot 1:1. It asks its model, which is made to answer what `model` says, and the answer must have the
word "three". What that proves of the bot is all around the model: that the message was taken in, that the persona and
the history went into the prompt (`prompt_has`), that the answer came by the free reply (`via: reply`), in one message
(`messages: 1`). What a real model says is tried with recordings and with `--live`.

`botkit check` says what is wrong in a test file, where, and what to write instead. Editors with the YAML language
server complete and check it when this is the first line (`botkit new` writes it):

```yaml
# yaml-language-server: $schema=../docs/test-file.schema.json
```
"""

SCENARIO = """
A file is a list of scenarios. Each has a world of its own: its own LINE, its own people, an empty memory. None knows
what was said in another, and they may run in any order, or at the same time. (What a step of your own keeps in its
module lives on from one to the next, as it does on a warm Lambda.)

- **The clock** stands at `at` when the scenario begins, and moves only when something takes time: a second from turn to
  turn, what `pause` says, and what a slow model `takes`. A test of a day takes no longer than any other.
- **People** need no declaration: whoever speaks is there. `people` gives them a display name and a language, for bots
  that greet people by name or read their language.
- **The chat** is 1:1 with each speaker, unless `chat: group` or `chat: room` puts all of them, and the bot, into one.
"""

TURNS = """
A turn is one thing that happens, and what the bot should then do. Most often somebody speaks: the key is the speaker's
name, any word that is not one of the options below. A list is sent in a row, before the bot has looked:

```yaml
- name: answers a burst at once
  turns:
    - hana: [Hello?, Are you there?, {image: true}]
      model: I am here. What a nice photo!
      expect: {messages: 1, model_calls: 1}
    - pause: 2h
    - hana: What did I send you?
      model: A photo.
      expect: {prompt_has: Are you there}
```

Or something happens that is not of one speaker's doing: `follow`, `unfollow`, `join`, `leave`, `come`, `go`,
`redelivery`, `pause`. One of these or one speaker stands in each turn, never two.

- People are friends of the bot from the start, except those who `follow` it in a turn; all are in the group from the
  start, except those who `come`; and the bot is in it, unless its first turn there is a `join`.
- In a group's scenario `chat: user` sends this turn's message to the bot 1:1.
- Names like `Expect` or `modle` are taken for misspelt options. If somebody is called so, name them under `people`.
"""

DEEDS = """
A text alone is said. Anything else is a mapping with one of these options:

```yaml
- name: what people can do besides writing
  chat: group
  turns:
    - hana: [{image: true}, {sticker: happy}, {location: Kyoto Station}]
      expect: silent
    - ken: [My pin is 9876, {unsend: true}, "@concierge how far is it?"]
      model: Ten minutes on foot.
      expect: {prompt_not: "9876"}
    - hana: {text: Are you sure?, quote: true}
      model: Quite sure.
      expect: {contains: quite sure}
```

`@` before the bot's name, before a person's display name, or before `all` mentions them, in groups. `tap` looks for the
label among the quick replies of the newest message, and on all buttons that the bot has sent.
"""

MODEL = """
Where a bot's model is asked in a turn, the answer comes from one of these:

1. **A script**, `model:`: what it is made to say. A list is for several calls, in the order in which they come.
   Steps that ask the model in ways of their own are calls, too, and so are fallback models. A script that nobody asks
   for fails the scenario.
2. **A recording.** `botkit test --record` asks the real model where no script stands, at your expense, and keeps what
   it says in `bots/NAME.test.json`; commit that file. Later runs replay it: offline, free, always the same. A recording
   is for exactly one prompt. Once the persona, the options of the model, or what was said before has changed, it is
   *stale*: the scenario fails and shows what is different in the prompt. Nothing old is ever passed off as new.
3. **A real model**, with `botkit test --live`. It answers every turn, also those with a script, except where the
   script is a trouble (`takes`, `fails`). `--times 20` plays each scenario so often and tells how many times it passed.

Offline, a turn that asks the model and has neither script nor recording fails, and says so. A scenario with
`live: true` is left out offline.

```yaml
- name: copes with a model that is slow, and with one that fails
  turns:
    - hana: Write a poem about trains.
      model: {say: "Rails hum, night goes by.", takes: 50s}
      expect: {via: button}
    - hana: {tap: Show the answer}
      expect: {contains: Rails hum, model_calls: 0}
    - hana: And one about ships.
      model: {fails: down}
      expect: {contains: try again}
```
"""

GUEST = """
Instead of `turns`, a scenario may say who the person is and what they want. A model plays them, turn by turn, until the
goal is reached or `turns` is used up. That needs `--live`, or a recording:

```yaml
- name: a guest finds out when breakfast is
  user:
    persona: A hurried traveller who writes in short, friendly sentences.
    goal: wants to know when breakfast begins
    turns: 4
  expect: {judge: tells when breakfast begins, length: 1500}
```
"""

EXPECT = """
Of a turn: what the bot does between this turn and the next. `expect: silent` is short for `expect: {silent: true}`.
Beside a scenario's `name`, `expect` is about all that was said in it.

- The answer is all messages that the bot sends in the turn's chat, as people read them.
- `contains`, `not`, `prompt_has`, `prompt_not`, `history_has` and `history_not` do not care for upper and lower case;
  each takes one text, or a list of which all must hold.
- The prompt is everything that the model was sent: the persona, the history, the message. The history is what the bot
  remembers of the speaker's conversation after the turn.
- `judge` asks a model whether something is true of the answer, for what no word can tell: politeness, a refusal, the
  right facts. It needs `--live` or a recording; offline without one it is reported as not judged, and fails nothing.

```yaml
- name: remembers, and forgets when it is asked to
  turns:
    - hana: My name is Hana.
      model: Nice to meet you, Hana!
      expect: {contains: [nice, hana], not: sorry, via: reply, messages: 1, length: 100}
    - hana: /reset
      expect: {silent: false, model_calls: 0, history_not: Hana}
```
"""

RUNNING = """
## Running them

```sh
botkit test                        # all bots, offline
botkit test concierge --watch      # one, again at each save
botkit test --record               # ask the real model where no script stands, and keep the answers
botkit test --live --times 20      # ask it anew each time
botkit test --help                 # the rest
pytest bots/                       # the same scenarios as items of pytest
```

The exit code is 0 where all is well and 1 where something failed. Offline they cost a few milliseconds each, and are
safe for every commit. Test files and recordings do not go into the package that is deployed.
"""

VALUES = """
## Values

- A **text** needs no quotes, unless it begins with `- ` or one of ``{{ }} [ ] , & * # | > ! % @ ` " '``, or holds
  `: ` or ` #`. A mention at the beginning needs them: `"@concierge hello"`. Whatever it looks like, it stays as you
  wrote it: `contains: 1e3` looks for 1e3.
- A **duration** is a number and a unit: `45s` (seconds), `10m` (minutes), `24h` (hours), `30d` (days).
- **Money** is US dollars: `0.002 USD`. A **date and time** is `2026-04-01 22:30`, in the bot's `timezone` unless
  it names another: `2026-04-01 22:30+09:00`.
- **Nothing may be empty**: an option with nothing after its colon is a mistake, and so is a scenario that expects
  nothing.
- A file holds {scenarios} scenarios of {turns} turns each at most, in {kilobytes:,} KB. Anchors, aliases and tags of
  YAML are not supported, as in a [bot file](bot-file.md#what-yaml-may-be-used).
"""
