import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const CHUNK = 16 * 1024 * 1024;
const OVERLAP = 1024;

/** Whether the memory of a child can be read here, as a core dump of it would show it. */
export const canReadMemory = process.platform === 'linux';

/**
 * Everything that a running process has written to memory, in pieces that overlap by
 * 1 KiB. What another thread of it unmaps meanwhile is left out.
 */
export function* memoryOf(pid: number): Generator<Buffer> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { start, end } of writableRegions(pid)) {
      for (let at = start; at < end; at += CHUNK) {
        const piece = Buffer.alloc(Math.min(CHUNK + OVERLAP, end - at));
        const length = tryRead(memory, piece, at);
        if (length > 0) yield piece.subarray(0, length);
      }
    }
  } finally {
    closeSync(memory);
  }
}

function writableRegions(pid: number): { start: number; end: number }[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').trimEnd().split('\n');
  return lines.flatMap((line) => {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    if (start === undefined || end === undefined || /\[v[a-z]+\]$/.test(line)) return [];
    return [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }];
  });
}

function tryRead(memory: number, piece: Buffer, at: number): number {
  try {
    return readSync(memory, piece, 0, piece.length, at);
  } catch {
    return 0;
  }
}
