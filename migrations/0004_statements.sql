-- 0004_statements.sql — what operators say, and the shares and keys that officers publish.

-- Append-only; counters rise per operator and campaign, whatever the kind.
CREATE TABLE statements (
  campaign    TEXT   NOT NULL REFERENCES campaigns (id),
  seq         BIGINT NOT NULL CHECK (seq >= 1),             -- within the campaign
  operator    TEXT   NOT NULL CHECK (length(operator) = 64),
  kind        TEXT   NOT NULL,
  revision    BIGINT NOT NULL,
  counter     BIGINT NOT NULL CHECK (counter >= 1),
  digest      TEXT   NOT NULL CHECK (length(digest) = 64),  -- SHA-256 of the envelope
  envelope    TEXT   NOT NULL,
  accepted_at TEXT   NOT NULL,
  receipt     TEXT   NOT NULL,
  opening     TEXT   NOT NULL REFERENCES openings (digest),
  PRIMARY KEY (campaign, seq),
  UNIQUE (campaign, operator, counter)
);

-- One share an officer and key, and one release key an officer.
CREATE TABLE publications (
  campaign    TEXT NOT NULL REFERENCES campaigns (id),
  kind        TEXT NOT NULL CHECK (kind IN ('release', 'closing', 'release-key')),
  officer     TEXT NOT NULL,
  subject     TEXT NOT NULL CHECK (length(subject) = 64),   -- share's commitment, or the recipient's digest
  digest      TEXT NOT NULL CHECK (length(digest) = 64),    -- SHA-256 of the envelope
  envelope    TEXT NOT NULL,
  accepted_at TEXT NOT NULL,
  receipt     TEXT NOT NULL,
  opening     TEXT NOT NULL REFERENCES openings (digest),
  PRIMARY KEY (campaign, kind, officer, subject)
);
