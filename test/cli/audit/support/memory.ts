import { AbsentFileError, type RecordFiles } from '../../../../cli/record/record-files.ts';
import type { Files } from '../../../../protocol/embargo/tar.ts';
import { sha256Hex } from '../../../../protocol/encoding/bytes.ts';

/** A record in memory, read as one on disk is. */
export function memoryFiles(files: Files): RecordFiles {
  const find = (path: string): Uint8Array => {
    const bytes = files.get(path);
    if (bytes === undefined) throw new AbsentFileError(path);
    return bytes;
  };
  return {
    sizes: new Map([...files].map(([path, bytes]) => [path, bytes.length])),
    strangers: [],
    read: (path) => Promise.resolve(find(path)),
    digest: (path) => Promise.resolve(sha256Hex(find(path))),
  };
}
