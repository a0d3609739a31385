import type { Request, RequestHandler } from 'express';
import { raw } from 'express';
import type { z } from 'zod';

import type { envelopeJson } from '../../protocol/api/exchange.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { readEnvelope } from '../../protocol/signature/dsse.ts';
import { ServiceError } from '../services/error.ts';

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** A body with one envelope in it, base64 in base64. */
export const ENVELOPE_BYTES = 256 * KIB;

/**
 * Read a body of at most `maxBytes`, as bytes: `express.json` would take what our parser refuses.
 *
 * Compressed bodies are refused, so none can be a bomb.
 */
export function readBytes(type: string, maxBytes: number): RequestHandler {
  return raw({ type, limit: maxBytes, inflate: false });
}

export function readJson(maxBytes: number): RequestHandler {
  return readBytes('application/json', maxBytes);
}

/** @throws {@link ServiceError} `unsupported_media_type` when the body was of another type. */
export function bytesOf(req: Request): Uint8Array {
  const body: unknown = req.body;
  if (body instanceof Uint8Array) return new Uint8Array(body.buffer, body.byteOffset, body.length);
  throw new ServiceError('unsupported_media_type', 'the body is of another type than expected');
}

/**
 * The JSON body of a request, in its exact shape.
 *
 * @throws {@link ServiceError} `request_invalid`; the message names a path, never a value.
 */
export function jsonOf<T>(req: Request, schema: z.ZodType<T>): T {
  const bytes = bytesOf(req);
  try {
    const json = parseJson(bytes, bytes.length);
    return parseShape(schema, json, 'encoding_invalid', 'body');
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ServiceError('request_invalid', error.message);
  }
}

/** The envelope in a JSON body, not yet verified. @throws {@link ProtocolError} as `readEnvelope`. */
export function envelopeOf(json: z.infer<typeof envelopeJson>): Envelope {
  return readEnvelope(json);
}

/** A stored envelope as a member of an answer. */
export function envelopeOut(stored: string): z.infer<typeof envelopeJson> {
  return JSON.parse(stored) as z.infer<typeof envelopeJson>;
}

/**
 * Where a page begins: after this number, from the start by default.
 *
 * @throws {@link ServiceError} `request_invalid`
 */
export function afterOf(req: Request, fallback = 0): number {
  const { after } = req.query;
  if (after === undefined) return fallback;
  if (typeof after !== 'string' || !/^(?:0|[1-9]\d{0,14})$/.test(after)) {
    throw new ServiceError('request_invalid', 'after is a whole number');
  }
  return Number(after);
}
