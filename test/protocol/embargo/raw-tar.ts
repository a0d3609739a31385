import { concatBytes, utf8Encode } from '../../../protocol/encoding/bytes.ts';

/** One entry of an archive as a hostile packer may write it. */
export interface RawEntry {
  readonly name: string;
  readonly body?: Uint8Array;
  /** `0` file, `1` hard link, `2` symbolic link, `5` folder, `x` pax, `L` GNU long name … */
  readonly type?: string;
  readonly link?: string;
  /** The size field as it stands in the header, if it is not the body's. */
  readonly size?: string;
  readonly prefix?: string;
  readonly mode?: string;
  readonly owner?: string;
}

/** Write a tar archive without any care, padded with zero bytes to `total`. */
export function rawTar(entries: readonly RawEntry[], total = 128 * 1024): Uint8Array {
  const blocks = entries.flatMap((entry) => {
    const body = entry.body ?? new Uint8Array();
    const padded = new Uint8Array(Math.ceil(body.length / 512) * 512);
    padded.set(body);
    return [rawHeader(entry, body.length), padded];
  });
  const archive = new Uint8Array(total);
  archive.set(concatBytes(...blocks));
  return archive;
}

/** The body of a pax header with one record. */
export function paxRecord(key: string, value: string): Uint8Array {
  const rest = ` ${key}=${value}\n`;
  const length = [1, 2, 3]
    .map((digits) => digits + rest.length)
    .find((sum, index) => String(sum).length === index + 1);
  return utf8Encode(`${length ?? 0}${rest}`);
}

function rawHeader(entry: RawEntry, bodyLength: number): Uint8Array {
  const header = new Uint8Array(512);
  const put = (offset: number, text: string): void => {
    header.set(utf8Encode(text), offset);
  };
  put(0, entry.name);
  put(100, entry.mode ?? '0000644\0');
  put(108, entry.owner ?? '0000000\0');
  put(116, '0000000\0');
  put(124, entry.size ?? `${bodyLength.toString(8).padStart(11, '0')}\0`);
  put(136, '00000000000\0');
  put(148, '        ');
  put(156, entry.type ?? '0');
  put(157, entry.link ?? '');
  put(257, 'ustar\x0000');
  put(345, entry.prefix ?? '');
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  put(148, `${checksum.toString(8).padStart(6, '0')}\0 `);
  return header;
}
