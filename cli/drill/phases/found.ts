import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeSnapshot } from '../../../protocol/stake/snapshot.ts';
import { runServerCommand, startServer, type RunningChild } from '../child.ts';
import type { MailSink } from '../mail-sink.ts';
import { THRESHOLD, type World } from '../world.ts';

/** A network whose officers are known and whose server listens. */
export interface Founded {
  readonly url: string;
  readonly rootSha256: string;
  readonly server: RunningChild;
}

/** Officers make keys, agree on the root of trust, and the server starts under it. */
export async function foundTrust(world: World, sink: MailSink, port: number): Promise<Founded> {
  const { dir, lead, others, narrator } = world;
  const officers = [lead, ...others];
  const network = `solana:${world.model.genesis}`;
  const serverEnv = {
    ...world.env,
    SEALDROP_DATA: join(dir, 'server'),
    SEALDROP_ROOT: join(dir, 'trust', 'root.json'),
    SEALDROP_PORT: String(port),
    SEALDROP_PUBLIC_URL: `http://127.0.0.1:${port}`,
    SEALDROP_SMTP_URL: sink.url,
    SEALDROP_MAIL_FROM: 'campaigns@sealdrop.invalid',
    SEALDROP_LOG_EPOCH_MS: '1000',
    // Four hundred operators enrol in a minute; a real network takes weeks.
    SEALDROP_LOG_EPOCH_LEAVES: '48',
    SEALDROP_MAIL_CONCURRENCY: '8',
    SEALDROP_LOG_LEVEL: 'warn',
  };
  const serverCard = join(dir, 'server.card.json');
  await writeFile(serverCard, await runServerCommand(['card'], serverEnv));

  const cards = officers.map(({ id }) => join(dir, `${id}.card.json`));
  for (const [i, officer] of officers.entries()) {
    await officer.run('officer init', [], { id: officer.id, out: cards[i] });
  }
  const trustDir = join(dir, 'trust');
  await lead.run('trust init', [], {
    network,
    server: serverCard,
    officer: cards,
    threshold: String(THRESHOLD),
    shareThreshold: String(THRESHOLD),
    expires: '365',
    out: trustDir,
  });
  for (const officer of others) await officer.run('trust sign', [trustDir]);
  const rootSha256 = sha256Hex(await readFile(join(trustDir, 'root.json')));
  narrator.said(`five officers, three of whom decide; root of trust ${rootSha256.slice(0, 16)}…`);

  const server = await startServer(serverEnv);
  for (const officer of officers) await officer.run('trust add', [server.url], { rootSha256 });
  await addNetwork(world);
  narrator.said(`server at ${server.url}, process ${server.pid}`);
  return { url: server.url, rootSha256, server };
}

async function addNetwork({ dir, model, lead, others, narrator }: World): Promise<void> {
  const rows = model.operators.flatMap(({ validators }) =>
    validators.map(({ identity, voteAccount, stake }) => ({ identity, voteAccount, stake })),
  );
  const snapshot = encodeSnapshot({
    network: `solana:${model.genesis}`,
    point: 'epoch 650',
    source: 'real stakes of Solana mainnet-beta, keys made for a rehearsal',
    rows,
  });
  const file = join(dir, 'stake.txt');
  await mkdir(dir, { recursive: true });
  await writeFile(file, snapshot);
  for (const officer of [lead, ...others]) {
    await officer.run('network add', [], {
      genesis: model.genesis,
      stake: file,
      point: 'epoch 650',
      source: 'real stakes of Solana mainnet-beta, keys made for a rehearsal',
    });
  }
  narrator.said(
    `${rows.length} validators with ${model.totalStake} lamports, ` +
      `snapshot ${sha256Hex(snapshot).slice(0, 16)}…`,
  );
}

/** Solana's keypair file: a JSON array of seed and public key. */
export function keypairFile(seed: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return utf8Encode(JSON.stringify([...seed, ...publicKey]));
}
