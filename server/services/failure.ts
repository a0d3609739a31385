/**
 * What may be logged of an unexpected error: name, code and places in the code, its causes' too. No
 * message, because that may quote a request.
 */
export function describeFailure(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return {
    error: error.name,
    ...('code' in error && typeof error.code === 'string' && { code: error.code }),
    at: frames?.slice(0, 8).map((line) => line.trim()),
    ...(error.cause !== undefined && { cause: describeFailure(error.cause) }),
  };
}
