import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { timestamper } from '../../server/jobs/timestamper.ts';
import { requestTimestamp } from '../../server/services/log/timestamp.ts';
import { logFiles } from '../../server/store/log/files.ts';
import { tellStory, type Story } from '../cli/audit/support/story.ts';
import { assertFails, audit, failuresOf } from '../cli/audit/support/verdict.ts';
import { startTestServer } from '../support/test-server.ts';
import {
  startTimestampAuthority,
  type TimestampAuthority,
} from '../support/timestamp-authority.ts';
import { writeLog, type LogOnDisk } from './support/log.ts';
import { flipped, missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

describe('openssl ts', { skip: missing('openssl') }, () => {
  let shop: Workshop;
  let log: LogOnDisk;
  let authority: TimestampAuthority;

  before(async () => {
    shop = openWorkshop();
    log = await writeLog(join(shop.path, 'log'), [300, 600]);
    authority = await startTimestampAuthority(shop.path);
  });

  after(async () => {
    await authority[Symbol.asyncDispose]();
    shop.remove();
  });

  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
  const stamper = (): (() => Promise<void>) =>
    timestamper({
      url: authority.url,
      fetch,
      randomBytes: random,
      files: logFiles(log.path),
      signal: new AbortController().signal,
    });
  const timestamps = (): readonly string[] => {
    const folder = join(log.path, 'timestamps');
    return existsSync(folder) ? readdirSync(folder).sort() : [];
  };
  const verify = (token: string, data: string): Outcome =>
    shop.run('openssl', ['ts', '-verify', '-in', token, '-data', data, '-CAfile', authority.ca]);

  it('keeps no answer that is for something else, refused, broken or endless', async () => {
    await requestTimestamp(utf8Encode('x'), { ...authority, fetch, randomBytes: random }, never());
    const old = readFileSync(authority.reply);
    const refusals: readonly ((reply: Buffer) => Buffer)[] = [
      () => old,
      () => Buffer.from('30053003020102', 'hex'),
      (reply) => reply.subarray(0, 40),
      (reply) => Buffer.concat([reply, Buffer.of(0)]),
      () => Buffer.alloc(0),
      () => Buffer.alloc(100_000, 0x30),
    ];
    for (const refusal of refusals) {
      authority.instead = refusal;
      await assert.rejects(stamper()(), { name: 'TimestampError' });
    }
    authority.instead = undefined;
    assert.deepEqual(timestamps(), []);
  });

  it('verifies the token over a checkpoint, and over no other', async () => {
    const before = authority.posts;
    await stamper()();
    await stamper()();
    assert.equal(
      authority.posts,
      before + 1,
      'one checkpoint is stamped once, also by the next process',
    );
    assert.deepEqual(timestamps(), ['600.checkpoint', '600.tsr', 'index']);
    assert.equal(readFileSync(join(log.path, 'timestamps/index'), 'utf8'), '600\n');
    const token = 'log/timestamps/600.tsr';
    assert.match(verify(token, 'log/timestamps/600.checkpoint').text, /Verification: OK/);
    assert.equal(verify(token, 'log/checkpoint').status, 0);
    const earlier = shop.write('earlier', log.checkpoints.get(300) ?? '');
    const other = shop.write('other', flipped(Buffer.from(log.checkpoints.get(600) ?? '')));
    for (const path of [earlier, other]) {
      const { status, text } = verify(token, path);
      assert.notEqual(status, 0);
      assert.doesNotMatch(text, /Verification: OK/);
    }
    const query = shop.run('openssl', ['ts', '-query', '-in', authority.query, '-text']).text;
    assert.match(query, /Hash Algorithm: sha256/);
    assert.match(query, /Certificate required: yes/);
  });

  it('verifies the token that a server keeps, which goes on without its authority', async () => {
    await using server = await startTestServer({ env: { TSA_URL: authority.url } });
    const folder = join(server.dataDirectory, 'log', 'timestamps');
    const deadline = Date.now() + 20_000;
    while (!existsSync(join(folder, 'index')) && Date.now() < deadline) await setImmediate();
    const get = async (path: string): Promise<Response> => fetch(`${server.url}/log/${path}`);
    const size = (await (await get('timestamps/index')).text()).trimEnd();
    const paths = [`timestamps/${size}.tsr`, `timestamps/${size}.checkpoint`];
    const [token = '', data = ''] = await Promise.all(
      paths.map(async (path, i) =>
        shop.write(`served-${i}`, new Uint8Array(await (await get(path)).arrayBuffer())),
      ),
    );
    assert.match(verify(token, data).text, /Verification: OK/);

    const before = (await server.client().get('/log/checkpoint')).text();
    await server.restartWith({ TSA_URL: 'http://127.0.0.1:1/' });
    await server.sequence();
    assert.notEqual((await server.client().get('/log/checkpoint')).text(), before);
    assert.ok(server.logged.every(({ level, job }) => level !== 'error' || job === 'timestamp'));
  });

  describe('a record with tokens', () => {
    /** A record that was timestamped once the commitment was in the log, and at its end. */
    let files: ReadonlyMap<string, Uint8Array>;
    let story: Story;
    const folder = (): string => join(shop.path, 'record');
    const at = (path: string): string => join(folder(), path);

    before(async () => {
      const told = await tellStory({
        edit: async (parts, { log }) => {
          const early = log.leaves.findIndex((leaf) => leaf.startsWith('open/v1 commitment')) + 1;
          const notes = [
            [early, log.note(early)],
            [log.leaves.length, parts.checkpoint],
          ] as const;
          const timestamps = [];
          for (const [size, note] of notes) {
            const checkpoint = utf8Encode(note);
            const deps = { url: authority.url, fetch, randomBytes: random };
            const token = await requestTimestamp(checkpoint, deps, never());
            timestamps.push({ size, checkpoint, token });
          }
          return { ...parts, timestamps };
        },
      });
      ({ files, story } = told);
      for (const [path, bytes] of files) {
        mkdirSync(dirname(at(path)), { recursive: true });
        writeFileSync(at(path), bytes);
      }
    });

    /** What the page of the record says to type. */
    const follow = (ca: string | undefined): Outcome => {
      const page = readFileSync(at('README.md'), 'utf8');
      const block = /```sh\n(for token in timestamps[^`]*)```/.exec(page)?.[1] ?? 'false';
      const script = `set -euo pipefail\n${ca === undefined ? '' : `ca=${ca}\n`}${block}`;
      return shop.run('bash', ['-c', script], { cwd: folder() });
    };

    it('is verified by the commands of its page, and not when tokens change places', () => {
      const good = follow(authority.ca);
      assert.equal(good.status, 0, good.text);
      assert.equal(good.text.match(/Verification: OK/g)?.length, 2);
      assert.match(good.text, /Time stamp: /);
      assert.match(follow(undefined).text, /path of the root certificate/);
      const [first = '', last = ''] = readdirSync(at('timestamps')).filter((it) =>
        it.endsWith('.tsr'),
      );
      const token = readFileSync(at(`timestamps/${first}`));
      writeFileSync(at(`timestamps/${first}`), readFileSync(at(`timestamps/${last}`)));
      assert.notEqual(follow(authority.ca).status, 0, 'a token over another checkpoint');
      writeFileSync(at(`timestamps/${first}`), token);
      rmSync(at('timestamps'), { recursive: true });
      assert.notEqual(follow(authority.ca).status, 0, 'no token at all');
    });

    it('is audited, with the command for what an audit does not judge', async () => {
      assert.deepEqual([...(await failuresOf(files))], []);
      const found = (await audit(files)).find(({ id }) => id === 'timestamps.tokens');
      assert.equal(found?.status, 'pass');
      const size = story.log.leaves.length;
      assert.match(found.detail, new RegExp(`${size} leaves at \\d{4}-.*Z, as the tokens say`));
      assert.match(
        found.detail,
        /not judged here: openssl ts -verify -in timestamps\/\d+\.tsr -data/,
      );
    });

    it('fails its audit when a token is for something else, or its checkpoint of no use', async () => {
      const [early = '', late = ''] = [...files.keys()].filter((it) => it.endsWith('.tsr'));
      const noteOf = (token: string): string => token.replace('.tsr', '.checkpoint');
      const read = (path: string): Uint8Array => files.get(path) ?? new Uint8Array();
      const changed = (...entries: readonly (readonly [string, Uint8Array])[]): typeof files =>
        new Map([...files, ...entries]);
      const check = 'timestamps.tokens';
      await assertFails(changed([early, read(late)]), check, /a token over something else/);
      await assertFails(changed([early, read('SHA256SUMS')]), check, /is no timestamp/);
      await assertFails(changed([noteOf(early), read(noteOf(late))]), check, /has \d+ leaves/);
      const without = new Map(files);
      without.delete(noteOf(early));
      await assertFails(without, check, /is missing/);
      await assertFails(changed(['timestamps/index', utf8Encode('1\n')]), check, /does not belong/);
      const size = Number.parseInt(early.replace('timestamps/', ''), 10);
      const useless = utf8Encode(story.log.note(size - 1));
      await assertFails(
        changed(
          [`timestamps/${size - 1}.checkpoint`, useless],
          [`timestamps/${size - 1}.tsr`, read(early)],
        ),
        check,
        /older than the commitment/,
      );
      // Signed by the log, and of another history: the log said two things.
      story.log.leaves[0] = story.log.leaves[1] ?? '';
      const forked = utf8Encode(story.log.note(size));
      await assertFails(changed([noteOf(early), forked]), check, /proof/);
    });
  });
});

function never(): AbortSignal {
  return new AbortController().signal;
}
