-- 0007_padding.sql — dummies: leaves that only fill up are derived from one secret and not stored.

-- How far leaves have an index (server/store/log/leaves.ts). One row. Those below `tree_size` that are not in
-- log_leaf are dummies.
CREATE TABLE log_numbered (
  id        BIGINT PRIMARY KEY CHECK (id = 1),
  tree_size BIGINT NOT NULL CHECK (tree_size >= 0),        -- leaves
  queue_seq BIGINT NOT NULL CHECK (queue_seq >= 0)         -- every queued leaf up to here is in log_leaf
);
INSERT INTO log_numbered (id, tree_size, queue_seq)
  SELECT 1, COALESCE(MAX(idx) + 1, 0), COALESCE(MAX(queue_seq), 0) FROM log_leaf;

-- What each disclosure has done with the dummies before it (server/store/accounting.ts).
CREATE TABLE accounted_dummies (
  campaign TEXT   PRIMARY KEY REFERENCES campaigns (id),
  how      TEXT   NOT NULL CHECK (how IN ('dummy', 'withheld')),
  below    BIGINT NOT NULL CHECK (below >= 0)              -- index of the disclosure leaf
);

-- log_head is not used any more: the last signed head is in a file of its own (server/store/log/head.ts).
