import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeDocument } from '../../../protocol/commitment/document.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { generateKey } from '../../../protocol/embargo/age.ts';
import { readAccessKey, withAccessKey } from '../../../protocol/embargo/notice.ts';

const notice = (body: string, type: 'notice' | 'release' = 'notice'): Uint8Array =>
  encodeDocument({
    type,
    campaign: 'SDX-2026-7KQ4',
    nonce: 'a'.repeat(64),
    body: utf8Encode(body),
  });

describe('the access key in a notice', () => {
  it('is its last line and comes back', async () => {
    const { identity } = await generateKey();
    const body = await withAccessKey('Be ready.\n\nThank you.\n', identity);
    assert.ok(body.endsWith(`\naccess-key: ${identity}\n`));
    assert.equal(await readAccessKey(notice(body)), identity);
  });

  it('is refused when missing, not last, twice, or spelled another way', async () => {
    const { identity } = await generateKey();
    const line = `access-key: ${identity}\n`;
    const flaws = [
      'Be ready.\n',
      '',
      line.trimEnd(),
      `${line}Be ready.\n`,
      `${line}${line}`,
      `text\nAccess-Key: other\n${line}`,
      `text\n  access-key : other\n${line}`,
      `access-key:${identity}\n`,
      `${line}\n`,
      ` ${line}`,
    ];
    for (const body of flaws) {
      await assert.rejects(readAccessKey(notice(body)), { code: 'document_invalid' }, body);
    }
    await assert.rejects(readAccessKey(notice(line, 'release')), { code: 'document_invalid' });
    for (const bad of [`access-key: ${identity.slice(0, -1)}\n`, `access-key: ${identity} \n`]) {
      await assert.rejects(readAccessKey(notice(bad)), { code: 'key_invalid' });
    }
  });

  it('is refused beside another in the text, and behind a line without end', async () => {
    const { identity } = await generateKey();
    await assert.rejects(withAccessKey('no newline', identity), { code: 'document_invalid' });
    await assert.rejects(withAccessKey('access-key: x\n', identity), { code: 'document_invalid' });
    await assert.rejects(withAccessKey('text\n', 'AGE'), { code: 'key_invalid' });
  });
});
