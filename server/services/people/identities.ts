import type { Identities } from '../caller.ts';
import type { Trust } from '../trust/trust.ts';
import type { Roster } from './roster.ts';

/** Officers are the people in the root of trust, operators those who have enrolled. */
export function identities(trust: Trust, roster: Roster): Identities {
  return {
    find(publicKey) {
      const officer = trust.officers.get(publicKey);
      if (officer !== undefined) return { role: 'officer', id: officer, publicKey };
      if (roster.find(publicKey) === undefined) return undefined;
      return { role: 'operator', id: publicKey, publicKey };
    },
  };
}
