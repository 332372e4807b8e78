"""The SQL of the SQLite store."""

from typing import Final

# ---------------------------------------------------------------- arrivals

FIND_EVENT: Final = "SELECT * FROM events WHERE bot = :bot AND id = :id AND received_at > :oldest"
RECEIVE: Final = """
INSERT OR REPLACE INTO events
    (bot, conversation, id, at, received_at, due_at, state, body, user_id, message_id, lead)
VALUES (:bot, :conversation, :id, :at, :received_at, :due_at, :state, :body, :user_id, :message_id, :lead)
"""
COUNT_ARRIVAL: Final = """
INSERT INTO conversations (bot, id, inbox_seq, expires_at) VALUES (:bot, :conversation, 1, :expires_at)
ON CONFLICT DO UPDATE SET inbox_seq = inbox_seq + 1, expires_at = max(expires_at, excluded.expires_at)
"""
RENEW: Final = "UPDATE events SET received_at = max(received_at, :received_at) WHERE bot = :bot AND id = :id"

# ---------------------------------------------------------------- the lease

HOLDER: Final = "SELECT owner, lease_until FROM conversations WHERE bot = :bot AND id = :conversation"
LEASE: Final = """
INSERT INTO conversations (bot, id, fence, owner, lease_until, expires_at)
VALUES (:bot, :conversation, 1, :owner, :until, :expires_at)
ON CONFLICT DO UPDATE SET fence = fence + 1, owner = excluded.owner, lease_until = excluded.lease_until,
    expires_at = max(expires_at, excluded.expires_at)
RETURNING fence, inbox_seq
"""
HELD: Final = """
SELECT inbox_seq FROM conversations
WHERE bot = :bot AND id = :conversation AND fence = :fence AND owner = :owner
"""
RELEASE: Final = "UPDATE conversations SET owner = NULL, lease_until = NULL WHERE bot = :bot AND id = :conversation"

# ---------------------------------------------------------------- an event's life

PENDING: Final = """
SELECT * FROM events
WHERE bot = :bot AND conversation = :conversation AND state != 'DONE' AND received_at > :oldest
ORDER BY at, id LIMIT :limit
"""
EVENT: Final = "SELECT * FROM events WHERE bot = :bot AND conversation = :conversation AND id = :id"
ATTEMPT: Final = """
UPDATE events SET attempts = attempts + 1, due_at = :until
WHERE bot = :bot AND conversation = :conversation AND id = :id AND state IN ('RECEIVED', 'SENDING')
"""
NOTICE: Final = """
UPDATE events SET noticed = 1, stamp = :stamp, notes = notes || :notes
WHERE bot = :bot AND conversation = :conversation AND id = :id
"""
ANSWER: Final = """
UPDATE events SET state = :state, stamp = :stamp, notes = notes || :notes, turn = id, lead = id,
    attempts = :attempts, sends = :state = 'SENDING', answer = :answer, owners = :owners, retry_key = :retry_key,
    due_at = CASE :state WHEN 'SENDING' THEN due_at END, body = CASE :state WHEN 'SENDING' THEN body ELSE '' END
WHERE bot = :bot AND conversation = :conversation AND id = :id
"""
COVER: Final = """
UPDATE events SET state = 'DONE', turn = coalesce(turn, :lead), lead = :lead, due_at = NULL, body = '', answer = NULL,
    attempts = :attempts
WHERE bot = :bot AND conversation = :conversation AND id = :id
"""
RESEND: Final = """
UPDATE events SET sends = sends + 1, via = :via, charged = charged OR :charged
WHERE bot = :bot AND conversation = :conversation AND id = :id
"""
POSTPONE: Final = """
UPDATE events SET due_at = :due_at, sends = CASE WHEN :refused THEN 0 ELSE sends END,
    notes = CASE stamp WHEN :stamp THEN notes ELSE notes || :notes END, stamp = :stamp
WHERE bot = :bot AND conversation = :conversation AND id = :id
"""
FINISH: Final = """
UPDATE events SET state = :state, stamp = :stamp, notes = notes || :notes, due_at = NULL, body = '',
    answer = CASE :state WHEN 'UNDELIVERED' THEN answer END
WHERE bot = :bot AND conversation = :conversation AND id = :id
"""
OVERDUE: Final = """
SELECT bot, conversation FROM events
WHERE due_at <= :now AND received_at > :oldest AND bot IN (SELECT value FROM json_each(:bots))
GROUP BY bot, conversation ORDER BY min(due_at) LIMIT :limit
"""

# ---------------------------------------------------------------- what was said

