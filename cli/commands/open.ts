import { openAge } from '../../platform/age.ts';
import { parseSums, SUMS_NAME } from '../../protocol/embargo/sums.ts';
import { MAX_ARCHIVE_BYTES, unpackFiles, type Files } from '../../protocol/embargo/tar.ts';
import { sha256HexOfLarge, utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { argument, getOption, type Command } from '../command.ts';
import { readInputFile } from '../home/files.ts';
import { writeFiles } from '../operator/write-files.ts';

const MAX_KEY_BYTES = 1024;

export const openCommand: Command = {
  name: 'open',
  group: 'all',
  summary: 'Open an age bundle with its key, offline; says nothing about who made it',
  args: [{ name: 'bundle', description: 'the .age file' }],
  options: [
    { flag: '--key <file>', description: 'file with AGE-SECRET-KEY-1…', required: true },
    { flag: '--out <dir>', description: 'new folder for its files', required: true },
  ],
  example: 'sealdrop open --key record/release.key record/bundles/1f3c….age --out ./opened',

  async run(input, context) {
    const key = utf8Decode(await readInputFile(getOption(input, 'key'), MAX_KEY_BYTES)).trim();
    const bundle = await readInputFile(argument(input, 0), 2 * MAX_ARCHIVE_BYTES);
    const files = await unpackFiles(await openAge(bundle, key));
    const checked = await checkSums(files);
    const out = getOption(input, 'out');
    await writeFiles(out, files);
    for (const name of files.keys()) context.out.line(`${out}/${name}`);
    context.out.note(`${checked} files match the SHA256SUMS inside; check who signed it: verify`);
    context.out.summary({ out, files: [...files.keys()], checked });
  },
};

/** How many files match the list beside them. */
async function checkSums(files: Files): Promise<number> {
  const list = files.get(SUMS_NAME);
  if (list === undefined) return 0;
  let checked = 0;
  for (const { name, sha256 } of parseSums(list)) {
    const bytes = files.get(name);
    if (bytes === undefined) continue;
    if ((await sha256HexOfLarge(bytes)) !== sha256) {
      throw new ProtocolError('bundle_invalid', `${name} is not the file that SHA256SUMS lists`);
    }
    checked += 1;
  }
  return checked;
}
