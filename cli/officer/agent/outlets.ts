import type { KeyName } from '../../../protocol/plan/key-name.ts';
import { planDigest } from '../../../protocol/plan/plan.ts';
import { encodeEnvelope, type Envelope } from '../../../protocol/signature/dsse.ts';
import { publicationPath, type Mirror } from '../../client/mirror.ts';
import { ProblemError } from '../../errors.ts';
import type { OfficerSession } from '../session.ts';

/** What an officer publishes. */
export type PublicationName = KeyName | 'release-key';

/** Somewhere to publish to: the server, or a mirror. */
export interface Outlet {
  readonly name: string;
  /**
   * @param planBytes - The plan that the publication belongs to.
   * @returns `false` when it is there already.
   */
  publish(planBytes: Uint8Array, of: PublicationName, envelope: Envelope): Promise<boolean>;
}

/** The server of this session. */
export function serverOutlet({ client }: OfficerSession, campaign: string): Outlet {
  return {
    name: client.server,
    publish: (_, of, envelope) =>
      isNew(
        of === 'release-key'
          ? client.publishReleaseKey(campaign, envelope)
          : client.publishShare(campaign, envelope),
      ),
  };
}

/** A mirror takes what comes; the last one stays. */
export function mirrorOutlet(mirror: Mirror, officer: string): Outlet {
  return {
    name: mirror.name,
    async publish(planBytes, of, envelope) {
      const path = publicationPath(planDigest(planBytes), officer, of);
      await mirror.put(path, encodeEnvelope(envelope));
      return true;
    },
  };
}

/** A second envelope for the same share is refused, and means that the first is there. */
async function isNew(publishing: Promise<void>): Promise<boolean> {
  try {
    await publishing;
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 409) return false;
    throw error;
  }
}
