/**
 * Read the body of an answer up to `maxBytes`, and not a chunk further.
 *
 * @param tooLong - Makes the error of whoever asked.
 */
export async function readResponse(
  response: Response,
  maxBytes: number,
  tooLong: () => Error,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length;
    // Leaving the loop cancels the rest.
    if (length > maxBytes) throw tooLong();
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts, length));
}
