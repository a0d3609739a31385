import { z } from 'zod';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape, safeCount } from '../../protocol/encoding/shape.ts';
import { publicKeyHex } from '../../protocol/signature/key-shape.ts';
import { findSecret, writeAtomically } from './files.ts';

/** A token bound to one key, and who the server takes its holder for. */
export interface Session {
  readonly token: string;
  /** Unix milliseconds by our clock. */
  readonly expiresAt: number;
  readonly role: 'officer' | 'operator' | 'reviewer';
  /** Id of the officer or reviewer in the root, or the operator's public key. */
  readonly id: string;
}

/** Tokens kept between commands, by server and key. Losing one costs a login, nothing else. */
export interface SessionStore {
  find(server: string, publicKey: string): Promise<Session | undefined>;
  save(server: string, publicKey: string, session: Session): Promise<void>;
  drop(server: string, publicKey: string): Promise<void>;
}

const sessionJson = z.strictObject({
  server: z.string(),
  publicKey: publicKeyHex,
  token: z.string(),
  expiresAt: safeCount,
  role: z.enum(['officer', 'operator', 'reviewer']),
  id: z.string(),
});
const sessionsJson = z.strictObject({ sessions: z.array(sessionJson).max(64) });

export function openSessionFile(path: string): SessionStore {
  const read = async (): Promise<z.infer<typeof sessionJson>[]> => {
    const bytes = await findSecret(path);
    if (bytes === undefined) return [];
    const json = parseJson(bytes, 1_048_576);
    return parseShape(sessionsJson, json, 'encoding_invalid', 'session.json').sessions;
  };
  const replace = async (server: string, publicKey: string, session?: Session): Promise<void> => {
    const others = (await read()).filter(
      (entry) => entry.server !== server || entry.publicKey !== publicKey,
    );
    const sessions = session ? [{ server, publicKey, ...session }, ...others] : others;
    await writeAtomically(path, `${JSON.stringify({ sessions: sessions.slice(0, 64) })}\n`, 0o600);
  };

  return {
    async find(server, publicKey) {
      const found = (await read()).find(
        (entry) => entry.server === server && entry.publicKey === publicKey,
      );
      if (found === undefined) return undefined;
      const { token, expiresAt, role, id } = found;
      return { token, expiresAt, role, id };
    },
    save: replace,
    drop: (server, publicKey) => replace(server, publicKey),
  };
}

/** Sessions of one process only, for clients without a home. */
export function memorySessions(): SessionStore {
  const sessions = new Map<string, Session>();
  const key = (server: string, publicKey: string): string => `${publicKey} ${server}`;
  return {
    find: (server, publicKey) => Promise.resolve(sessions.get(key(server, publicKey))),
    save(server, publicKey, session) {
      sessions.set(key(server, publicKey), session);
      return Promise.resolve();
    },
    drop(server, publicKey) {
      sessions.delete(key(server, publicKey));
      return Promise.resolve();
    },
  };
}
