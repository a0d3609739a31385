import { generateSeed } from '../../platform/ed25519.ts';
import { generateContactKey } from '../../protocol/contact/contact-key.ts';
import { fingerprintOf, readContactKey } from '../../protocol/contact/key.ts';
import { sha256Hex } from '../../protocol/encoding/bytes.ts';
import { encodeEnvelope } from '../../protocol/signature/dsse.ts';
import {
  enrolmentText,
  verifyEnrolment,
  type EnrolmentFields,
} from '../../protocol/statement/enrolment.ts';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { connect } from '../client/connect.ts';
import { envelopeJsonOf } from '../client/envelope.ts';
import { refreshTrust } from '../client/trust.ts';
import { findOption, hasFlag, listOption, type Command, type Context } from '../command.ts';
import { UsageError } from '../errors.ts';
import { openHome, type Home } from '../home/home.ts';
import type { OperatorKeys } from '../home/keys.ts';
import {
  draftFields,
  parseProof,
  proveIdentity,
  readIdentity,
  saveBinding,
  signEnrolment,
  withEarlierProofs,
} from '../operator/binding.ts';
import { keepReceipt } from '../receipts/keep.ts';

export const enrollCommand: Command = {
  name: 'enroll',
  group: 'operator',
  summary: 'Bind your validators to an operator key, once, and register where to be reached',
  options: [
    { flag: '--identity <file>', description: "a validator's keypair file", many: true },
    { flag: '--email <address>', description: 'where notices go; needed the first time' },
    { flag: '--validator <id>', description: 'with --print-challenge: an identity', many: true },
    { flag: '--print-challenge', description: 'print what an identity has to sign elsewhere' },
    { flag: '--proof <id=signature>', description: 'a signature made elsewhere', many: true },
  ],
  example: 'sealdrop enroll --identity validator-keypair.json --email ops@validator.example',

  async run(input, context) {
    const home = openHome(context);
    const { out } = context;
    const anonymous = await connect(context, home);
    const { root } = await refreshTrust(home, anonymous);
    const keys = await ensureKeys(home, context, findOption(input, 'email'));
    const openpgp = await readContactKey(keys.openpgp);
    const fields: EnrolmentFields = await draftFields(home, context, {
      network: root.network,
      origin: root.origin,
      operator: keys.signer.publicKey,
      openpgp: fingerprintOf(openpgp),
    });

    if (hasFlag(input, 'printChallenge')) {
      const challenges = listOption(input, 'validator').map((validator) => ({
        validator,
        text: enrolmentText(fields, validator),
      }));
      if (challenges.length === 0) throw new UsageError('--print-challenge needs --validator');
      for (const { validator, text } of challenges) {
        out.line(`solana sign-offchain-message '${text}'`);
        out.line(`then: sealdrop enroll --proof ${validator}=SIGNATURE`);
      }
      out.summary({ challenges });
      return;
    }

    const identities = await Promise.all(listOption(input, 'identity').map(readIdentity));
    const given = [
      ...identities.map((identity) => proveIdentity(fields, identity)),
      ...listOption(input, 'proof').map(parseProof),
    ];
    if (given.length === 0) throw new UsageError('give --identity or --proof at least once');
    const proofs = await withEarlierProofs(home, fields, given);

    const envelope = signEnrolment({ ...fields, proofs }, keys.signer);
    verifyEnrolment(envelope, verifyEd25519);
    const answer = await anonymous.enrol({
      envelope: envelopeJsonOf(envelope),
      contact: { email: keys.email, openpgp: openpgp.toPublic().armor() },
    });
    await saveBinding(home, encodeEnvelope(envelope));
    const name = `enrolment.${sha256Hex(encodeEnvelope(envelope)).slice(0, 16)}`;
    const receipt = await keepReceipt(home, root, name, 'enrolment', envelope, answer);
    const validators = proofs.map(({ validator }) => validator);
    out.line(`bound to operator ${keys.signer.publicKey}:`);
    for (const validator of validators) out.line(`  ${validator}`);
    out.note('the identity keys are not needed again; keep the keys in this home');
    out.summary({ operator: keys.signer.publicKey, validators, openpgp: fields.openpgp, receipt });
  },
};

/** The operator's keys, made the first time. */
async function ensureKeys(
  home: Home,
  context: Context,
  email: string | undefined,
): Promise<OperatorKeys> {
  const found = await home.findOperatorKeys();
  if (found !== undefined) {
    if (email === undefined || email === found.email) return found;
    throw new UsageError(`this home is registered with ${found.email}`, 'use another --home');
  }
  if (email === undefined) throw new UsageError('--email is required the first time');
  const { privateKey } = await generateContactKey(
    { name: 'Validator operator', email },
    new Date(context.now()),
  );
  await home.writeOperatorKeys({ seed: generateSeed(), openpgp: privateKey, email });
  return home.operatorKeys();
}
