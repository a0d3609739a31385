import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { formatVerifierKey, NOTE_ED25519 } from '../../protocol/signature/verifier-key.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { LOG_VKEY, writeLog, type LogOnDisk } from './support/log.ts';
import { flipped, missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

const SIZES = [0, 1, 2, 255, 256, 257, 600, 65_793, 70_000];

/** fsck up to 1.0.4 exits 0 whatever it finds: only its success line, with size and root, counts. */
function verdict({ text }: Outcome, note: string): boolean {
  const [, size = '', root = ''] = note.split('\n');
  const hex = Buffer.from(root, 'base64').toString('hex');
  const line = text.split('\n').find((it) => it.includes("Successfully fsck'd log"));
  return line !== undefined && line.includes(size) && line.includes(hex);
}

describe('fsck of tessera', { skip: missing('fsck') }, () => {
  let shop: Workshop;
  let log: LogOnDisk;

  before(async () => {
    shop = openWorkshop();
    log = await writeLog(join(shop.path, 'log'), SIZES);
  });

  after(() => {
    shop.remove();
  });

  const parameters = (url: string, vkey = LOG_VKEY): string[] => [
    '--ui=false',
    `--storage_url=${url}/`,
    `--public_key=${shop.write('vkey', vkey)}`,
  ];
  const fsck = (path: string, timeoutMs = 60_000): Outcome =>
    shop.run('fsck', parameters(`file://${path}`), { timeoutMs });

  /** The log as it was published at a size: its checkpoint, and the tiles of later sizes too. */
  const at = (size: number): { path: string; note: string } => {
    const path = join(shop.path, `at-${size}`);
    mkdirSync(path, { recursive: true });
    if (size > 0) symlinkSync(join(log.path, 'tile'), join(path, 'tile'));
    const note = log.checkpoints.get(size) ?? '';
    writeFileSync(join(path, 'checkpoint'), note);
    return { path, note };
  };

  for (const size of SIZES) {
    it(`accepts a log of ${size} leaves`, () => {
      const { path, note } = at(size);
      const outcome = fsck(path);
      assert.ok(verdict(outcome, note), outcome.text);
    });
  }

  it('does not accept a log with anything changed or missing', async () => {
    const good = await writeLog(join(shop.path, 'good'), [600]);
    const note = good.checkpoints.get(600) ?? '';
    const copy = join(shop.path, 'copy');
    const change = (name: string) => (): void => {
      writeFileSync(join(copy, name), flipped(readFileSync(join(copy, name))));
    };
    const changes: readonly (readonly [string, () => void])[] = [
      ['a tile', change('tile/0/001')],
      ['a partial tile', change('tile/0/002.p/88')],
      ['an upper tile', change('tile/1/000.p/2')],
      ['a bundle', change('tile/entries/000')],
      ['the checkpoint', change('checkpoint')],
      [
        'a missing partial tile',
        () => {
          renameSync(join(copy, 'tile/0/002.p/88'), join(shop.path, 'gone'));
        },
      ],
    ];
    assert.ok(verdict(fsck(good.path), note));
    for (const [what, apply] of changes) {
      cpSync(good.path, copy, { recursive: true });
      apply();
      // Some of what it finds makes it wait for ever; success takes a tenth of a second.
      const outcome = fsck(copy, 2000);
      assert.ok(!verdict(outcome, note), `${what}: ${outcome.text}`);
    }
  });
});

describe('fsck of tessera over HTTP', { skip: missing('fsck') }, () => {
  let shop: Workshop;
  let server: TestServer;

  before(async () => {
    shop = openWorkshop();
    server = await startTestServer();
    await server.sequence();
  });

  after(async () => {
    await server.close();
    shop.remove();
  });

  it('accepts the log that the server serves, and not under another key', async () => {
    const note = utf8Decode((await server.client().get('/log/checkpoint')).bytes);
    const { name, publicKey } = server.root.logKey;
    const run = (vkey: string): Promise<Outcome> =>
      shop.start('fsck', [
        '--ui=false',
        `--storage_url=${server.url}/log/`,
        `--public_key=${shop.write('vkey', vkey)}`,
      ]);
    const outcome = await run(formatVerifierKey(name, NOTE_ED25519, publicKey));
    assert.ok(verdict(outcome, note), outcome.text);
    assert.ok(!verdict(await run(LOG_VKEY), note));
  });
});
