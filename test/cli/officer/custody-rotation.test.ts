import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { envelopeJsonOf } from '../../../cli/client/envelope.ts';
import { proposeTargets } from '../../../cli/officer/decisions/arm-targets.ts';
import { draftPath } from '../../../cli/officer/sealing/sealed-dir.ts';
import { openOfficerSession } from '../../../cli/officer/session.ts';
import { loadStanding } from '../../../cli/officer/standing.ts';
import { encodeDirective } from '../../../protocol/campaign/directive.ts';
import { toBase64 } from '../../../protocol/encoding/bytes.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import { startStage, type Stage } from './support/stage.ts';

// Three officers decide together; two more join them, and then three of five do; then two more, and four of seven do.

const ID = 'SDX-2026-CUR0';
const PLAIN = 'SDX-2026-P1A0';
const FLAW = /officers who are left out of a decision could open with the share of the server/;

let stage: Stage;
let paths: Record<string, string>;
/** More members of campaign.json. */
const file: Record<string, unknown> = {};
before(async () => {
  stage = await startStage({ threshold: 3, custody: true, file });
  const plain = await stage.bring(PLAIN, 'committed');
  file['serverCustody'] = 'one';
  paths = { [PLAIN]: plain, [ID]: await stage.bring(ID, 'committed') };
});
after(() => stage[Symbol.asyncDispose]());

const arm = (id: string): Promise<unknown> =>
  stage.run('ada', `arm ${id}`, { draft: draftPath(paths[id] ?? '', 'ada') });

/** Two officers join, and so many decide. @returns What `trust publish` says. */
async function join2(ids: readonly string[], threshold: string, others: string): Promise<string> {
  const cards = ids.map((id) => join(stage.folder, `${id}.card.json`));
  for (const [index, id] of ids.entries()) {
    await stage.run(id, 'officer init', { id, out: cards[index] ?? '' });
    await stage.run(id, `trust add ${stage.server.url}`, { rootSha256: stage.server.rootSha256 });
  }
  const out = join(stage.folder, `by-${threshold}-with-${ids.join('-')}`);
  const options = { expires: '365', officer: cards, threshold, shareThreshold: threshold, out };
  await stage.run('ada', 'trust rotate', options);
  for (const id of others.split(' ')) await stage.run(id, `trust sign ${out}`);
  const { stderr, stdout } = await stage.run('ada', `trust publish ${out}`);
  return `${stderr}${stdout}`;
}

describe('campaigns sealed before more officers come to decide', () => {
  it('may be armed before they do', async () => {
    await arm(ID);
    await arm(PLAIN);
  });

  it('may not be where the server holds a share, and who publishes the root hears of it', async () => {
    const said = await join2(['flo', 'gil'], '3', 'bo cy flo gil');
    assert.match(said, new RegExp(`${ID}: ${FLAW.source}`));
    assert.doesNotMatch(said, new RegExp(`${PLAIN}: officers who are left out`));
    await assert.rejects(arm(ID), {
      code: 'plan_invalid',
      message: FLAW,
      advice: /trust rotate --threshold 4/,
    });
    await arm(PLAIN);
  });

  it('may not be either where those left out hold enough shares themselves', async () => {
    const said = await join2(['hal', 'ivy'], '4', 'bo cy flo gil hal ivy');
    const flaw = /officers who are left out of a decision could open the patch: 4 of 7 decide/;
    assert.match(said, new RegExp(`${PLAIN}: ${flaw.source}`));
    await assert.rejects(arm(PLAIN), {
      code: 'plan_invalid',
      message: flaw,
      advice: /trust rotate --threshold 5\), or seal the campaign anew/,
    });
  });

  it('is refused by the server, too, whatever signs it', async () => {
    const session = await openOfficerSession(await stage.contextOf('ada'));
    const { directives, plan, state } = await loadStanding(session, PLAIN);
    const last = directives.at(-1);
    assert.ok(last);
    const { digest, people, ...rest } = last;
    assert.ok(people.length > 0);
    const payload = encodeDirective({
      ...rest,
      rootVersion: session.trust.root.version,
      action: 'arm',
      from: 'committed',
      to: 'armed',
      sequence: state.sequence + 1,
      previous: digest,
    });
    const request = {
      envelope: envelopeJsonOf(signEnvelope(payload, session.keys.signer)),
      targets: toBase64(await proposeTargets(session, plan)),
    };
    await assert.rejects(session.client.sendDirective(PLAIN, request), { code: 'plan_invalid' });
  });
});
