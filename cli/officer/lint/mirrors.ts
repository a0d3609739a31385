import { ProtocolError } from '../../../protocol/errors.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { checkBundle } from '../../client/check-bundle.ts';
import { readBody, sendRequest, type NetworkContext } from '../../client/http.ts';
import { openMirror } from '../../client/mirror.ts';
import { CliError, InterruptedError, ProblemError } from '../../errors.ts';
import type { Output } from '../../output.ts';
import { error, warning, type Finding } from '../campaign/finding.ts';

/** How mirrors are asked: over the network, in sight of whoever waits. */
export interface MirrorContext extends NetworkContext {
  readonly out: Pick<Output, 'note' | 'progress'>;
}

const PROBE_MS = 15_000;
const MAX_PAGE_BYTES = 65_536;
const DEAD = 'mend it, or take it out of "mirrors" in campaign.json and seal anew';

/**
 * Ask every mirror of a campaign for what should be there, and hash it.
 *
 * Before `seal` nothing of a campaign can be anywhere, so that a mirror is only asked whether it
 * answers. Afterwards it is asked for the ciphertext of the plan, by its SHA-256: a mirror that has it
 * learns nothing, one that has not learns that somebody will bring a file of that name.
 *
 * @param mirrors - As campaign.json names them.
 * @param sealed - The plan in DIR/sealed, when there is one.
 */
export async function lintMirrors(
  mirrors: readonly string[],
  sealed: Plan | undefined,
  context: MirrorContext,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const planned = sealed?.mirrors ?? [];
  if (sealed !== undefined && planned.join() !== [...mirrors].sort().join()) {
    const message = 'are others than those of the plan in sealed/, which are asked here';
    findings.push(warning('campaign.json.mirrors', message, 'seal anew when they should change'));
  }
  const asked = sealed === undefined ? mirrors : planned;
  const found = await Promise.all(
    asked.map((mirror) =>
      sealed === undefined ? probe(mirror, context) : compare(mirror, sealed, context),
    ),
  );
  return [...findings, ...found.flat()];
}

const whereOf = (mirror: string): string => `mirror ${mirror}`;

/** Whether anybody is there. Any answer below 500 will do. */
async function probe(mirror: string, context: MirrorContext): Promise<readonly Finding[]> {
  context.out.note(`asking ${mirror}/ whether it answers, and for nothing else`);
  try {
    const url = new URL(`${mirror}/`);
    const answer = await sendRequest(context, { method: 'GET', url, timeoutMs: PROBE_MS });
    await readBody(answer, MAX_PAGE_BYTES);
    return [];
  } catch (cause) {
    if (cause instanceof ProblemError && cause.status < 500) return [];
    if (cause instanceof ProtocolError) return []; // a longer page than we care to read
    return [error(whereOf(mirror), reasonOf(cause), DEAD)];
  }
}

/** Fetch every ciphertext of a plan, one after the other, and keep nothing. */
async function compare(
  mirror: string,
  plan: Plan,
  context: MirrorContext,
): Promise<readonly Finding[]> {
  const bundles = [
    ...plan.bundles.map(({ variant, ...bundle }) => ({ name: variant, ...bundle })),
    { name: 'closing', ...plan.closingBundle },
  ];
  const findings: Finding[] = [];
  context.out.note(`asking ${mirror} for the ciphertext of ${bundles.length} bundles`);
  for (const bundle of bundles) {
    const file = `bundles/${bundle.sha256}.age`;
    try {
      await checkBundle(openMirror(context, mirror), bundle, (length) => {
        context.out.progress(`${mirror} ${bundle.name} ${length} of ${bundle.size} bytes`);
      });
    } catch (cause) {
      const byHand = `copy sealed/${file} to ${mirror}/${file}`;
      const copy = `${byHand}, or once it is proposed run: sealdrop mirror put ${plan.campaign}`;
      if (cause instanceof ProblemError && cause.status === 404) {
        const message = `does not have the bundle of ${bundle.name}`;
        findings.push(warning(whereOf(mirror), message, copy));
      } else if (cause instanceof ProtocolError) {
        const message = `hands out another file for the bundle of ${bundle.name}: ${cause.message}`;
        findings.push(error(whereOf(mirror), message, `find out who changed it, and ${copy}`));
      } else {
        // Whoever does not answer once is not asked for the rest.
        return [...findings, error(whereOf(mirror), reasonOf(cause), DEAD)];
      }
    }
  }
  return findings;
}

/** @throws What is a bug of ours, or an interruption. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof CliError) || cause instanceof InterruptedError) throw cause;
  return cause.message;
}