REMEMBER: Final = """
INSERT OR REPLACE INTO messages
    (bot, conversation, at, event, turn_order, role, text, speaker, tokens, overheard, user_id, expires_at)
VALUES
    (:bot, :conversation, :at, :event, :turn_order, :role, :text, :speaker, :tokens, :overheard, :user_id, :expires_at)
"""
_NEWEST: Final = """
SELECT * FROM (
    SELECT * FROM messages
    WHERE bot = :bot AND conversation = :conversation AND overheard = {overheard} AND expires_at > :now
    ORDER BY at DESC, event DESC, turn_order DESC LIMIT {limit}
)
"""
_ORDINARY: Final = _NEWEST.format(overheard=0, limit=":limit")
_OVERHEARD: Final = _NEWEST.format(overheard=1, limit=":overheard")
HISTORY: Final = f"{_ORDINARY} UNION ALL {_OVERHEARD} ORDER BY at, event, turn_order"
CLEAR: Final = """
DELETE FROM messages
WHERE bot = :bot AND conversation = :conversation
    AND (:until IS NULL OR at <= :until) AND (:user_id IS NULL OR user_id = :user_id)
"""
# What begins with the chat's id and a colon is a conversation of one person there; ";" is the character after ":".
DISBAND: Final = """
DELETE FROM messages
WHERE bot = :bot AND at <= :until
    AND (conversation = :shared OR (conversation > :shared || ':' AND conversation < :shared || ';'))
"""
REMEMBERED: Final = """
SELECT 1 FROM messages
WHERE bot = :bot AND conversation = :conversation AND event = :event AND turn_order = :turn_order
"""
FORGET: Final = """
DELETE FROM messages
WHERE bot = :bot AND conversation = :conversation AND event = :event AND turn_order = :turn_order
RETURNING expires_at
"""
FORGET_PERSON: Final = """
DELETE FROM messages WHERE bot = :bot AND (user_id = :user_id OR conversation = :own) RETURNING expires_at
"""
EDIT: Final = """
UPDATE messages SET text = :text, tokens = :tokens, edited_at = :at
WHERE bot = :bot AND conversation = :conversation AND event = :event AND turn_order = :turn_order
AND (edited_at IS NULL OR edited_at < :at)
"""

# ---------------------------------------------------------------- LINE's ids of messages

KEEP_ID: Final = """
INSERT OR REPLACE INTO message_ids (bot, chat, id, role, conversation, event, expires_at)
VALUES (:bot, :chat, :message_id, :role, :conversation, :id, :expires_at)
"""
FIND_ID: Final = """
SELECT role, conversation, event FROM message_ids
WHERE bot = :bot AND chat = :chat AND id = :message_id AND expires_at > :now
"""
# An answer may rest on messages that were covered by it, and by an answer that it covered in turn.
WAITING: Final = """
WITH RECURSIVE answering (id) AS (
    SELECT :event UNION SELECT lead FROM events JOIN answering USING (id) WHERE bot = :bot AND lead IS NOT NULL
)
SELECT *, (SELECT turn FROM events WHERE bot = :bot AND id = :event) AS taken FROM events
WHERE bot = :bot AND id IN (SELECT id FROM answering) AND state != 'DONE'
"""
TAKE_BACK: Final = """
UPDATE events SET unsent = :unsent, revision = :revision, body = :body, answer = :answer, owners = :owners
WHERE bot = :bot AND id = :id
"""
# The answer's place in the history is that of the last message it answers, which need not be its turn's lead.
FORGET_ANSWER: Final = """
DELETE FROM messages
WHERE bot = :bot AND conversation = :conversation AND turn_order = :turn_order
    AND (SELECT turn FROM events WHERE events.bot = messages.bot AND events.id = messages.event) = :turn
RETURNING expires_at
"""
WAITING_OF: Final = """
SELECT * FROM events WHERE bot = :bot AND (user_id = :user_id OR conversation = :own) AND state != 'DONE'
"""
WAITING_IN: Final = """
SELECT * FROM events
WHERE bot = :bot AND state != 'DONE'
    AND (conversation = :shared OR (conversation > :shared || ':' AND conversation < :shared || ';'))
"""
ASKED_AT: Final = "SELECT at FROM events WHERE bot = :bot AND id = :event"

# ---------------------------------------------------------------- chats

PART: Final = """
INSERT INTO chats (bot, chat, parted_at, expires_at) VALUES (:bot, :chat, :parted_at, :expires_at)
ON CONFLICT DO UPDATE SET parted_at = excluded.parted_at, expires_at = excluded.expires_at
WHERE parted_at < excluded.parted_at
"""
PARTED_AT: Final = "SELECT parted_at FROM chats WHERE bot = :bot AND chat = :chat"

# ---------------------------------------------------------------- counters

COUNT: Final = """
INSERT INTO counters (bot, counter, time_window, name, amount, expires_at)
VALUES (:bot, :counter, :window, :name, :amount, :expires_at)
ON CONFLICT DO UPDATE SET amount = amount + excluded.amount, expires_at = max(expires_at, excluded.expires_at)
"""
COUNTED: Final = """
SELECT key AS place, name, amount FROM json_each(:asked)
JOIN counters ON counter = json_extract(value, '$[0]') AND time_window = json_extract(value, '$[1]')
WHERE bot = :bot AND expires_at > :now
"""
TALLY: Final = """
SELECT time_window, name, amount, expires_at FROM counters
WHERE bot = :bot AND counter = :counter AND time_window BETWEEN :first AND :last AND expires_at > :now
ORDER BY time_window, name
"""

# ---------------------------------------------------------------- what has expired

PURGE: Final = (
    "DELETE FROM events WHERE received_at <= :now - :event_life",
    "DELETE FROM messages WHERE expires_at <= :now",
    "DELETE FROM message_ids WHERE expires_at <= :now",
    "DELETE FROM counters WHERE expires_at <= :now",
    "DELETE FROM conversations WHERE expires_at <= :now",
    "DELETE FROM chats WHERE expires_at <= :now",
)
