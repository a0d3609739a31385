-- 0009_trust_roots.sql — every root of trust that has been in force, each with its leaf in the log (server/store/trust.ts).

-- Append-only. A root is published in one transaction with the targets that its people signed and with its leaf.
CREATE TABLE trust_roots (
  version      BIGINT PRIMARY KEY CHECK (version >= 1),
  bytes        TEXT   NOT NULL,                               -- the exact file
  sha256       TEXT   NOT NULL CHECK (length(sha256) = 64),
  published_at TEXT   NOT NULL,
  queue_seq    BIGINT NOT NULL UNIQUE REFERENCES log_queue (seq)
);
