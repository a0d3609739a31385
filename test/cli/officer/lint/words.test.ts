import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readPatchText } from '../../../../cli/officer/lint/patch-text.ts';
import { findPhrase, normalPhrase, tokensOf } from '../../../../cli/officer/lint/phrases.ts';
import { lintWords, type Secrets } from '../../../../cli/officer/lint/words.ts';
import { utf8Encode } from '../../../../protocol/encoding/bytes.ts';

const PATCH = `From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001
From: A <a@example.org>
Date: Wed, 18 Nov 2026 14:00:00 +0000
Subject: [PATCH 1/2] Reject forged
 discharges in the meter

The body says more.
---
 1 file changed
diff --git a/programs/bpf/src/syscall_meter.rs b/programs/bpf/src/syscall_meter.rs
index 0123456789ab..ba9876543210 100644
--- a/programs/bpf/src/syscall_meter.rs
+++ b/programs/bpf/src/syscall_meter.rs
@@ -10,7 +10,7 @@ impl<'a> ComputeGauge<'a> {
     let before = 1;
-    moved(before);
-fn drainOld() {}
+    if forged(before) { return Err(Forged); }
+    moved(before);
+pub fn drainQuickly(limit: u64) {}
--\u0020
2.39.5

From 2234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001
Subject: [PATCH 2/2] =?UTF-8?q?Caf=C3=A9=20limits?=
---
diff --git a/net.c b/net.c
new file mode 100644
index 0000000..00000000000
--- /dev/null
+++ b/net.c
@@ -0,0 +1,2 @@ int recv_frame(struct sock *s)
+int x;
`.replace('\\u0020', ' ');

describe('the text of a patch', () => {
  const text = readPatchText(utf8Encode(PATCH));

  it('gives away files, functions, titles, blobs and what it adds', () => {
    assert.deepEqual(text.files, ['net.c', 'programs/bpf/src/syscall_meter.rs']);
    const functions = ['ComputeGauge', 'drainOld', 'drainQuickly', 'recv_frame', 'sock'];
    assert.deepEqual(text.functions, functions);
    assert.deepEqual(text.titles, ['Reject forged discharges in the meter', 'Café limits']);
    assert.deepEqual(text.blobs, ['ba9876543210']);
    // A line that only moves is nothing new.
    assert.ok(!text.added.includes('moved(before);'));
    assert.ok(text.added.includes('if forged(before) { return Err(Forged); }'));
  });

  it('is read without end for no input (property)', () => {
    const lines = fc.constantFrom(
      '+++ b/',
      '--- a/',
      '@@ -1 +1 @@ ',
      'Subject: ',
      '+',
      '[',
      ' ',
      'x(',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(lines, fc.string()), { maxLength: 60 }), (parts) => {
        readPatchText(utf8Encode(parts.join('')));
        readPatchText(utf8Encode(parts.join('\n')));
      }),
    );
    assert.deepEqual(readPatchText(new Uint8Array([0xff, 0xfe])).files, []);
    const started = performance.now();
    for (const part of ['(', '<', 'fn ', '?= =?', ' [a]', 'a ']) {
      readPatchText(utf8Encode(`Subject: ${part.repeat(100_000)}\n+${part.repeat(100_000)}\n`));
    }
    assert.ok(performance.now() - started < 5000);
  });
});

