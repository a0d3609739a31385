import { generateSeed, signerFromSeed } from '../../../platform/ed25519.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import type { HonestCase } from '../support/cases.ts';
import { prefetch } from '../support/flows.ts';
import { forgeTuf, nextRoot, rootSigners, type Signed } from '../support/forge.ts';
import type { Site } from '../support/site.ts';

const FAR = Number.MAX_SAFE_INTEGER - 1;

const runAway = (it: Signed): object => ({ ...it, version: FAR });
const first = (it: Signed): object => ({ ...it, version: 1 });

/** A root with new online keys, and the same metadata signed with those from version 1 on. */
function newOnlineKeys(site: Site): void {
  const [snapshot, timestamp] = [signerFromSeed(generateSeed()), signerFromSeed(generateSeed())];
  const keys = { snapshotKey: snapshot.publicKey, timestampKey: timestamp.publicKey };
  const signed = nextRoot(site.repository, keys);
  const signatures = signTuf(signed, ...rootSigners(site.repository, 3));
  site.put('/tuf/3.root.json', encodeTuf(signed, signatures));
  const signers = { snapshot: [snapshot], timestamp: [timestamp] };
  forgeTuf(site, { snapshot: first, timestamp: first, signers });
}

const fastForward = (name: string, attack: (site: Site) => void): HonestCase => ({
  flow: prefetch,
  name: `a runaway ${name}, mended by new online keys`,
  earlier: [
    // Whoever has the key can do this, and nothing shows that it was not the server.
    { arrange: attack, exit: 0 },
    { arrange: () => undefined, exit: 6, says: /version .* less than/ },
  ],
  arrange: newOnlineKeys,
});

/** Fast-forward attacks: the versions of a stolen online key, and the way back by a new root. */
export const recovery: readonly HonestCase[] = [
  fastForward('timestamp', (site) => {
    forgeTuf(site, { timestamp: runAway });
  }),
  fastForward('snapshot', (site) => {
    forgeTuf(site, { snapshot: runAway });
  }),
];
