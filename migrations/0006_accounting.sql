-- 0006_accounting.sql — which sealed leaves have been accounted for (server/services/disclosure/accounting.ts).

CREATE TABLE accounted (
  leaf     BIGINT NOT NULL CHECK (leaf >= 0),              -- index of the sealed leaf
  how      TEXT   NOT NULL CHECK (how IN ('opened', 'withheld', 'dummy')),
  campaign TEXT   NOT NULL REFERENCES campaigns (id),      -- whose disclosure did it
  PRIMARY KEY (leaf, how)
);
