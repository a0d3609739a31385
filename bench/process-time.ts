import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks a second in `/proc`, on every Linux there is. */
const TICK_MS = 10;

/** User and system time of a process and its children; `undefined` where there is no `/proc`. */
export async function cpuTimeMs(pid: number | undefined): Promise<number | undefined> {
  const own = await readStat(pid);
  if (own === undefined) return undefined;
  let total = own.ms;
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const other = await readStat(Number(name));
    if (other !== undefined && other.parent === pid) total += other.ms;
  }
  return total;
}

async function readStat(
  pid: number | undefined,
): Promise<{ readonly parent: number; readonly ms: number } | undefined> {
  const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8').catch(() => undefined);
  // The second field is a name in brackets, which may hold anything; times are the 14th and 15th.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined) return undefined;
  return { parent: Number(fields[1]), ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
}
