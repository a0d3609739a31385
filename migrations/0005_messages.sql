-- 0005_messages.sql — the outbox: encrypted mails on their way to operators (server/jobs/mail-worker.ts).

CREATE TABLE messages (
  seq             BIGINT PRIMARY KEY,
  campaign        TEXT   NOT NULL REFERENCES campaigns (id),
  operator        TEXT   NOT NULL CHECK (length(operator) = 64),
  kind            TEXT   NOT NULL CHECK (kind IN ('notice', 'closing')),
  armored         TEXT   NOT NULL,                          -- PGP MESSAGE, encrypted by an officer
  message_id      TEXT   NOT NULL UNIQUE,                   -- of the mail; a resent one keeps it
  state           TEXT   NOT NULL CHECK (state IN ('queued', 'deferred', 'sent', 'bounced')),
  attempts        BIGINT NOT NULL CHECK (attempts >= 0),
  next_attempt_at TEXT   NOT NULL,
  updated_at      TEXT   NOT NULL,
  UNIQUE (campaign, operator, kind)
);
CREATE INDEX messages_due ON messages (state, next_attempt_at);