describe('lint of words', () => {
  const secrets: Secrets = {
    disclosure: '# Unmetered discharge mints tokens\n',
    patches: new Map([['0001.patch', readPatchText(utf8Encode(PATCH))]]),
    artifacts: ['0001.patch', 'agave-validator-hotfix.tar'],
    repositories: ['acme/private-mirror'],
    terms: ['Zero Knowledge', 'C++', 'ELF'],
  };
  const said = (notice: string): readonly string[] =>
    lintWords(notice, secrets).map(
      ({ severity, where, message }) => `${severity} ${where} ${message}`,
    );
  const NOTICE = '# SDX-2026-7KQ4\n\nA critical update comes on 2026-11-18T14:00:00Z.\n';

  it('has nothing to say about a notice that says nothing', () => {
    assert.deepEqual(said(NOTICE), []);
    assert.deepEqual(
      said(`${NOTICE}Run sealdrop prefetch; it takes 10 minutes (~2 GB), 1/3 at once.\n`),
      [],
    );
    assert.deepEqual(said(`${NOTICE}Shelf space, quick, sealed, decade, accede.\n`), []);
  });

  const cases: Readonly<Record<string, readonly [string, RegExp]>> = {
    'a CVE': ['see cve-2026-12345', /warning notice.md:4 names a CVE/],
    'an advisory': ['GHSA-2q8v-4jw5-x9rp', /names an advisory/],
    'an advisory of RustSec': ['RUSTSEC-2026-0001', /names an advisory/],
    'a commit': ['since 1a2b3c4', /names a commit/],
    'an issue': ['fixes #1234', /issue or pull request/],
    'an issue elsewhere': ['fixes acme/agave#12', /issue or pull request/],
    'the address of a change': ['https://git.example/acme/x/pull/7', /address of a change/],
    'a term': ['about zero-knowledge', /error notice.md:4 names secretTerms\[0\]/],
    'a term over two lines': ['about zero\nknowledge', /error notice.md:4 names secretTerms\[0\]/],
    'a term of signs': ['written in c++', /error notice.md:4 names secretTerms\[1\]/],
    'an artifact': ['agave-validator-hotfix.tar', /"agave-validator-hotfix.tar" is an artifact/],
    'a repository': ['from acme/private-mirror', /"acme\/private-mirror" is a repository/],
    'a path': ['programs/bpf/src/syscall_meter.rs', /is a file that 0001.patch changes/],
    'a file': ['syscall_meter.rs', /"syscall_meter.rs" is the name of a file/],
    'a file in words': ['the syscall meter rs', /"syscall_meter.rs" is the name of a file/],
    'a function': ['drainQuickly is slow', /"drainQuickly" is a function that 0001.patch touches/],
    'a function in C': ['recv_frame', /"recv_frame" is a function/],
    'a function in words': ['to recv a frame: recv frame', /"recv_frame" is a function/],
    'a title': [
      'we reject forged\ndischarges in the Meter',
      /is the title of a commit in 0001.patch/,
    ],
    'a word of a title': ['forged', /"forged" is in the title of a commit/],
    'a word of the disclosure': ['it mints', /"mints" is in the title of disclosure.md/],
    'a word of a path': ['syscall', /"syscall" is in the name of a file/],
    'a word of a function': ['drain it', /"drain" is in the name of a function/],
  };
  for (const [what, [line, expected]] of Object.entries(cases)) {
    it(`finds ${what}, with its line`, () => {
      const findings = said(`${NOTICE}${line}\n`);
      assert.ok(
        findings.some((it) => expected.test(it) && it.includes('notice.md:4')),
        findings.join('\n'),
      );
    });
  }

  it('never repeats a term, which may be what nobody should paste', () => {
    assert.ok(!said(`${NOTICE}zero knowledge\n`).join().toLowerCase().includes('zero'));
  });
});

describe('a phrase', () => {
  it('is found where its words stand in a row, and nowhere else (property)', () => {
    const word = fc.stringMatching(/^[a-z]{1,5}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 4 }),
        fc.array(word),
        (phrase, around) => {
          const text = [...around, '\n', phrase.join('_'), ...around].join(' ');
          const line = findPhrase(tokensOf(text), normalPhrase(phrase.join(' ')));
          assert.ok(line === 1 || line === 2);
          assert.equal(
            findPhrase(tokensOf(around.join(' ')), `${normalPhrase(phrase.join(' '))} zzzzzz`),
            undefined,
          );
        },
      ),
    );
    assert.equal(findPhrase(tokensOf('anything'), ''), undefined);
  });
});
