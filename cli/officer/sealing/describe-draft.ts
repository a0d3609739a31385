import { parseDocument } from '../../../protocol/commitment/document.ts';
import { verifyRelease } from '../../../protocol/embargo/bundle.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';

/**
 * Everything in a draft that a person has to read before committing to it, as lines for the
 * officer's own terminal. Keys are left out; artifacts are named, not shown.
 */
export function describeDraft(draft: Draft, plan: Plan): readonly string[] {
  const release = draft.documents.get('release.txt') ?? new Uint8Array();
  const { variants } = verifyRelease(release, plan);
  return [
    ...variants.flatMap(({ name, base, tree, toolchain, artifacts }) => [
      `variant           ${name}: base ${base}, tree ${tree}, ${toolchain}`,
      ...artifacts.map((it) => `  artifact        ${it.sha256}  ${it.name}, ${it.size} bytes`),
    ]),
    ...quote('notice.txt', bodyOf(draft, 'notice.txt').replace(/access-key: [^\n]*\n$/, '')),
    ...quote('INSTRUCTIONS.md', utf8Decode(draft.instructions)),
    ...quote('disclosure.md', bodyOf(draft, 'disclosure.md')),
  ];
}

function bodyOf({ documents }: Draft, name: string): string {
  return utf8Decode(parseDocument(documents.get(name) ?? new Uint8Array()).body);
}

function quote(name: string, text: string): readonly string[] {
  return [
    `--- ${name}`,
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => `  | ${line}`),
  ];
}
