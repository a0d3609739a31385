import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { toHex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Checkpoint } from '../../protocol/log/checkpoint.ts';
import { readAnyCheckpoint } from '../../protocol/log/witness-request.ts';
import { parseNote } from '../../protocol/signature/note.ts';
import { CliError } from '../errors.ts';

/** What a witness cosigned last of one log. */
export interface Remembered {
  readonly checkpoint: Checkpoint;
  /** Unix seconds of the cosignature in `note`. */
  readonly time: number;
  /** With the log's signature and ours. */
  readonly note: string;
}

/**
 * The memory of a witness: for every log the checkpoint that it cosigned last. It never goes back.
 *
 * One process holds it. Every method is synchronous, so nothing comes between a check and what is
 * stored after it; what was stored survives a power cut.
 */
export interface WitnessMemory extends Disposable {
  find(origin: string): Remembered | undefined;
  /** By SHA-256 of the origin, lower-case hex. */
  findByHash(originHash: string): Remembered | undefined;
  /**
   * Decide about one log and store the decision, or nothing when `decide` gives none or throws.
   *
   * @throws Error for a smaller size than before: a bug of the caller.
   */
  update(
    origin: string,
    originHash: string,
    decide: (latest: Remembered | undefined) => Remembered | undefined,
  ): void;
}

const SCHEMA = `
  CREATE TABLE latest (
    origin      TEXT    PRIMARY KEY,
    origin_hash TEXT    NOT NULL UNIQUE,
    size        INTEGER NOT NULL CHECK (size >= 0),
    root        TEXT    NOT NULL CHECK (length(root) = 64),
    time        INTEGER NOT NULL,
    note        TEXT    NOT NULL
  ) STRICT;
  PRAGMA user_version = 1`;

const COLUMNS = 'SELECT size, root, time, note FROM latest';

/** Make an empty memory. @throws Error when the file is there already. */
export function createMemory(path: string): void {
  const database = new DatabaseSync(path);
  try {
    secure(database, path);
    database.exec(`BEGIN; ${SCHEMA}; COMMIT`);
  } finally {
    database.close();
  }
}

/**
 * Open the memory for this process alone.
 *
 * @throws {@link CliError} when another process has it, or when it is missing or damaged: a witness
 *   that has forgotten could cosign a second history, so nothing is started afresh here.
 */
export function openMemory(path: string): WitnessMemory {
  const database = openDatabase(path);
  try {
    secure(database, path);
    checkContent(database);
  } catch (error) {
    database.close();
    throw error;
  }
  const byOrigin = database.prepare(`${COLUMNS} WHERE origin = ?`);
  const byHash = database.prepare(`${COLUMNS} WHERE origin_hash = ?`);
  const upsert = database.prepare(
    `INSERT INTO latest (origin, origin_hash, size, root, time, note) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (origin) DO UPDATE
     SET size = excluded.size, root = excluded.root, time = excluded.time, note = excluded.note
     WHERE latest.size < excluded.size
        OR (latest.size = excluded.size AND latest.root = excluded.root)`,
  );
  const find = (origin: string): Remembered | undefined => readRow(byOrigin.get(origin));

  return {
    find,
    findByHash: (originHash) => readRow(byHash.get(originHash)),
    update(origin, originHash, decide) {
      database.exec('BEGIN IMMEDIATE');
      try {
        const next = decide(find(origin));
        if (next !== undefined) {
          const { checkpoint, time, note } = next;
          const { size, root } = checkpoint;
          const { changes } = upsert.run(origin, originHash, size, toHex(root), time, note);
          if (changes !== 1) throw new Error('a witness does not go back');
        }
        database.exec('COMMIT');
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    },
    [Symbol.dispose]() {
      database.close();
    },
  };
}

function openDatabase(path: string): DatabaseSync {
  // SQLite would make a new file where none is, unless asked not to.
  const url = pathToFileURL(resolve(path));
  url.searchParams.set('mode', 'rw');
  try {
    return new DatabaseSync(url);
  } catch (cause) {
    throw new CliError(
      `the memory of this witness, ${path}, cannot be opened`,
      'restore it; if it is lost, make another witness with a key of its own: sealdrop witness init',
      { cause },
    );
  }
}

/** One process, and every commit flushed with the name of the journal that it removes. */
function secure(database: DatabaseSync, path: string): void {
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = EXTRA');
    database.exec('BEGIN EXCLUSIVE; COMMIT');
  } catch (cause) {
    if (!isBusy(cause)) throw damaged(cause);
    throw new CliError(`another process holds ${path}`, 'one witness runs on a folder', { cause });
  }
  const { synchronous } = database.prepare('PRAGMA synchronous').get() ?? {};
  if (synchronous !== 3) throw new Error('commits would not be durable');
}

function checkContent(database: DatabaseSync): void {
  try {
    const { integrity_check: verdict } = database.prepare('PRAGMA integrity_check').get() ?? {};
    if (verdict !== 'ok') throw new Error('integrity check failed');
    for (const row of database.prepare('SELECT origin, size, root, time, note FROM latest').all()) {
      const checkpoint = readRow(row)?.checkpoint;
      const isWhole =
        checkpoint?.origin === row['origin'] &&
        checkpoint !== undefined &&
        toHex(checkpoint.root) === row['root'];
      if (!isWhole) throw new Error('a row does not match its note');
    }
  } catch (cause) {
    throw damaged(cause);
  }
}

/** What was stored was verified before; the note holds all of it. */
function readRow(row: Record<string, unknown> | undefined): Remembered | undefined {
  if (row === undefined) return undefined;
  const { size, time, note } = row;
  if (typeof time !== 'number' || typeof note !== 'string') throw new Error('malformed row');
  const checkpoint = readAnyCheckpoint(parseNote(note).text);
  if (checkpoint.size !== size)
    throw new ProtocolError('checkpoint_invalid', 'row of another size');
  return { checkpoint, time, note };
}

function damaged(cause: unknown): CliError {
  return new CliError(
    'the memory of this witness is damaged',
    'restore it; if it is lost, make another witness with a key of its own: sealdrop witness init',
    { cause },
  );
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}
