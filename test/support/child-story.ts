import type { ChildServer } from './child-server.ts';
import { startChild } from './child-server.ts';
import type { TestClient } from './session.ts';
import { testClient } from './session.ts';
import type { StoryServer } from './story.ts';
import type { TestData } from './test-server.ts';
import { prepareData } from './test-server.ts';

/** A server process to tell a story on, and the data that it has for itself. */
export interface ChildStory extends StoryServer, AsyncDisposable {
  readonly child: ChildServer;
  readonly data: TestData;
}

/**
 * Start `node server/main.ts` on data of its own. Everybody's clock is the real one.
 *
 * @param env - Further `SEALDROP_…` variables, named without the prefix.
 * @param process - Further variables of the process as they are, such as `NODE_OPTIONS`.
 */
export async function startChildStory(
  env: Readonly<Record<string, string>> = {},
  process: Readonly<Record<string, string>> = {},
): Promise<ChildStory> {
  await using undo = new AsyncDisposableStack();
  const data = await prepareData();
  undo.defer(() => data.remove());
  const child = await startChild({ ...data.env(env), ...process });
  undo.defer(async () => {
    await child.end('SIGTERM');
  });
  const clients = new Map<string, TestClient>();
  const opened = undo.move();
  return {
    child,
    data,
    officers: data.officers,
    root: data.root,
    now: Date.now,
    client(signer) {
      const key = signer?.publicKey ?? '';
      const known = clients.get(key) ?? testClient(child.url, signer, Date.now);
      clients.set(key, known);
      return known;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
