import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCommand, type Input } from '../../../cli/command.ts';
import { trustInitCommand } from '../../../cli/commands/trust-init.ts';
import { endorserInitCommand, reviewerInitCommand } from '../../../cli/commands/voucher-init.ts';
import { openHome } from '../../../cli/home/home.ts';
import { nextVouchers } from '../../../cli/trust/vouchers.ts';
import { parseRoot } from '../../../protocol/trust/root-file.ts';
import { vouchersOf } from '../../protocol/trust/network.ts';
import { testContext } from '../support/context.ts';
import { makeParties, trustInitOptions } from '../support/parties.ts';

const input = (options: Input['options']): Input => ({ args: [], options });

describe('reviewer init and endorser init', () => {
  it('keep secrets to the owner, put nothing secret in the card, and replace nothing', async () => {
    await using context = await testContext();
    const home = openHome(context);
    const options = { id: 'acme', name: 'Acme Audits' };
    await runCommand(reviewerInitCommand, { options }, context);
    await runCommand(endorserInitCommand, { options: { id: 'max', name: 'Max' } }, context);
    const { ageIdentity } = await home.reviewerKeys();
    for (const role of ['reviewer', 'endorser']) {
      const secret = home.path('keys', `${role}.json`);
      assert.equal((await stat(secret)).mode & 0o777, 0o600);
      const { seed } = JSON.parse(await readFile(secret, 'utf8')) as { seed: string };
      const card = await readFile(home.path(`${role}-card.json`), 'utf8');
      assert.equal(card.includes(seed) || card.includes(ageIdentity), false);
    }
    for (const command of [reviewerInitCommand, endorserInitCommand]) {
      await assert.rejects(runCommand(command, { options }, context), { name: 'CliError' });
    }
  });

  it('refuse what is no id and no name', async () => {
    await using context = await testContext();
    for (const options of [
      { id: 'Acme', name: 'Acme' },
      { id: 'acme', name: 'Acme\n' },
      { id: 'acme', name: 'Ácme' },
    ]) {
      await assert.rejects(runCommand(reviewerInitCommand, { options }, context), {
        name: 'UsageError',
      });
    }
  });
});

describe('trust init with reviewers and endorsers', () => {
  it('lists them as their cards say, and shows them to whoever signs', async () => {
    await using parties = await makeParties('alice', 'bob', 'carol');
    await using context = await testContext();
    const card = (name: string): string => join(parties.folder, name);
    await runCommand(
      reviewerInitCommand,
      { options: { id: 'acme', name: 'Acme Audits', out: card('acme.json') } },
      context,
    );
    await runCommand(
      endorserInitCommand,
      { options: { id: 'max', name: 'Max Muster', out: card('max.json') } },
      context,
    );
    const lead = parties.officers[0]?.context;
    assert.ok(lead);
    const out = card('root');
    const options = {
      ...trustInitOptions(parties, out),
      reviewer: [card('acme.json')],
      endorser: [card('max.json')],
      endorsementThreshold: '1',
    };
    await runCommand(trustInitCommand, { options }, lead);
    const root = parseRoot(new Uint8Array(await readFile(join(out, 'root.json'))));
    const { signer } = await openHome(context).reviewerKeys();
    assert.equal(root.reviewers.get('acme')?.key, signer.publicKey);
    assert.equal(root.endorsers.get('max')?.name, 'Max Muster');
    assert.match(lead.said.stdout, /reviewer acme\n {2}firm +Acme Audits/);
    assert.match(lead.said.stdout, /endorsements +1 of 1 endorsers/);
    // A card of the other kind is not taken.
    await assert.rejects(nextVouchers(root, input({ endorser: [card('acme.json')] })), {
      code: 'trust_invalid',
    });
  });
});

describe('trust rotate with reviewers and endorsers', () => {
  const before = vouchersOf(['acme', 'bolt'], ['max', 'nina'], 2);

  it('keeps them unless told, and removes whom it is told to', async () => {
    assert.deepEqual(await nextVouchers(before, input({})), before);
    const options = {
      removeReviewer: ['bolt'],
      removeEndorser: ['max'],
      endorsementThreshold: '1',
    };
    assert.deepEqual(await nextVouchers(before, input(options)), vouchersOf(['acme'], ['nina']));
    const none = await nextVouchers(before, input({ removeEndorser: ['max', 'nina'] }));
    assert.equal(none.endorsementThreshold, 0);
  });

  it('refuses strangers, and a threshold that is missing or too high', async () => {
    for (const options of [
      { removeReviewer: ['eve'] },
      { removeEndorser: ['max'] },
      { endorsementThreshold: '3' },
      { endorsementThreshold: '0' },
    ]) {
      await assert.rejects(nextVouchers(before, input(options)), { name: 'UsageError' });
    }
  });
});
