import { isIPv6 } from 'node:net';

import type { Request } from 'express';

import { ServiceError } from '../services/error.ts';

/** A bucket that fills up at `perSecond` and holds what a burst may take at once. */
export interface RateLimit {
  /** @throws {@link ServiceError} `too_many_requests` when the bucket is empty. */
  take(key: string): void;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Buckets kept at a time; the one unused for longest is forgotten, which only fills it up. */
const MAX_BUCKETS = 50_000;

export function rateLimit(
  { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
  now: () => number,
): RateLimit {
  const buckets = new Map<string, Bucket>();

  const fill = (key: string): Bucket => {
    const at = now();
    const bucket = buckets.get(key) ?? { tokens: burst, filledAt: at };
    buckets.delete(key);
    const elapsedMs = Math.max(0, at - bucket.filledAt);
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsedMs / 1000) * perSecond);
    bucket.filledAt = at;
    buckets.set(key, bucket);
    const [oldest] = buckets.keys();
    if (buckets.size > MAX_BUCKETS && oldest !== undefined) buckets.delete(oldest);
    if (bucket.tokens < 1) throw new ServiceError('too_many_requests', 'slow down');
    return bucket;
  };

  return {
    take(key) {
      fill(key).tokens -= 1;
    },
  };
}

/**
 * Who sends this, as far as the network knows: an IPv4 address, or the /64 that one customer has.
 *
 * The other end of the connection; or, if that is a proxy named in the configuration, who it says.
 */
export function addressOf(req: Pick<Request, 'ip'>): string {
  const address = (req.ip ?? '').replace(/^::ffff:(?=\d+\.)/, '');
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':');
}
