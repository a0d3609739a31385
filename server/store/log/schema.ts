/** Tables of the transparency log, as `migrations/0002_log.sql` makes them. */
export interface LogSchema {
  log_queue: { seq: number; leaf: string; queued_at: string };
  log_leaf: { idx: number; leaf: string; queue_seq: number | null };
  log_head: { origin: string; tree_size: number; root_hash: string };
}
