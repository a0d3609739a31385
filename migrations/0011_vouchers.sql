-- 0011_vouchers.sql — what others than officers vouch for: reviews of a release, endorsements of a commitment.

-- Append-only. One verdict a key and plan; a firm that found a release unsound has said so for good (server/store/reviews.ts).
CREATE TABLE reviews (
  campaign    TEXT NOT NULL REFERENCES campaigns (id),
  plan        TEXT NOT NULL REFERENCES plans (digest),
  firm        TEXT NOT NULL,
  key         TEXT NOT NULL CHECK (length(key) = 64),       -- Ed25519 public key that signed it
  verdict     TEXT NOT NULL CHECK (verdict IN ('sound', 'unsound')),
  digest      TEXT NOT NULL CHECK (length(digest) = 64),    -- SHA-256 of the envelope
  envelope    TEXT NOT NULL,
  accepted_at TEXT NOT NULL,
  receipt     TEXT NOT NULL,
  opening     TEXT NOT NULL REFERENCES openings (digest),
  PRIMARY KEY (campaign, plan, key, verdict)
);

-- Append-only. Public from the first; of each endorser the latest stands (server/store/endorsements.ts).
CREATE TABLE endorsements (
  commitment  TEXT NOT NULL REFERENCES commitments (sha256),
  endorser    TEXT NOT NULL,
  issued_at   TEXT NOT NULL,                                -- by the endorser's clock
  digest      TEXT NOT NULL CHECK (length(digest) = 64),    -- SHA-256 of the envelope
  envelope    TEXT NOT NULL,
  accepted_at TEXT NOT NULL,
  receipt     TEXT NOT NULL,
  opening     TEXT NOT NULL REFERENCES openings (digest),
  PRIMARY KEY (commitment, endorser, issued_at)
);
