import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { encodeJson } from '../../protocol/encoding/json.ts';
import { encodeEnvelope, parseEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import type { EnvelopeJson } from './client.ts';

/** An envelope as a member of a JSON body. */
export function envelopeJsonOf(envelope: Envelope): EnvelopeJson {
  return JSON.parse(utf8Decode(encodeEnvelope(envelope))) as EnvelopeJson;
}

/**
 * An envelope out of a JSON body, not yet verified.
 *
 * @throws {@link ProtocolError} as `parseEnvelope`.
 */
export function readEnvelope(json: EnvelopeJson): Envelope {
  return parseEnvelope(encodeJson(json));
}
