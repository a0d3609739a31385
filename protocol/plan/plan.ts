import { encodeDocument, MAX_DOCUMENT_BYTES, parseDocument } from '../commitment/document.ts';
import { equalBytes, sha256Hex, utf8Encode } from '../encoding/bytes.ts';
import { parseJson } from '../encoding/json.ts';
import { parseShape } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import { planBody } from './body.ts';
import type { Plan } from './body.ts';
import { checkConsistency } from './rules.ts';

export type { Plan } from './body.ts';

/**
 * Write `plan.txt`: a sealed document whose body is JSON indented by two, for people to read.
 *
 * @throws {@link ProtocolError} `plan_invalid` for a plan that contradicts itself.
 */
export function encodePlan(plan: Plan): Uint8Array {
  const { campaign, nonce, ...rest } = plan;
  const body = parseShape(planBody, rest, 'plan_invalid', 'plan');
  checkConsistency(plan);
  const text = `${JSON.stringify(body, null, 2)}\n`;
  return encodeDocument({ type: 'plan', campaign, nonce, body: utf8Encode(text) });
}

/**
 * Read `plan.txt`. Each plan has exactly one encoding.
 *
 * @throws {@link ProtocolError} `plan_invalid` when it contradicts itself or is spelled another way;
 *   `document_invalid`, `encoding_invalid` or `too_large` for what encloses it.
 * @see docs/spec/plan.md
 */
export function parsePlan(bytes: Uint8Array): Plan {
  const { type, campaign, nonce, body } = parseDocument(bytes);
  if (type !== 'plan') throw new ProtocolError('plan_invalid', 'the document is not a plan');
  const json = parseJson(body, MAX_DOCUMENT_BYTES);
  const plan = { campaign, nonce, ...parseShape(planBody, json, 'plan_invalid', 'plan') };
  if (!equalBytes(encodePlan(plan), bytes)) {
    throw new ProtocolError('plan_invalid', 'the plan is not in its one encoding');
  }
  return plan;
}

/** SHA-256 of `plan.txt` in lower-case hex: what directives are about. */
export function planDigest(bytes: Uint8Array): string {
  return sha256Hex(bytes);
}
