-- 0002_log.sql — the transparency log: leaves accepted, leaves numbered, and the head last signed for.

-- Leaves in the order of their acceptance, written by the transaction that accepts what they stand for
-- (server/store/log/queue.ts). Append-only.
CREATE TABLE log_queue (
  seq       BIGINT PRIMARY KEY CHECK (seq >= 1),
  leaf      TEXT   NOT NULL,                               -- exact text, with its newline
  queued_at TEXT   NOT NULL
);

-- Leaves with their index, which is final (server/store/log/leaves.ts). Append-only, without gaps.
CREATE TABLE log_leaf (
  idx       BIGINT PRIMARY KEY CHECK (idx >= 0),
  leaf      TEXT   NOT NULL,
  queue_seq BIGINT UNIQUE REFERENCES log_queue (seq)       -- NULL for a leaf that only fills up
);

-- One row per log, moved only by compare-and-swap and before its checkpoint is signed (server/store/log/head.ts).
CREATE TABLE log_head (
  origin    TEXT   PRIMARY KEY,
  tree_size BIGINT NOT NULL CHECK (tree_size >= 0),        -- leaves
  root_hash TEXT   NOT NULL CHECK (length(root_hash) = 64) -- SHA-256, lower-case hex
);
