import type { Identities } from '../caller.ts';
import type { Trust } from '../trust/trust.ts';
import type { Roster } from './roster.ts';

/** Officers and reviewers are those in the root of trust, operators those who have enrolled. */
export function identities(trust: Trust, roster: Roster): Identities {
  return {
    find(publicKey) {
      const officer = trust.officers.get(publicKey);
      if (officer !== undefined) return { role: 'officer', id: officer, publicKey };
      const reviewers = [...trust.current.reviewers.values()];
      const reviewer = reviewers.find(({ key }) => key === publicKey);
      if (reviewer !== undefined) return { role: 'reviewer', id: reviewer.id, publicKey };
      if (roster.find(publicKey) === undefined) return undefined;
      return { role: 'operator', id: publicKey, publicKey };
    },
  };
}
