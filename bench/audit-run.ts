import { readFileSync } from 'node:fs';
import { argv, stdout } from 'node:process';

import { directorySource } from '../cli/log/source.ts';
import { checkTree } from '../cli/log/tree/check-tree.ts';
import { verifyEd25519 } from '../platform/ed25519.ts';
import { openCheckpoint } from '../protocol/log/checkpoint.ts';
import { parseVerifierKey } from '../protocol/signature/verifier-key.ts';

// A process of its own, so that its peak memory is that of one audit: node audit-run.ts DIR KEY THREADS

const [directory = '', vkey = '', threads = ''] = argv.slice(2);
const source = directorySource(directory);
const cpuBefore = process.cpuUsage();
const start = performance.now();
const key = parseVerifierKey(vkey);
const checkpoint = openCheckpoint(await source.checkpoint(), key.name, [key], verifyEd25519);
const { tiles } = await checkTree(source, checkpoint, { threads: Number(threads) });
const ms = performance.now() - start;
const { user, system } = process.cpuUsage(cpuBefore);
const cpuMs = (user + system) / 1000;
const peakBytes = peakKib() * 1024;
stdout.write(JSON.stringify({ leaves: checkpoint.size, tiles, ms, cpuMs, peakBytes }));

/** Linux counts the peak of the process that started this one into `maxRSS`, but not into `VmHWM`. */
function peakKib(): number {
  try {
    const [, kib] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return Number(kib);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}
