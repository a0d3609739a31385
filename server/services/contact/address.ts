const LOCAL = /^[A-Za-z0-9_][A-Za-z0-9_+-]*(?:\.[A-Za-z0-9_+-]+)*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * Read a mail address by a grammar far narrower than RFC 5322.
 *
 * One mailbox in plain ASCII: no quotes, comments, groups, angle brackets, whitespace or address
 * literals, so that no mail library can take it for another mailbox, or for two.
 *
 * @returns The address with its domain in lower case; `undefined` for anything else.
 */
export function parseAddress(text: string): string | undefined {
  if (text.length > 254) return undefined;
  const [local = '', domain = '', ...rest] = text.split('@');
  if (rest.length > 0 || local.length > 64 || !LOCAL.test(local)) return undefined;
  const labels = domain.split('.');
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return undefined;
  return `${local}@${domain.toLowerCase()}`;
}
