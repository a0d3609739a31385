import { join } from 'node:path';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { findOption, getOption, listOption, wholeNumber, type Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { writeAtomically } from '../home/files.ts';
import type { Output } from '../output.ts';
import { listenWitness } from '../witness/http.ts';
import { makeWitness, memoryPath, readWitness, vkeyOf } from '../witness/identity.ts';
import { readLogs } from '../witness/logs.ts';
import { openMemory } from '../witness/memory.ts';
import { witnessService, type WitnessOutcome } from '../witness/service.ts';

export const witnessCommand: Command = {
  name: 'witness',
  group: 'auditor',
  summary: 'Run a witness: cosign the checkpoints of logs that only ever grow',
  // Not declared as required: commander would want them for `witness init` too.
  options: [
    { flag: '--dir <dir>', description: 'folder that witness init made; required' },
    { flag: '--listen <host:port>', description: 'where logs reach it; required' },
    { flag: '--log <vkey>', description: 'a log to follow; once for each', many: true },
    { flag: '--logs <file>', description: 'further ones: a key a line, and the origin if another' },
  ],
  example:
    'sealdrop witness --dir ./witness --listen 127.0.0.1:8421' +
    ' --log patches.example.org/log+e0dcbae4+AaL76shLFnHsjQlGsPSEKvBmdnQU+hoLZIHDh7IUxq7d',

  async run(input, context) {
    const directory = getOption(input, 'dir');
    const address = readAddress(getOption(input, 'listen'));
    const logs = await readLogs(listOption(input, 'log'), findOption(input, 'logs'));
    const key = await readWitness(directory);
    using memory = openMemory(memoryPath(directory));
    const { out, signal } = context;
    const now = (): number => context.now();
    const service = witnessService({ logs, key, memory, verify: verifyEd25519, now });
    const running = await listenWitness(
      address,
      service,
      (outcome) => tell(out, directory, outcome),
      (error) => {
        out.warn(`a request failed: ${error instanceof Error ? error.message : 'unknown'}`);
      },
    );
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    const url = `http://${host}:${running.port}`;
    const followed = logs.size === 1 ? '1 log' : `${logs.size} logs`;
    out.line(`witness ${key.name} listens at ${url} and follows ${followed}`);
    out.event('listening', { url, vkey: vkeyOf(key), logs: [...logs.keys()] });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    await running.stop();
    out.summary({ url, vkey: vkeyOf(key), logs: logs.size });
  },
};

export const witnessInitCommand: Command = {
  name: 'witness init',
  group: 'auditor',
  summary: 'Make the key of a new witness, and say what to hand to the foundation',
  options: [
    { flag: '--dir <dir>', description: 'new folder for key and memory', required: true },
    {
      flag: '--name <name>',
      description: 'a URL without scheme that says whose witness this is',
      required: true,
    },
    { flag: '--url <url>', description: 'where logs will reach it, for the policy line' },
  ],
  example: 'sealdrop witness init --dir ./witness --name witness.example.net/w1',

  async run(input, { out }) {
    const directory = getOption(input, 'dir');
    const name = getOption(input, 'name');
    const url = findOption(input, 'url');
    if (url !== undefined && !/^https?:\/\/[^\s?#@]+$/.test(url)) {
      throw new UsageError('--url is not a plain http or https URL');
    }
    const key = await madeOrUsage(directory, name);
    const vkey = vkeyOf(key);
    const policyLine = ['witness', name, vkey, ...(url === undefined ? [] : [url])].join(' ');
    out.line(`verifier key   ${vkey}`);
    out.line(`policy line    ${policyLine}`);
    out.note('hand one of these lines to the foundation by a way on which it knows you;');
    out.note(`then: sealdrop witness --dir ${directory} --listen HOST:PORT --log VKEY`);
    out.note('never copy the folder: two witnesses with one key can be told two histories');
    out.summary({ directory, name, vkey, policyLine });
  },
};

async function madeOrUsage(
  directory: string,
  name: string,
): Promise<Awaited<ReturnType<typeof makeWitness>>> {
  try {
    return await makeWitness(directory, name);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError('--name has a space, a "+" or another character that names cannot have');
  }
}

function readAddress(text: string): { host: string; port: number } {
  const [, v6, name, port = ''] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+)):(\d+)$/i.exec(text) ?? [];
  const host = v6 ?? name;
  if (host === undefined) throw new UsageError('--listen is not HOST:PORT', '127.0.0.1:8421');
  return { host, port: wholeNumber(port, 'the port', 0, 65_535) };
}

/** Say what was answered, about logs we follow only; a fork is kept as proof. */
async function tell(out: Output, directory: string, outcome: WitnessOutcome): Promise<void> {
  if (outcome.kind === 'cosigned') {
    const { origin, size } = outcome;
    out.note(`cosigned ${origin} with ${size} entries`);
    out.event('cosigned', { origin, size });
    return;
  }
  const { kind, origin, fork } = outcome;
  if (origin === undefined) return;
  if (fork !== undefined) {
    const evidence = { format: 'sealdrop-evidence/v1', kind: 'forked', ...fork };
    const json = `${JSON.stringify(evidence, null, 2)}\n`;
    const name = `log-forked-${sha256Hex(utf8Encode(json)).slice(0, 16)}.json`;
    const path = join(directory, 'evidence', name);
    await writeAtomically(path, json);
    out.warn(`${origin} has forked; the signed proof is ${path}`);
  } else if (kind === 'inconsistent') {
    out.warn(`${origin}: a proof of consistency does not hold`);
  }
  out.event('refused', { origin, reason: kind });
}
