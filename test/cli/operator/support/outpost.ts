import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../../../cli/command.ts';
import { enrollCommand } from '../../../../cli/commands/enroll.ts';
import { trustAddCommand } from '../../../../cli/commands/trust-add.ts';
import { openHome } from '../../../../cli/home/home.ts';
import { buildMessage } from '../../../../cli/mail/message.ts';
import { generateSeed, signerFromSeed } from '../../../../platform/ed25519.ts';
import { readContactKey } from '../../../../protocol/contact/key.ts';
import { fromHex, toBase58 } from '../../../../protocol/encoding/bytes.ts';
import { testClock, type TestClock } from '../../../support/clock.ts';
import { makeValidator, snapshotOf } from '../../../support/operators.ts';
import type { SealOptions } from '../../../support/campaign.ts';
import { expectStatus, openStory, postSnapshot, type Story } from '../../../support/story.ts';
import {
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from '../../../support/test-server.ts';
import { testContext, type TestContext } from '../../support/context.ts';

/** A real server, and validators whose keypair files are at hand. */
export interface Outpost extends AsyncDisposable {
  readonly folder: string;
  readonly server: TestServer;
  readonly clock: TestClock;
  /** Solana keypair files, and the identities in them. */
  readonly keypairs: readonly { readonly path: string; readonly identity: string }[];
  readonly snapshot: { readonly sha256: string; readonly point: string };
  openStory(options?: Pick<SealOptions, 'mirrors'>): Promise<Story>;
  /** A machine of an operator who trusts the server; not enrolled yet. */
  machine(options?: Partial<TestContext> & { json?: boolean }): Promise<TestContext>;
  /** A machine whose operator has enrolled the first validator. */
  enrolled(options?: Partial<TestContext> & { json?: boolean }): Promise<TestContext>;
  /** Let the first officer write to the operator of a machine. */
  sendNotice(
    story: Story,
    machine: TestContext,
    files?: ReadonlyMap<string, Uint8Array>,
  ): Promise<void>;
}

export async function openOutpost(
  options: (clock: TestClock) => TestServerOptions = () => ({}),
): Promise<Outpost> {
  const folder = await mkdtemp(join(tmpdir(), 'sealdrop-outpost-'));
  // tuf-js judges expiry by the machine's clock, so the server's cannot be far from it.
  const clock = testClock(Math.floor(Date.now() / 1000) * 1000);
  const server = await startTestServer({ ...options(clock), now: clock.now });
  const keypairs = await Promise.all([1, 2].map((n) => writeKeypair(join(folder, `id-${n}.json`))));
  const validators = keypairs.map(({ identity }) => ({ ...makeValidator(40n), identity }));
  const snapshot = await postSnapshot(server, snapshotOf([...validators, makeValidator(20n)]));

  const machine: Outpost['machine'] = async (options = {}) => {
    const context = await testContext({
      now: clock.now,
      sleep: async (ms) => {
        clock.advance(ms);
        await server.sequence();
      },
      ...options,
    });
    if ((await openHome(context).findConfig()) === undefined) {
      const pin = { rootSha256: server.rootSha256 };
      await runCommand(trustAddCommand, { args: [server.url], options: pin }, context);
      context.said.stdout = '';
    }
    return context;
  };

  return {
    folder,
    server,
    clock,
    keypairs,
    snapshot,
    openStory: (options = {}) => openStory(server, { snapshot, ...options }),
    machine,
    async enrolled(options) {
      const context = await machine(options);
      const identity = keypairs.slice(0, 1).map(({ path }) => path);
      const input = { options: { identity, email: 'ops@validator.example' } };
      await runCommand(enrollCommand, input, context);
      context.said.stdout = '';
      return context;
    },
    async sendNotice(story, operator, files) {
      const [lead] = server.officers;
      const { signer, openpgp } = await openHome(operator).operatorKeys();
      if (lead === undefined) throw new Error('a server has officers');
      const attachments = files ?? noticeFiles(story);
      const armored = await buildMessage({
        from: { name: 'Foundation', address: 'security@foundation.example' },
        signingKey: lead.openpgp.privateKey,
        recipient: (await readContactKey(openpgp)).toPublic().armor(),
        subject: 'Notice',
        text: 'Please read notice.txt.\n',
        attachments: [...attachments].map(([name, bytes]) => ({ name, bytes })),
        messageId: `<${generateHex()}@foundation.example>`,
        date: new Date(Math.floor(clock.now() / 1000) * 1000),
        exercise: false,
      });
      const messages = [{ operator: signer.publicKey, kind: 'notice', armored }];
      const answer = await server.client(lead.signing).post(`${story.path}/messages`, { messages });
      expectStatus(answer, 200);
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What goes with a notice. */
export function noticeFiles({ sealed }: Story): ReadonlyMap<string, Uint8Array> {
  const names = ['COMMITMENT', 'notice.txt'];
  return new Map(names.map((name) => [name, sealed.documents.get(name) ?? new Uint8Array()]));
}

async function writeKeypair(path: string): Promise<{ path: string; identity: string }> {
  const seed = generateSeed();
  const publicKey = fromHex(signerFromSeed(seed).publicKey, 32);
  await writeFile(path, JSON.stringify([...seed, ...publicKey]));
  return { path, identity: toBase58(publicKey) };
}

const generateHex = (): string => Buffer.from(generateSeed()).toString('hex').slice(0, 16);
