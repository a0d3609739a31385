import assert from 'node:assert/strict';
import { chmod, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generateSeed } from '../../../platform/ed25519.ts';
import { openHome } from '../../../cli/home/home.ts';
import { readInputFile, writeNew } from '../../../cli/home/files.ts';
import { testContext } from '../support/context.ts';

describe('files of a home', () => {
  it('keep an access key to the owner, and refuse it once others can read it', async () => {
    await using context = await testContext();
    const campaign = openHome(context).campaign('SDX-2026-7KQ4');
    await campaign.writeSecret('access.key', 'AGE-SECRET-KEY-1…\n');
    const path = await campaign.path('access.key');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.notEqual(await campaign.findSecret('access.key'), undefined);
    await chmod(path, 0o604);
    await assert.rejects(campaign.findSecret('access.key'), { name: 'ExposedSecretError' });
  });

  it('may be as long as their reader says, such as ciphertext of a planned size', async () => {
    await using context = await testContext();
    const campaign = openHome(context).campaign('SDX-2026-7KQ4');
    const path = await campaign.path('build.age');
    const size = 64 * 1024 * 1024 + 1;
    await writeFile(path, '');
    await truncate(path, size);
    assert.equal((await campaign.find('build.age', size))?.length, size);
    await assert.rejects(campaign.find('build.age', size - 1), { code: 'too_large' });
    await assert.rejects(campaign.find('build.age'), { code: 'too_large' });
  });

  it('stay inside the campaign, whatever it or the file is called', async () => {
    await using context = await testContext();
    const home = openHome(context);
    for (const id of ['../keys', 'SDX-2026-7KQ4/..', '.']) {
      assert.throws(() => home.campaign(id), { name: 'UsageError' });
    }
    const campaign = home.campaign('SDX-2026-7KQ4');
    for (const name of ['../state.json', 'a/b', '.', '..', '']) {
      await assert.rejects(
        async () => {
          await campaign.write(name, 'x');
        },
        { code: 'encoding_invalid' },
      );
    }
  });

  it('are listed by name', async () => {
    await using context = await testContext();
    const home = openHome(context);
    assert.deepEqual(await home.campaigns(), []);
    const campaign = home.campaign('SDX-2026-7KQ4');
    assert.deepEqual(await campaign.list(), []);
    await campaign.write('plan.txt', 'plan');
    await campaign.write('COMMITMENT', 'commitment');
    assert.deepEqual(await campaign.list(), ['COMMITMENT', 'plan.txt']);
    assert.deepEqual(await home.campaigns(), ['SDX-2026-7KQ4']);
  });

  it('never lose an operator key to a second enrolment', async () => {
    await using context = await testContext();
    const home = openHome(context);
    const keys = { seed: generateSeed(), openpgp: 'x', email: 'ops@example.org' };
    await home.writeOperatorKeys(keys);
    const before = (await home.operatorKeys()).signer.publicKey;
    await assert.rejects(home.writeOperatorKeys({ ...keys, seed: generateSeed() }), {
      name: 'CliError',
    });
    assert.equal((await home.operatorKeys()).signer.publicKey, before);
  });

  it('say who to become when there are no keys', async () => {
    await using context = await testContext();
    const home = openHome(context);
    await assert.rejects(home.officerKeys(), { name: 'LoginError', advice: /officer init/ });
    await assert.rejects(home.operatorKeys(), { name: 'LoginError', advice: /enroll/ });
    await assert.rejects(home.config(), { name: 'CliError', advice: /trust add/ });
  });
});

describe('files that a person names', () => {
  it('are not overwritten', async () => {
    await using context = await testContext();
    const path = join(context.home, 'out.json');
    await writeNew(path, 'first');
    await assert.rejects(writeNew(path, 'second'), { name: 'CliError', message: /exists/ });
    assert.equal(await readFile(path, 'utf8'), 'first');
  });

  it('are refused by name when absent, a folder or too long', async () => {
    await using context = await testContext();
    const path = join(context.home, 'long');
    await writeNew(path, 'x'.repeat(11));
    await assert.rejects(readInputFile(path, 10), { code: 'too_large' });
    await assert.rejects(readInputFile(`${path}.not`, 10), { message: /does not exist/ });
    await assert.rejects(readInputFile(context.home, 10), { message: /is a folder/ });
  });
});
