import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase58 } from '../../../protocol/encoding/bytes.ts';
import { forEachOf, type Operator, type World } from '../world.ts';
import { keypairFile, type Founded } from './found.ts';

/** Operators pin the root, and their validators' identity keys sign once for their operator key. */
export async function enrolOperators(world: World, founded: Founded): Promise<void> {
  const { operators, narrator } = world;
  let enrolled = 0;
  await forEachOf(operators, 24, async (operator) => {
    await enrol(operator, world, founded);
    narrator.progress(++enrolled, operators.length, 'operators enrolled');
  });
  const several = operators.filter(({ model }) => model.validators.length > 1).length;
  narrator.said(
    `${operators.length} operators enrolled, ${several} of them with several validators`,
  );
}

async function enrol(operator: Operator, world: World, founded: Founded): Promise<void> {
  const dir = join(world.dir, 'identities', operator.name);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const files = await Promise.all(
    operator.model.validators.map(async ({ identity, identitySeed }) => {
      const file = join(dir, `${identity}.json`);
      await writeFile(file, keypairFile(identitySeed, fromBase58(identity, 32)), { mode: 0o600 });
      return file;
    }),
  );
  await operator.run('trust add', [founded.url], { rootSha256: founded.rootSha256 });
  await operator.run('enroll', [], { identity: files, email: operator.email });
}
