import { encodeJson } from '../../protocol/encoding/json.ts';
import type { KeyedSigner } from '../../platform/ed25519.ts';
import { LoginError, ProblemError } from '../errors.ts';
import { memorySessions, type Session, type SessionStore } from '../home/sessions.ts';
import { sendRequest, type HttpAnswer, type HttpRequest, type NetworkContext } from './http.ts';
import { openSession } from './session.ts';

/** `public` never shows who asks; `own` logs in when there is a key to do it with. */
type Access = 'public' | 'own';

/** A body other than JSON, with its type and, for long ones, its time limit. */
type Upload = Required<Pick<HttpRequest, 'contentType' | 'body'>> & Pick<HttpRequest, 'timeoutMs'>;

/** Requests to one server, by path, as one identity or none. */
export interface Transport {
  readonly server: string;
  readonly get: (path: string, access?: Access, timeoutMs?: number) => Promise<HttpAnswer>;
  readonly post: (path: string, body: object | Upload, access?: Access) => Promise<HttpAnswer>;
  readonly put: (path: string, upload: Upload) => Promise<HttpAnswer>;
  readonly whoAmI: () => Promise<Pick<Session, 'role' | 'id'>>;
}

export function openTransport(
  context: NetworkContext,
  server: string,
  identity: KeyedSigner | undefined,
  sessions: SessionStore = memorySessions(),
): Transport {
  const session = identity && openSession(context, server, identity, sessions);

  const send = async (
    path: string,
    request: Omit<HttpRequest, 'url' | 'headers'>,
    access: Access,
  ): Promise<HttpAnswer> => {
    const url = new URL(`${server}${path}`);
    if (access === 'public' || session === undefined) {
      return sendRequest(context, { ...request, url });
    }
    const attempt = async (): Promise<HttpAnswer> => {
      const headers = await session.headers(request.method, url);
      return sendRequest(context, { ...request, url, headers });
    };
    try {
      return await attempt();
    } catch (error) {
      // The server may have forgotten the token, so one fresh login is tried.
      if (!(error instanceof ProblemError && error.status === 401)) throw error;
      await session.forget();
      return attempt();
    }
  };

  return {
    server,
    get: (path, access = 'own', timeoutMs) =>
      send(path, { method: 'GET', ...(timeoutMs === undefined ? {} : { timeoutMs }) }, access),
    post(path, body, access = 'own') {
      const upload = isUpload(body) ? body : jsonUpload(body);
      return send(path, { method: 'POST', ...upload }, access);
    },
    put: (path, upload) => send(path, { method: 'PUT', ...upload }, 'own'),
    async whoAmI() {
      if (session === undefined) throw new LoginError('no key to log in with');
      const { role, id } = await session.current();
      return { role, id };
    },
  };
}

function isUpload(body: object): body is Upload {
  return 'contentType' in body && 'body' in body && typeof body.body === 'function';
}

function jsonUpload(value: object): Upload {
  const bytes = new Uint8Array(encodeJson(value));
  return { contentType: 'application/json', body: () => bytes };
}
