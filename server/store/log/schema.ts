/** Tables of the transparency log, as `migrations/0002_log.sql` and `0007_padding.sql` make them. */
export interface LogSchema {
  log_queue: { seq: number; leaf: string; queued_at: string };
  log_leaf: { idx: number; leaf: string; queue_seq: number | null };
  /** Of earlier releases; a later migration drops it. */
  log_head: { origin: string; tree_size: number; root_hash: string };
  log_numbered: { id: number; tree_size: number; queue_seq: number };
  accounted_dummies: { campaign: string; how: 'dummy' | 'withheld'; below: number };
}
