import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { listenWitness } from '../../cli/witness/http.ts';
import { makeWitness, memoryPath, vkeyOf } from '../../cli/witness/identity.ts';
import { openMemory } from '../../cli/witness/memory.ts';
import { witnessService, type WitnessOutcome } from '../../cli/witness/service.ts';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { leafHash, consistencyProof, rootOf } from '../../protocol/log/merkle.ts';
import { formatCheckpoint } from '../../protocol/log/checkpoint.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { formatAddCheckpoint } from '../../protocol/log/witness-request.ts';
import type { WitnessedLog } from '../../protocol/log/witness-verdict.ts';
import type { NoteSigner } from '../../protocol/signature/note.ts';
import type { NoteVerifier } from '../../protocol/signature/verifier-key.ts';
import { signNote } from '../../protocol/signature/note.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** A log as a witness sees it: signed checkpoints, and proofs between any of its sizes. */
export interface SubmittedLog {
  note(size: number): string;
  proof(from: number, to: number): Uint8Array[];
  /** Body of add-checkpoint. */
  request(from: number, to: number): string;
}

/** @param text - Leaves of one text are one history; another text is a fork from the first leaf on. */
export function submittedLog(signer: NoteSigner, length: number, text = 'leaf'): SubmittedLog {
  const hashes = Array.from({ length }, (_, n) => leafHash(utf8Encode(`${text} ${n}\n`)));
  const note = (size: number): string =>
    signNote(
      formatCheckpoint({ origin: signer.name, size, root: rootOf(hashes.slice(0, size)) }),
      signer,
    );
  const proof = (from: number, to: number): Uint8Array[] =>
    from === 0 || from > to ? [] : consistencyProof(from, hashes.slice(0, to));
  return {
    note,
    proof,
    request: (from, to) =>
      formatAddCheckpoint({ oldSize: from, proof: proof(from, to), note: note(to) }),
  };
}

/** Send a request to a witness. */
export async function submit(
  url: string,
  body: string,
): Promise<{ status: number; type: string | null; text: string }> {
  const post = (): Promise<Response> => fetch(`${url}/add-checkpoint`, { method: 'POST', body });
  // A witness that was restarted has closed the connection we kept.
  const response = await post().catch(post);
  const type = response.headers.get('content-type');
  return { status: response.status, type, text: await response.text() };
}

/** A witness of ours in this process, with its own folder. */
export interface TestWitness extends AsyncDisposable {
  readonly name: string;
  readonly vkey: string;
  readonly verifier: NoteVerifier;
  readonly url: string;
  readonly directory: string;
  readonly outcomes: readonly WitnessOutcome[];
  /** Go offline and come back at the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** @param now - Unix ms. */
export async function startWitness(
  name: string,
  logs: readonly NoteVerifier[],
  now: () => number = Date.now,
): Promise<TestWitness> {
  const directory = await mkdtemp(join(tmpdir(), 'sealdrop-witness-'));
  const key = await makeWitness(directory, name);
  const known = new Map(logs.map((it): [string, WitnessedLog] => [it.name, follow(it)]));
  const outcomes: WitnessOutcome[] = [];
  let port = 0;
  let close: (() => Promise<void>) | undefined;
  const start = async (): Promise<void> => {
    const memory = openMemory(memoryPath(directory));
    const service = witnessService({ logs: known, key, memory, verify: verifyEd25519, now });
    const running = await listenWitness(
      { host: '127.0.0.1', port },
      service,
      (outcome) => Promise.resolve(void outcomes.push(outcome)),
      (error) => {
        throw error;
      },
    );
    ({ port } = running);
    close = async () => {
      await running.stop();
      memory[Symbol.dispose]();
    };
  };
  const stop = async (): Promise<void> => {
    await close?.();
    close = undefined;
  };
  await start();
  return {
    name,
    vkey: vkeyOf(key),
    verifier: key,
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    directory,
    outcomes,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const follow = (key: NoteVerifier): WitnessedLog => ({ origin: key.name, keys: [key] });

/** `sealdrop witness` as a process of its own. */
export interface ChildWitness {
  readonly url: string;
  readonly process: ChildProcess;
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** @throws Error with its last words when it does not come up. */
export async function spawnWitness(
  directory: string,
  logKeys: readonly string[],
): Promise<ChildWitness> {
  const options = logKeys.flatMap((vkey) => ['--log', vkey]);
  const child = spawn(
    process.execPath,
    [MAIN, 'witness', '--dir', directory, '--listen', '127.0.0.1:0', '--json', ...options],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as { message_type: string; url: string };
      if (event.message_type === 'listening') resolve(event.url);
    });
    child.once('exit', () => {
      reject(new Error(`the witness did not start: ${complaint}`));
    });
  });
  return {
    url,
    process: child,
    async end(signal) {
      child.kill(signal);
      const [code, killedBy] = await ended;
      return killedBy ?? code ?? -1;
    },
  };
}

/** Three witnesses of ours, of which two make a quorum. */
export interface ThreeWitnesses extends AsyncDisposable {
  readonly all: readonly TestWitness[];
  readonly policy: string;
}

export async function threeWitnesses(
  logKey: NoteVerifier,
  now: () => number,
): Promise<ThreeWitnesses> {
  const all = await Promise.all(
    ['w1', 'w2', 'w3'].map((name) => startWitness(`${name}.example`, [logKey], now)),
  );
  const lines = all.map(({ name, vkey, url }) => `witness ${name} ${vkey} ${url}`);
  const names = all.map(({ name }) => name).join(' ');
  return {
    all,
    policy: [...lines, `group most 2 ${names}`, 'quorum most', ''].join('\n'),
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((it) => it[Symbol.asyncDispose]()));
    },
  };
}
