-- 0003_campaigns.sql — campaigns, their plans, and what officers decide about them.

-- Plans are kept for ever, also those that were never put in force.
CREATE TABLE plans (
  digest    TEXT   PRIMARY KEY CHECK (length(digest) = 64), -- SHA-256 of plan.txt
  campaign  TEXT   NOT NULL,
  revision  BIGINT NOT NULL CHECK (revision >= 1),
  bytes     TEXT   NOT NULL,                                -- base64 of plan.txt
  stored_at TEXT   NOT NULL
);
CREATE INDEX plans_campaign ON plans (campaign, revision);

-- Where each campaign stands; moved only by compare-and-swap on `sequence` and `events`.
CREATE TABLE campaigns (
  id                TEXT   PRIMARY KEY,
  plan              TEXT   NOT NULL REFERENCES plans (digest), -- in force
  status            TEXT   NOT NULL,
  sequence          BIGINT NOT NULL CHECK (sequence >= 0),     -- completed directives
  previous          TEXT,                                      -- digest of the last one's payload
  root_version      BIGINT NOT NULL,
  release_time      TEXT   NOT NULL,                           -- T0 as it stands
  latest_disclosure TEXT   NOT NULL,
  released          BIGINT NOT NULL CHECK (released IN (0, 1)),
  events            BIGINT NOT NULL CHECK (events >= 0),       -- how many there are
  created_at        TEXT   NOT NULL,
  armed_at          TEXT,
  released_at       TEXT,
  supermajority_at  TEXT,
  disclosed_at      TEXT,
  opened_at         TEXT,
  closing_key       TEXT,                                      -- only once disclosed and opened
  disclosure_seq    BIGINT                                     -- of its disclosure leaf, in log_queue
);

-- Each officer's shares, age files to that officer.
CREATE TABLE custody (
  plan    TEXT NOT NULL REFERENCES plans (digest),
  key     TEXT NOT NULL CHECK (key IN ('release', 'closing')),
  officer TEXT NOT NULL,
  sealed  TEXT NOT NULL,                                    -- base64
  PRIMARY KEY (plan, key, officer)
);

-- The second age file of a plan: signatures over the plaintext.
CREATE TABLE signatures (
  plan      TEXT PRIMARY KEY REFERENCES plans (digest),
  sealed    TEXT NOT NULL,                                  -- base64
  stored_at TEXT NOT NULL
);

-- Completed directives, one a number.
CREATE TABLE directives (
  campaign     TEXT   NOT NULL REFERENCES campaigns (id),
  sequence     BIGINT NOT NULL CHECK (sequence >= 1),
  digest       TEXT   NOT NULL CHECK (length(digest) = 64), -- SHA-256 of the payload
  envelope     TEXT   NOT NULL,
  completed_at TEXT   NOT NULL,
  opening      TEXT   NOT NULL REFERENCES openings (digest),
  PRIMARY KEY (campaign, sequence)
);

-- Directives that have not enough signatures yet, at most one begun by each officer.
CREATE TABLE proposals (
  campaign   TEXT   NOT NULL REFERENCES campaigns (id),
  proposer   TEXT   NOT NULL,
  digest     TEXT   NOT NULL CHECK (length(digest) = 64),   -- SHA-256 of the payload
  seq        BIGINT NOT NULL,                               -- later is higher
  envelope   TEXT   NOT NULL,
  targets    TEXT,                                          -- TUF targets with the same signers
  PRIMARY KEY (campaign, proposer)
);

-- What accompanied each officer's signature under a commit: an age file to all officers.
CREATE TABLE attachments (
  campaign  TEXT NOT NULL REFERENCES campaigns (id),
  officer   TEXT NOT NULL,
  sealed    TEXT NOT NULL,                                  -- base64
  PRIMARY KEY (campaign, officer)
);

-- Public commitments, in the order in which they were made.
CREATE TABLE commitments (
  sha256       TEXT   PRIMARY KEY CHECK (length(sha256) = 64),
  queue_seq    BIGINT NOT NULL UNIQUE,                         -- of its leaf, in log_queue
  campaign     TEXT   NOT NULL REFERENCES campaigns (id),
  committed_at TEXT   NOT NULL
);

-- What happened to a campaign, numbered within it.
CREATE TABLE events (
  campaign TEXT   NOT NULL REFERENCES campaigns (id),
  seq      BIGINT NOT NULL CHECK (seq >= 1),
  at       TEXT   NOT NULL,
  type     TEXT   NOT NULL,
  detail   TEXT   NOT NULL CHECK (length(detail) <= 256),
  opening  TEXT   NOT NULL REFERENCES openings (digest),
  PRIMARY KEY (campaign, seq)
);

-- Committed documents, once the closing key is out and they have been checked. Empty before.
CREATE TABLE documents (
  campaign TEXT NOT NULL REFERENCES campaigns (id),
  name     TEXT NOT NULL,
  sha256   TEXT NOT NULL CHECK (length(sha256) = 64),
  bytes    TEXT NOT NULL,                                   -- base64
  PRIMARY KEY (campaign, name)
);
