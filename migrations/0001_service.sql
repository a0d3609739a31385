-- 0001_service.sql — what belongs to no single campaign: sealed openings, blobs, snapshots, operators, trust.

-- What opens each sealed leaf of the log, kept back until its campaign is disclosed (server/store/openings.ts).
CREATE TABLE openings (
  digest    TEXT   PRIMARY KEY CHECK (length(digest) = 64), -- SHA-256 of the opening: what the leaf holds
  queue_seq BIGINT NOT NULL UNIQUE,                         -- of the leaf, in log_queue
  campaign  TEXT   NOT NULL,                                -- SDX-0000-0000 for enrolments
  kind      TEXT   NOT NULL,
  opening   TEXT   NOT NULL                                 -- base64 of the sealed document
);
CREATE INDEX openings_campaign ON openings (campaign, queue_seq);

-- Ciphertext on disk that is complete and flushed (server/store/blobs.ts).
CREATE TABLE blobs (
  sha256    TEXT   PRIMARY KEY CHECK (length(sha256) = 64),
  size      BIGINT NOT NULL CHECK (size >= 0),             -- bytes
  stored_at TEXT   NOT NULL
);

-- Stake snapshots, canonical bytes on disk.
CREATE TABLE snapshots (
  sha256    TEXT   PRIMARY KEY CHECK (length(sha256) = 64),
  seq       BIGINT NOT NULL UNIQUE,                        -- the highest one is the latest
  network   TEXT   NOT NULL,
  point     TEXT   NOT NULL,
  posted_at TEXT   NOT NULL
);

-- Every binding ever accepted; the latest of an operator stands.
CREATE TABLE enrolments (
  seq         BIGINT PRIMARY KEY,
  digest      TEXT   NOT NULL UNIQUE CHECK (length(digest) = 64), -- SHA-256 of the envelope
  operator    TEXT   NOT NULL CHECK (length(operator) = 64),      -- Ed25519 public key
  envelope    TEXT   NOT NULL,
  email       TEXT   NOT NULL,
  openpgp     TEXT   NOT NULL,                                    -- armored public key
  accepted_at TEXT   NOT NULL,
  receipt     TEXT   NOT NULL,
  opening     TEXT   NOT NULL REFERENCES openings (digest)
);
CREATE INDEX enrolments_operator ON enrolments (operator, seq);

-- Officers' TUF targets metadata, each version once.
CREATE TABLE tuf_targets (
  version BIGINT PRIMARY KEY CHECK (version >= 1),
  bytes   TEXT   NOT NULL,                                 -- the exact file
  sha256  TEXT   NOT NULL CHECK (length(sha256) = 64)
);
