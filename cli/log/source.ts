import { join } from 'node:path';
import { readFileBoundedSync } from '../../platform/read-file.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Client } from '../client/client.ts';
import { CliError, ProblemError } from '../errors.ts';
import { hasErrorCode } from '../home/files.ts';
import { LIMIT } from '../../protocol/record/layout.ts';

/** Where a log is read from. Nothing of it is believed. */
export interface LogSource {
  /** The newest checkpoint, a signed note. */
  checkpoint(): Promise<string>;
  /** A tile or entry bundle by path. @throws {@link ProtocolError} `proof_invalid` when it is missing. */
  tile(path: string): Promise<Uint8Array>;
  /** Where the tiles are files, so that threads can read them by themselves. */
  readonly directory?: string;
  /** What a server gives out once a campaign is disclosed. */
  readonly disclosed?: Pick<Client, 'openings' | 'dummies'>;
}

/** A tile; undefined when it is missing. */
export async function findTile(
  source: Pick<LogSource, 'tile'>,
  path: string,
): Promise<Uint8Array | undefined> {
  try {
    return await source.tile(path);
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'proof_invalid') return undefined;
    throw error;
  }
}

/** A log as files: `checkpoint` and `tile/` in one folder. */
export function directorySource(directory: string): LogSource {
  return {
    directory,
    checkpoint: () =>
      Promise.try(() => {
        try {
          return utf8Decode(readFileBoundedSync(join(directory, 'checkpoint'), LIMIT.small));
        } catch (error) {
          if (!hasErrorCode(error, 'ENOENT')) throw error;
          throw new CliError(
            `${directory} has no checkpoint`,
            'name a record, or a folder with checkpoint and tile/',
            { cause: error },
          );
        }
      }),
    tile: (path) =>
      Promise.try(() => {
        try {
          return readFileBoundedSync(join(directory, path), LIMIT.tile);
        } catch (error) {
          throw hasErrorCode(error, 'ENOENT') ? missing(path) : error;
        }
      }),
  };
}

/** A log on a server. A tile that the checkpoint implies and the server does not have is a breach. */
export function serverSource(
  client: Pick<Client, 'checkpoint' | 'tile'>,
  disclosed?: LogSource['disclosed'],
): LogSource {
  return {
    ...(disclosed !== undefined && { disclosed }),
    async checkpoint() {
      try {
        return await client.checkpoint();
      } catch (error) {
        if (!isMissing(error)) throw error;
        throw new CliError(
          'there is no log at this address',
          'name the server as for trust add, without /log; a new one has a log within an epoch',
          { cause: error },
        );
      }
    },
    async tile(path) {
      try {
        return await client.tile(path);
      } catch (error) {
        throw isMissing(error) ? missing(path) : error;
      }
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 404;
}

/** What {@link LogSource.tile} throws when there is none. */
export function missing(path: string): ProtocolError {
  return new ProtocolError('proof_invalid', `${path} is missing`);
}
