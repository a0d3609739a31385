-- 0012_break_glass.sql — a second split of the release key, and whether it was broken.

ALTER TABLE campaigns ADD COLUMN break_glass BIGINT NOT NULL DEFAULT 0 CHECK (break_glass IN (0, 1));

-- A check cannot be changed in place. Nothing refers to these two.
CREATE TABLE custody_with_break_glass (
  plan    TEXT NOT NULL REFERENCES plans (digest),
  key     TEXT NOT NULL CHECK (key IN ('release', 'closing', 'break-glass')),
  officer TEXT NOT NULL,
  sealed  TEXT NOT NULL,                                    -- base64
  PRIMARY KEY (plan, key, officer)
);
INSERT INTO custody_with_break_glass SELECT plan, key, officer, sealed FROM custody;
DROP TABLE custody;
ALTER TABLE custody_with_break_glass RENAME TO custody;

CREATE TABLE publications_with_break_glass (
  campaign    TEXT NOT NULL REFERENCES campaigns (id),
  kind        TEXT NOT NULL CHECK (kind IN ('release', 'closing', 'break-glass', 'release-key')),
  officer     TEXT NOT NULL,
  subject     TEXT NOT NULL CHECK (length(subject) = 64),   -- share's commitment, or the recipient's digest
  digest      TEXT NOT NULL CHECK (length(digest) = 64),    -- SHA-256 of the envelope
  envelope    TEXT NOT NULL,
  accepted_at TEXT NOT NULL,
  receipt     TEXT NOT NULL,
  opening     TEXT NOT NULL REFERENCES openings (digest),
  PRIMARY KEY (campaign, kind, officer, subject)
);
INSERT INTO publications_with_break_glass
  SELECT campaign, kind, officer, subject, digest, envelope, accepted_at, receipt, opening
  FROM publications;
DROP TABLE publications;
ALTER TABLE publications_with_break_glass RENAME TO publications;
