-- 0010_mails.sql — a mail tells of one directive, so that every turn of a campaign reaches every operator (server/store/messages.ts).

-- The outbox: encrypted mails on their way to operators (server/jobs/mail-worker.ts).
CREATE TABLE mails (
  seq             BIGINT PRIMARY KEY,
  campaign        TEXT   NOT NULL REFERENCES campaigns (id),
  operator        TEXT   NOT NULL CHECK (length(operator) = 64),
  kind            TEXT   NOT NULL CHECK (kind IN ('notice', 'turn', 'closing')),
  directive       BIGINT NOT NULL CHECK (directive >= 0),   -- number of the one that it tells of; 0 for those of before
  armored         TEXT   NOT NULL,                          -- PGP MESSAGE, encrypted by an officer
  message_id      TEXT   NOT NULL UNIQUE,                   -- of the mail; a resent one keeps it
  state           TEXT   NOT NULL CHECK (state IN ('queued', 'deferred', 'sent', 'bounced')),
  attempts        BIGINT NOT NULL CHECK (attempts >= 0),
  next_attempt_at TEXT   NOT NULL,
  updated_at      TEXT   NOT NULL,
  UNIQUE (campaign, operator, kind, directive)
);
CREATE INDEX mails_due ON mails (state, next_attempt_at);
INSERT INTO mails (seq, campaign, operator, kind, directive, armored, message_id, state, attempts, next_attempt_at, updated_at)
  SELECT seq, campaign, operator, kind, 0, armored, message_id, state, attempts, next_attempt_at, updated_at FROM messages;

-- messages is not used any more.
