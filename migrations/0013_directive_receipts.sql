-- 0013_directive_receipts.sql — the log's promise for a completed directive, as it was answered (server/store/directives.ts).

-- Null for what was completed before, or by the release before; those are promised when they are asked for again.
ALTER TABLE directives ADD COLUMN receipt TEXT;
